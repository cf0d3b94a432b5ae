// Subscribes to a role's events and tells OpenTelemetry of exchanges: one span at the visitor's edge, one around the call
// to the target, with their phases as children. It holds the spans of exchanges in flight by the exchange alone, weakly,
// touches no context but its own, and costs an exchange that is not recorded a few strings.

import type { SpanContext, Tracer } from "@opentelemetry/api";
import { createTraceState, SpanKind, TraceFlags } from "@opentelemetry/api";
import type { ExchangeOutcome, ExchangeView, SessionView, TraceContext, TunnelEvents } from "../lifecycle/events.ts";
import { noEvents } from "../lifecycle/events.ts";
import { QuietEvents } from "../lifecycle/quiet-events.ts";
import type { Resource } from "../lifecycle/resource.ts";
import { NotableSpans } from "./notable-spans.ts";
import type { Caller, Sampling } from "./sampling.ts";
import type { Queries } from "./span-attributes.ts";
import { addResponse, isFailure, requestAttributes, spanName } from "./span-attributes.ts";
import type { RemoteParent } from "./trace-context.ts";
import { boundedTracestate, parseTraceparent, traceLines } from "./trace-context.ts";
import { TraceIds } from "./trace-ids.ts";
import { TracingSpan } from "./trace-span.ts";
import { FreshTrace, PassedTrace } from "./unrecorded-trace.ts";

/** What tracing is made of. */
export interface TracingOptions {
  readonly tracer: Tracer;
  readonly sampling: Sampling;
  /** Default `redacted`. */
  readonly queries?: Queries;
}

/** Makes spans of events. */
export class Tracing extends QuietEvents {
  readonly hearsStandingOnly = true;
  /** Sessions, drains, snapshots and the like. */
  readonly notable: NotableSpans;
  readonly #tracer: Tracer;
  readonly #sampling: Sampling;
  readonly #queries: Queries;
  readonly #ids = new TraceIds();
  readonly #spans = new WeakMap<ExchangeView, TracingSpan>();
  #events: TunnelEvents = noEvents;
  /** How many exchanges in flight have a span. */
  #live = 0;

