// Subscribes to a role's events and tells OpenTelemetry of exchanges: one span at the visitor's edge, one around the call
// to the target, with their phases as children. It holds the spans of exchanges in flight by the exchange alone, weakly,
// touches no context but its own, and costs an exchange that is not recorded a few strings.

import type { Link, SpanContext, Tracer } from "@opentelemetry/api";
import { createTraceState, SpanKind, TraceFlags } from "@opentelemetry/api";
import type {
  ExchangeOutcome,
  ExchangeView,
  PipeOpening,
  RefusedRequest,
  SessionView,
  TraceContext,
  TunnelEvents,
} from "../lifecycle/events.ts";
import { noEvents } from "../lifecycle/events.ts";
import { QuietEvents } from "../lifecycle/quiet-events.ts";
import type { Resource } from "../lifecycle/resource.ts";
import type { Propagation } from "./propagation.ts";
import type { Place } from "./notable-spans.ts";
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
  /** Default `w3c`. */
  readonly propagation?: Propagation;
}

/** A request as far as trace fields go. */
type Fields = Pick<ExchangeView, "fieldList">;

/** Makes spans of events. */
export class Tracing extends QuietEvents {
  readonly hearsStandingOnly = true;
  /** Sessions, drains, snapshots and the like. */
  readonly notable: NotableSpans;
  readonly #tracer: Tracer;
  readonly #sampling: Sampling;
  readonly #queries: Queries;
  readonly #propagation: Propagation;
  /** What a server of ours says of a request is all that needs to be known of it. */
  readonly #believesFlags: boolean;
  readonly #ids = new TraceIds();
  readonly #spans = new WeakMap<ExchangeView, TracingSpan>();
  #events: TunnelEvents = noEvents;
  /** How many exchanges in flight have a span. */
  #live = 0;

