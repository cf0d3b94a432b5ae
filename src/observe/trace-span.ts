// One open span as a resource of Caisson: opened and closed in the ledgers exactly once, whatever the SDK does with it.
// Spans are made and ended nowhere else. All times of one span are taken from one reading of the wall clock.

import type { Attributes, Context, Link, Span, SpanContext, SpanKind, SpanOptions, Tracer } from "@opentelemetry/api";
import { ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import type { TunnelEvents } from "../lifecycle/events.ts";
import type { Resource } from "../lifecycle/resource.ts";

/** What a span is made of. */
export interface TracingSpanOptions {
  readonly tracer: Tracer;
  readonly events: TunnelEvents;
  /** From a fixed set. */
  readonly name: string;
  readonly kind: SpanKind;
  /** What is known of it now, and what a sampler may look at. */
  readonly attributes?: Attributes;
  /** What is told of it when it ends; more may be added until then. */
  readonly untold?: Attributes;
  readonly links?: Link[];
  /** The parent; without one the span begins a trace. */
  readonly parent?: SpanContext | TracingSpan | undefined;
  /** On the clock of `performance.now()`. */
  readonly startedAtMs: number;
  /** What to add to that clock to get milliseconds since the epoch; by default it is asked now. */
  readonly epochMs?: number;
}

/** How a span ends. */
export interface TracingSpanEnd {
  /** On the clock of `performance.now()`; default now. */
  readonly endedAtMs?: number;
  readonly failed?: boolean;
}

/** What to add to `performance.now()` now to get milliseconds since the epoch. Asked anew, because clocks are set and machines sleep. */
export function epochOffsetMs(): number {
  return Date.now() - performance.now();
}

function contextOf(parent: SpanContext | TracingSpan | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  return parent instanceof TracingSpan ? parent.inside : trace.setSpanContext(ROOT_CONTEXT, parent);
}

/** A span that has begun. */
export class TracingSpan implements Resource {
  readonly kind = "span";
  readonly openedAtMs: number = performance.now();
  readonly epochMs: number;
  readonly context: SpanContext;
  /** Attributes that are told in one go when it ends. */
  readonly untold: Attributes;
  /** Whether anything that is said of it is kept. */
  readonly recording: boolean;
  readonly #events: TunnelEvents;
  #span: Span | undefined;
  /** Of its children; made once. */
  #inside: Context | undefined;

  private constructor(span: Span, { events, untold }: TracingSpanOptions, epochMs: number) {
    this.#span = span;
    this.#events = events;
    this.epochMs = epochMs;
    this.untold = untold ?? {};
    this.context = span.spanContext();
    this.recording = span.isRecording();
    events.opened(this);
  }

  /** Begins a span. Whatever context is active around the call has no part in it. */
  static start(options: TracingSpanOptions): TracingSpan {
    const { tracer, name, kind, attributes, links, parent, startedAtMs } = options;
    const epochMs = options.epochMs ?? epochOffsetMs();
    const start: SpanOptions = { kind, startTime: startedAtMs + epochMs };
    if (attributes) start.attributes = attributes;
    if (links) start.links = links;
    const span = tracer.startSpan(name, start, contextOf(parent));
    return new TracingSpan(span, options, epochMs);
  }

  /** What it is the parent in. */
  get inside(): Context {
    return (this.#inside ??= trace.setSpanContext(ROOT_CONTEXT, this.context));
  }

  /** Says that something happened, on the clock of `performance.now()`. */
  note(event: string, atMs: number): void {
    this.#span?.addEvent(event, atMs + this.epochMs);
  }

  /** Refers to another span. */
  link(context: SpanContext): void {
    this.#span?.addLink({ context });
  }

  /** Ends it, once; what comes later is ignored. The ledgers hear of it even if the SDK throws. */
  end({ endedAtMs, failed }: TracingSpanEnd = {}): void {
    const span = this.#span;
    if (!span) return;
    this.#span = undefined;
    try {
      span.setAttributes(this.untold);
      if (failed === true) span.setStatus({ code: SpanStatusCode.ERROR });
    } finally {
      try {
        span.end((endedAtMs ?? performance.now()) + this.epochMs);
      } finally {
        this.#events.closed(this, failed === true ? "failed" : "ended");
      }
    }
  }
}