  constructor({ tracer, sampling, queries }: TracingOptions) {
    super();
    this.#tracer = tracer;
    this.#sampling = sampling;
    this.#queries = queries ?? "redacted";
    this.notable = new NotableSpans({ tracer, wanted: sampling.notable, events: () => this.#events });
  }

  /** Tells `events` of every span that is opened and closed from now on. */
  report(events: TunnelEvents): void {
    this.#events = events;
  }

  override exchangeStarted(exchange: ExchangeView): TraceContext | undefined {
    // Nearly every request of a busy server and its clients leaves by the first of these, or by the next but one.
    if (this.#sampling.obeysParent && exchange.saysUnrecorded) return new PassedTrace(exchange);
    const parent = parseTraceparent(exchange.traceparent);
    const caller = parent !== undefined && exchange.trusted ? "believed" : "stranger";
    if (!this.#sampling.decide(parent, caller)) return this.#unrecorded(exchange, parent);
    return this.#open(exchange, parent, caller);
  }

  override exchangeEnded(exchange: ExchangeView, outcome: ExchangeOutcome): void {
    if (this.#live === 0) return;
    const span = this.#spans.get(exchange);
    if (!span) return;
    this.#spans.delete(exchange);
    this.#live -= 1;
    const endedAtMs = performance.now();
    try {
      if (span.recording) this.#tell(exchange, span, endedAtMs);
    } finally {
      addResponse(span.untold, exchange, outcome);
      span.end({ endedAtMs, failed: isFailure(exchange, outcome) });
    }
  }

  override sessionConnected(result: string, session: SessionView | undefined): void {
    this.notable.sessionConnected(result, session);
  }

  override violated(session: SessionView, reason: string): void {
    this.notable.violated(session, reason);
  }

  override closed(resource: Resource, reason: string): void {
    switch (resource.kind) {
      case "session":
        this.notable.sessionClosed(resource, reason);
        return;
      case "pipe":
        this.notable.pipeClosed(resource, reason);
        return;
      case "snapshot":
        this.notable.snapshotTaken(resource, reason);
        return;
      default:
    }
  }

  #open(exchange: ExchangeView, parent: RemoteParent | undefined, caller: Caller): TraceContext {
    const session = exchange.session && this.notable.contextOf(exchange.session);
    const attributes = requestAttributes(exchange, this.#queries);
    const span = TracingSpan.start({
      tracer: this.#tracer,
      events: this.#events,
      name: spanName(exchange.method),
      kind: exchange.role === "server" ? SpanKind.SERVER : SpanKind.CLIENT,
      ...(this.#sampling.readsAttributes ? { attributes } : { untold: attributes }),
      ...(session && { links: [{ context: session }] }),
      parent: parent && parentContext(parent, { exchange, caller }),
      startedAtMs: exchange.openedAtMs,
    });
    this.#spans.set(exchange, span);
    this.#live += 1;
    const { traceId, spanId, traceFlags, traceState } = span.context;
    const context = { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 };
    return { ...context, headerLines: traceLines(context, traceState?.serialize() ?? "") };
  }

  /** The trace of an exchange that is not recorded: it goes on, so that nobody behind us begins another one. */
  #unrecorded(exchange: ExchangeView, parent: RemoteParent | undefined): TraceContext | undefined {
    if (exchange.role === "client") {
      if (parent === undefined) return undefined;
      const { traceId, spanId } = parent;
      // What our own server wrote is right as it is, and a head that is not touched is not copied.
      if (exchange.trusted || !parent.sampled) return { traceId, spanId, sampled: false, headerLines: "" };
    }
    if (parent === undefined) return new FreshTrace(this.#ids.unrecordedLine());
    const { traceId } = parent;
    const spanId = this.#ids.spanId();
    const state = boundedTracestate(exchange.fieldList("tracestate"));
    return { traceId, spanId, sampled: false, headerLines: traceLines({ traceId, spanId, sampled: false }, state) };
  }

  /** What is known only at the end: the session, and when which phase was over. */
  #tell(exchange: ExchangeView, span: TracingSpan, endedAtMs: number): void {
    const { openedAtMs, streamAtMs, firstByteAtMs } = exchange;
    if (exchange.role === "client") {
      // The server's phases are nearly the same; an event costs a twentieth of a span.
      if (firstByteAtMs !== 0) span.note("first byte", firstByteAtMs);
      return;
    }
    const session = exchange.session && this.notable.contextOf(exchange.session);
    if (session) span.link(session);
    this.#phase(span, { name: "wait for stream", from: openedAtMs, to: streamAtMs || endedAtMs });
    if (streamAtMs === 0) return;
    this.#phase(span, { name: "first byte", from: streamAtMs, to: firstByteAtMs || endedAtMs });
    if (firstByteAtMs !== 0) this.#phase(span, { name: "body", from: firstByteAtMs, to: endedAtMs });
  }

  #phase(parent: TracingSpan, phase: { readonly name: string; readonly from: number; readonly to: number }): void {
    const child = TracingSpan.start({
      tracer: this.#tracer,
      events: this.#events,
      name: phase.name,
      kind: SpanKind.INTERNAL,
      parent,
      startedAtMs: phase.from,
      epochMs: parent.epochMs,
    });
    child.end({ endedAtMs: phase.to });
  }
}

/** The parent as the SDK gets it: for a stranger the flag is what was decided here, whatever the stranger's said. */
function parentContext(
  { traceId, spanId, sampled }: RemoteParent,
  { exchange, caller }: { readonly exchange: ExchangeView; readonly caller: Caller },
): SpanContext {
  const state = boundedTracestate(exchange.fieldList("tracestate"));
  return {
    traceId,
    spanId,
    traceFlags: sampled || caller === "stranger" ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(state === "" ? {} : { traceState: createTraceState(state) }),
  };
}