  constructor({ tracer, sampling, queries, propagation = "w3c" }: TracingOptions) {
    super();
    this.#tracer = tracer;
    this.#sampling = sampling;
    this.#queries = queries ?? "redacted";
    this.#propagation = propagation;
    this.#believesFlags = propagation === "w3c" && sampling.obeysParent;
    this.notable = new NotableSpans({ tracer, wanted: sampling.notable, events: () => this.#events });
  }

  /** Whether the heads that this role sends on carry its traces. */
  get tellsTraces(): boolean {
    return this.#propagation !== "none";
  }

  /** Tells `events` of every span that is opened and closed from now on. */
  report(events: TunnelEvents): void {
    this.#events = events;
  }

  override exchangeStarted(exchange: ExchangeView): TraceContext | undefined {
    // Nearly every request of a busy server and its clients leaves by the first of these, or by the next but one.
    if (this.#believesFlags && exchange.saysUnrecorded) return new PassedTrace(exchange);
    const parent = this.#parentOf(exchange);
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

  override pipeOpening(opening: PipeOpening): TraceContext | undefined {
    // A visitor's raw bytes say nothing of traces; beside the target, the server has a word of its own.
    const tells = this.#propagation !== "none";
    const parent = tells ? parseTraceparent(opening.traceparent) : undefined;
    const caller = parent === undefined ? "stranger" : "believed";
    if (this.#sampling.decide(parent, caller)) {
      const context = this.notable.pipeOpening(opening, parent && remoteContext(parent, ""));
      return context && { ...context, headerLines: tells ? traceLines(context, "") : "" };
    }
    // So that the client does not begin another trace.
    return tells && opening.role === "server" ? new FreshTrace(this.#ids.unrecordedLine()) : undefined;
  }

  override requestRefused(request: RefusedRequest): void {
    const { head, trusted } = request;
    const parent = head && this.#parentIn(head);
    const caller = parent !== undefined && trusted ? "believed" : "stranger";
    if (!this.#sampling.decide(parent, caller)) return;
    this.notable.requestRefused(request, parent && head ? this.#placed(head, { parent, caller }) : {});
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
    const { parent: joined, link } = parent ? this.#placed(exchange, { parent, caller }) : {};
    const session = exchange.session && this.notable.contextOf(exchange.session);
    const links: Link[] = [];
    if (link) links.push({ context: link });
    if (session) links.push({ context: session });
    const attributes = requestAttributes(exchange, this.#queries);
    const span = TracingSpan.start({
      tracer: this.#tracer,
      events: this.#events,
      name: spanName(exchange.method),
      kind: exchange.role === "server" ? SpanKind.SERVER : SpanKind.CLIENT,
      ...(this.#sampling.readsAttributes ? { attributes } : { untold: attributes }),
      ...(links.length > 0 && { links }),
      parent: joined,
      startedAtMs: exchange.openedAtMs,
    });
    this.#spans.set(exchange, span);
    this.#live += 1;
    const { traceId, spanId, traceFlags, traceState } = span.context;
    const sampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
    return this.#told(exchange, { traceId, spanId, sampled, state: traceState?.serialize() ?? "" });
  }

  /** The trace of an exchange that is not recorded: it goes on, so that nobody behind us begins another one. */
  #unrecorded(exchange: ExchangeView, parent: RemoteParent | undefined): TraceContext | undefined {
    const propagation = this.#propagation;
    if (propagation === "none") return undefined;
    if (exchange.role === "client" && exchange.trusted) {
      if (parent === undefined) return undefined;
      const { traceId, spanId } = parent;
      if (propagation !== "w3c")
        return this.#told(exchange, { traceId, spanId, sampled: false, state: stateOf(exchange, parent) });
      // What our own server wrote is right as it is, and a head that is not touched is not copied.
      return { traceId, spanId, sampled: false, headerLines: "" };
    }
    // What a visitor wrote is replaced on either side, be it a trace or nonsense.
    if (parent === undefined && propagation === "w3c") return new FreshTrace(this.#ids.unrecordedLine());
    const traceId = parent?.traceId ?? this.#ids.traceId();
    const state = parent ? stateOf(exchange, parent) : "";
    return this.#told(exchange, { traceId, spanId: this.#ids.spanId(), sampled: false, state });
  }

  /** Where a span is to be in the caller's trace: the parent as the SDK gets it, or a link to it. */
  #placed(request: Fields, { parent, caller }: { readonly parent: RemoteParent; readonly caller: Caller }): Place {
    const state = stateOf(request, parent);
    if (caller === "believed") return { parent: remoteContext(parent, state) };
    if (!this.#sampling.joinsStrangers) return { link: remoteContext(parent, state) };
    // The flag is what was decided here, whatever the stranger's said.
    return { parent: remoteContext({ ...parent, sampled: true }, state) };
  }

  /** Who called, as the head of a visitor's request has it. */
  #parentIn(head: Fields): RemoteParent | undefined {
    const propagation = this.#propagation;
    if (propagation === "none") return undefined;
    return propagation === "w3c" ? parseTraceparent(head.fieldList("traceparent")) : propagation.parentOf(head);
  }

  #parentOf(exchange: ExchangeView): RemoteParent | undefined {
    const propagation = this.#propagation;
    if (propagation === "none") return undefined;
    // Our own ends speak W3C Trace Context to each other, whatever they speak to others.
    const isOurs = propagation === "w3c" || (exchange.role === "client" && exchange.trusted);
    return isOurs ? parseTraceparent(exchange.traceparent) : propagation.parentOf(exchange);
  }

  /** The context with the lines that say it to whoever comes next. */
  #told({ role }: ExchangeView, context: Required<RemoteParent>): TraceContext {
    const { traceId, spanId, sampled, state } = context;
    const ids = { traceId, spanId, sampled };
    const propagation = this.#propagation;
    if (propagation === "none") return { ...ids, headerLines: "" };
    if (propagation === "w3c") return { ...ids, headerLines: traceLines(context, state) };
    const { fields: replaces } = propagation;
    if (role === "client") return { ...ids, headerLines: propagation.linesFor(context), replaces };
    // The client looks for our own line at the end.
    return { ...ids, headerLines: propagation.linesFor(context, "w3c") + traceLines(context, state), replaces };
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

function remoteContext({ traceId, spanId, sampled }: RemoteParent, state: string): SpanContext {
  return {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(state === "" ? {} : { traceState: createTraceState(state) }),
  };
}

function stateOf(request: Fields, parent: RemoteParent): string {
  return parent.state ?? boundedTracestate(request.fieldList("tracestate"));
}
