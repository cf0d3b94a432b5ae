// Spans of what is rare and worth a look: sessions that come, go or are refused, pipes that ended, drains, heap snapshots,
// leak reports. Each is made when it is over (or is an instant), so that none is open for hours; floods are thinned out.

import type { Attributes, SpanContext, Tracer } from "@opentelemetry/api";
import { SpanKind, TraceFlags } from "@opentelemetry/api";
import type {
  GatewayError,
  PipeOpening,
  PipeView,
  RefusedRequest,
  SessionView,
  TunnelEvents,
} from "../lifecycle/events.ts";
import type { Resource } from "../lifecycle/resource.ts";
import { LineBudget } from "./line-budget.ts";
import { cut, isFault, maxValueLength, methodOf } from "./span-attributes.ts";
import type { RemoteParent } from "./trace-context.ts";
import { TracingSpan } from "./trace-span.ts";

/** What they are made with. */
export interface NotableSpansOptions {
  readonly tracer: Tracer;
  /** Whether any are recorded. */
  readonly wanted: boolean;
  /** Who hears of spans that open and close; asked each time. */
  readonly events: () => TunnelEvents;
}

/** Where a span is in a caller's trace. */
export interface Place {
  readonly parent?: SpanContext;
  readonly link?: SpanContext;
}

/** One span, from beginning to end. */
interface Past {
  /** Default internal. */
  readonly kind?: SpanKind;
  readonly from: number;
  readonly to?: number;
  readonly attributes: Attributes;
  readonly failed?: boolean;
  readonly parent?: SpanContext | undefined;
  readonly link?: SpanContext | undefined;
}

/** A login that went well. */
interface Login {
  readonly atMs: number;
  /** Its span. Undefined if nobody wants it, or if it was left out because there were too many: then it can still be made. */
  span: Pick<TracingSpan, "context" | "recording"> | "left out" | undefined;
}

/** Spans of one name in ten seconds; a storm of logins must not push the spans of exchanges out of the queue. */
const maxSpansOfAKind = 50;
const connectName = "session connect";

/** How a pipe ends that was cut by a failure of ours or the target's, and what a visitor by HTTP would be told. */
const pipeFailures: ReadonlyMap<string, GatewayError> = new Map<string, GatewayError>([
  ["session_lost", "client_lost"],
  ["target_refused", "target_refused"],
  ["target_unreachable", "target_unreachable"],
  ["target_timeout", "target_timeout"],
  ["bad_target_response", "bad_target_response"],
  ["target_cut", "target_cut"],
  ["overloaded", "overloaded"],
  ["no_tunnel", "no_tunnel"],
  ["internal", "internal"],
]);

/** Makes them. */
export class NotableSpans {
  readonly #options: NotableSpansOptions;
  readonly #budget = new LineBudget(maxSpansOfAKind);
  #draining = false;
  /** How sessions began, so that exchanges can refer to it. Held as long as the session is. */
  readonly #logins = new WeakMap<Resource, Login>();

  constructor(options: NotableSpansOptions) {
    this.#options = options;
  }

  /** The recorded span with which a session began, if there is one. One that a flood has left out is made when it is asked for. */
  contextOf(session: SessionView): SpanContext | undefined {
    const login = this.#logins.get(session);
    if (login?.span === "left out" && this.#budget.hasRoom(connectName))
      login.span = this.#connected(session, login.atMs);
    const span = spanOf(login);
    return span?.recording === true ? span.context : undefined;
  }

  /** A login ended. */
  sessionConnected(result: string, session: SessionView | undefined): void {
    const now = performance.now();
    if (result !== "ok") {
      this.#make("session refuse", { from: now, to: now, attributes: { "error.type": result }, failed: true });
    } else if (session) {
      this.#logins.set(session, { atMs: now, span: this.#connected(session, now) });
    }
  }

  /** A session ended. */
  sessionClosed(session: Resource, reason: string): void {
    const login = this.#logins.get(session);
    if (!login) return;
    const now = performance.now();
    const seconds = (now - session.openedAtMs) / 1_000;
    const attributes = { "caisson.close_reason": reason, "caisson.session.seconds": seconds };
    this.#make("session close", { from: now, to: now, attributes, parent: spanOf(login)?.context });
  }

  /** A peer broke the protocol. */
  violated(session: SessionView, reason: string): void {
    const now = performance.now();
    const attributes = { ...sessionAttributes(session), "error.type": reason };
    this.#make("protocol violation", { from: now, attributes, failed: true, parent: this.contextOf(session) });
  }

  /** A raw connection becomes a pipe, or cannot. Answers the trace of one that does, whether it is recorded or not. */
  pipeOpening(opening: PipeOpening, parent: SpanContext | undefined): RemoteParent | undefined {
    const { role, openedAtMs, tunnelName, visitorAddress, upstream, session, failure } = opening;
    const attributes: Attributes = { "caisson.tunnel": cut(tunnelName, maxValueLength), "network.transport": "tcp" };
    if (visitorAddress !== "") attributes["client.address"] = visitorAddress;
    if (upstream) {
      attributes["server.address"] = cut(upstream.host, maxValueLength);
      attributes["server.port"] = upstream.port;
    }
    if (failure !== undefined) {
      attributes["error.type"] = failure.outcome;
      attributes["caisson.close_reason"] = failure.reason;
    }
    const failed = failure !== undefined && isFault(failure.outcome);
    const kind = role === "server" ? SpanKind.SERVER : SpanKind.CLIENT;
    const link = session && this.contextOf(session);
    const span = this.#record("pipe open", { kind, from: openedAtMs, attributes, failed, link, parent });
    if (failure !== undefined) return undefined;
    const { traceId, spanId, traceFlags } = span.context;
    return { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 };
  }

  /** The server answered a request by itself. */
  requestRefused({ status, error, reason, visitorAddress, secure, head }: RefusedRequest, place: Place): void {
    const attributes: Attributes = {
      // The request may be anything: of what it says, only that it is refused is worth telling, and by which method it came.
      "http.request.method": methodOf(head?.method ?? ""),
      "http.response.status_code": status,
      "url.scheme": secure ? "https" : "http",
      "client.address": visitorAddress,
      "caisson.refusal": reason,
    };
    if (error !== undefined) attributes["error.type"] = error;
    const failed = status >= 500;
    this.#make("request refuse", { kind: SpanKind.SERVER, from: performance.now(), attributes, failed, ...place });
  }

  /** A pipe ended. One that came from a recorded exchange gets a span behind that exchange's. */
  pipeClosed(resource: Resource, reason: string): void {
    if (!isPipe(resource) || resource.trace?.sampled !== true) return;
    const { trace, openedAtMs, bytesIn, bytesOut } = resource;
    const failure = pipeFailures.get(reason);
    const attributes: Attributes = {
      "caisson.close_reason": reason,
      "caisson.bytes_in": bytesIn,
      "caisson.bytes_out": bytesOut,
    };
    if (failure !== undefined) attributes["error.type"] = failure;
    const parent = { traceId: trace.traceId, spanId: trace.spanId, traceFlags: TraceFlags.SAMPLED };
    const link = this.contextOf(resource.session);
    // As recorded as the exchange was: neither thinned out nor left to the share of rare events.
    this.#record("pipe", {
      from: openedAtMs,
      attributes,
      failed: failure !== undefined && isFault(failure),
      parent,
      link,
    });
  }

  /** A heap snapshot was taken, or not. */
  snapshotTaken({ openedAtMs }: Resource, reason: string): void {
    const failed = reason !== "ok";
    const attributes: Attributes = failed ? { "error.type": reason } : {};
    this.#make("heap snapshot", { from: openedAtMs, attributes, failed });
  }

  /** A closed resource is still referred to. */
  leakReported(leak: { readonly kind: string; readonly label: string }): void {
    const attributes = { "caisson.resource.kind": leak.kind, "caisson.resource.label": leak.label };
    this.#make("leak report", { from: performance.now(), attributes, failed: true });
  }

  /** Runs the drain of a role as one span, once; a second call only hastens it. Settles as `operation` does. */
  async drain(operation: () => Promise<void>): Promise<void> {
    if (this.#draining) return operation();
    this.#draining = true;
    const from = performance.now();
    let failed = true;
    try {
      await operation();
      failed = false;
    } finally {
      this.#make("drain", { from, attributes: {}, failed });
    }
  }

  #connected(session: SessionView, atMs: number): Login["span"] {
    const made = this.#make(connectName, {
      from: session.openedAtMs,
      to: atMs,
      attributes: sessionAttributes(session),
    });
    // What is over is not held for as long as a session lives.
    return made instanceof TracingSpan ? { context: made.context, recording: made.recording } : made;
  }

  /** Undefined if nobody wants it. */
  #make(name: string, past: Past): TracingSpan | "left out" | undefined {
    if (!this.#options.wanted) return undefined;
    const suppressed = this.#budget.take(name);
    if (suppressed === undefined) return "left out";
    const attributes = suppressed === 0 ? past.attributes : { ...past.attributes, "caisson.suppressed": suppressed };
    return this.#record(name, { ...past, attributes });
  }

  #record(name: string, past: Past): TracingSpan {
    const { tracer, events } = this.#options;
    const span = TracingSpan.start({
      tracer,
      events: events(),
      name,
      kind: past.kind ?? SpanKind.INTERNAL,
      attributes: past.attributes,
      ...(past.link && { links: [{ context: past.link }] }),
      parent: past.parent,
      startedAtMs: past.from,
    });
    span.end({ ...(past.to !== undefined && { endedAtMs: past.to }), failed: past.failed ?? false });
    return span;
  }
}

function spanOf(login: Login | undefined): Exclude<Login["span"], "left out"> {
  return login?.span === "left out" ? undefined : login?.span;
}

function sessionAttributes({ role, peer }: SessionView): Attributes {
  const address = role === "server" ? "client.address" : "url.full";
  return { "caisson.role": role, [address]: cut(peer, maxValueLength) };
}

function isPipe(resource: Resource): resource is PipeView {
  return resource.kind === "pipe" && "trace" in resource;
}
