// What the core tells observers, as one typed interface. The core calls it at the moment a thing happens and never asks
// whether anybody listens: the default is noEvents. Subscribers never block, never throw, and hold a resource only weakly.

import type { Resource, ResourceKind } from "./resource.ts";

/** As seen by the visitor's request: `in` flows from visitor to target, `out` from target to visitor. */
export type Direction = "in" | "out";

/** Which source was paused: the visitor's socket, the target's socket, or the session's own socket being full. */
export type Side = "visitor" | "target" | "session";

/**
 * How an exchange ended: `ok`, the visitor left, the server ended before it (`shutdown`), or the Caisson-Error that the
 * visitor was (or would have been) told.
 */
export type ExchangeOutcome = "ok" | "visitor_abort" | "shutdown" | GatewayError;

/** The values of the `Caisson-Error` response field, each with the status that goes with it in server/. */
export type GatewayError =
  | "no_tunnel"
  | "reconnecting"
  | "target_refused"
  | "target_unreachable"
  | "bad_target_response"
  | "target_timeout"
  | "client_lost"
  | "overloaded"
  | "bad_request"
  | "target_cut"
  | "internal";

/** What a subscriber answers to {@link TunnelEvents.exchangeStarted}: the trace that the exchange belongs to. */
export interface TraceContext {
  /**
   * Complete header lines (each ending in CRLF) that replace the request's own trace fields on the way to the target.
   * Empty: the request's own stay as they are.
   */
  readonly headerLines: string;
  /** Names of further fields of the request, lower-case, that go no further because the lines speak for them. */
  readonly replaces?: readonly string[];
  /** 32 lower-case hex digits, for logs and exemplars. */
  readonly traceId: string;
  /** 16 lower-case hex digits: whose child the next one on the way becomes. */
  readonly spanId: string;
  /** Whether the trace is recorded; only then is it of use to anybody who looks for it. */
  readonly sampled: boolean;
}

/** What observers may read of an exchange, while it is open and in {@link TunnelEvents.exchangeEnded}. Getters decode lazily. */
export interface ExchangeView extends Resource {
  readonly kind: "exchange";
  /** `server` at the visitor's edge, `client` beside the target. */
  readonly role: "server" | "client";
  /** The request's method, as sent. */
  readonly method: string;
  /** The request target, as sent (path and query). */
  readonly target: string;
  /** The Host that the visitor asked for, lower-case and without a port; empty if there was none. */
  readonly host: string;
  /** The tunnel's name. */
  readonly tunnelName: string;
  /** The value of a request field, by lower-case name; undefined if it is absent. For tracing, not for the data path. */
  field(name: string): string | undefined;
  /** All values of a request field in their order, joined by commas (RFC 9110 section 5.3); undefined if it is absent. */
  fieldList(name: string): string | undefined;
  /** What {@link fieldList} answers for `traceparent`, at less cost: asked for once per exchange. */
  readonly traceparent: string | undefined;
  /** The visitor's address; empty on the client. */
  readonly visitorAddress: string;
  /**
   * On the client: a server that traces has written, where a server of ours always does, that the request is not recorded.
   * Asked with every exchange, and cheaper than {@link traceparent} by far. False on the server.
   */
  readonly saysUnrecorded: boolean;
  /** Whether who sent the request may say whether it is traced: a trusted proxy; on the client, a server that traces. */
  readonly trusted: boolean;
  /** Of the request: as the visitor sent it on the server, as the target gets it on the client. */
  readonly protocolVersion: "1.0" | "1.1";
  /** The visitor came over TLS. False on the client, which does not know. */
  readonly secure: boolean;
  /** Where the request goes; undefined on the server. */
  readonly upstream: UpstreamView | undefined;
  /** The session that carries it; undefined while it has none. */
  readonly session: SessionView | undefined;
  /** When it entered its stream, on the clock of `openedAtMs`; 0 until then. */
  readonly streamAtMs: number;
  /** The final response status, 0 until it is known. */
  readonly status: number;
  /** When the first byte of the final response head was seen, on the clock of `openedAtMs`; 0 until then. */
  readonly firstByteAtMs: number;
  /** When the last byte of the response was seen, or what cut it short, on the clock of `openedAtMs`; 0 until it ends. */
  readonly endedAtMs: number;
  /** Body bytes from the visitor, so far. */
  readonly bytesIn: number;
  /** Body bytes to the visitor, so far. */
  readonly bytesOut: number;
  /** The answer of {@link TunnelEvents.exchangeStarted}. */
  readonly trace: TraceContext | undefined;
}

/** A target, as observers see it. */
export interface UpstreamView {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** What observers may read of a pipe. */
export interface PipeView extends Resource {
  readonly kind: "pipe";
  readonly role: "server" | "client";
  /** The trace of the exchange that it was upgraded from, or of its opening; undefined if that was not recorded. */
  readonly trace: TraceContext | undefined;
  readonly session: SessionView;
  /** Bytes from the visitor, so far. */
  readonly bytesIn: number;
  /** Bytes to the visitor, so far. */
  readonly bytesOut: number;
}

/** A raw connection that found its way to the other end, or did not. */
export interface PipeOpening {
  readonly role: "server" | "client";
  /** When the visitor came (server), or its stream (client). */
  readonly openedAtMs: number;
  /** The tunnel's name. */
  readonly tunnelName: string;
  /** The visitor's address; empty on the client. */
  readonly visitorAddress: string;
  /** Where the connection goes; undefined on the server. */
  readonly upstream: UpstreamView | undefined;
  /** The session that carries it; undefined if it has none. */
  readonly session: SessionView | undefined;
  /** On the client, what the server says of its trace: a `traceparent`, if it means well. Undefined on the server. */
  readonly traceparent: string | undefined;
  /** Why there is no pipe; undefined if there is one. */
  readonly failure: PipeFailure | undefined;
}

/** Why a raw connection did not find its way. */
export interface PipeFailure {
  /** What a visitor by HTTP would have been told. */
  readonly outcome: Exclude<ExchangeOutcome, "ok">;
  /** More exactly, from a closed set of words. */
  readonly reason: string;
}

/** A request that the server answered by itself, before there was an exchange. */
export interface RefusedRequest {
  readonly status: number;
  /** Undefined for a redirection. */
  readonly error: GatewayError | undefined;
  /** From a closed set of words. */
  readonly reason: string;
  readonly visitorAddress: string;
  /** The visitor came over TLS. */
  readonly secure: boolean;
  /** Whether who sent the request may say whether it is traced: a trusted proxy. */
  readonly trusted: boolean;
  /** Undefined if what came is no request. To be asked during the call only. */
  readonly head: RefusedHead | undefined;
}

/** What observers may read of a request that was refused. */
export interface RefusedHead {
  /** As sent. */
  readonly method: string;
  /** All values of a request field, as {@link ExchangeView.fieldList} has them. */
  fieldList(name: string): string | undefined;
}

/** What observers may read of a session. */
export interface SessionView extends Resource {
  readonly kind: "session";
  readonly role: "server" | "client";
  /** Lowest round trip of the last 10 seconds in milliseconds; 0 until one was measured. */
  readonly rttMs: number;
  /** The peer's address, or the server's URL on the client. */
  readonly peer: string;
}

/** What observers may read of a tunnel. */
export interface TunnelView extends Resource {
  readonly kind: "tunnel";
  /** The public name. */
  readonly name: string;
  /** The public URL. */
  readonly url: string;
}

/** Whether a resource is a session. Whatever reports itself under this kind is a {@link SessionView}. */
export function isSession(resource: Resource): resource is SessionView {
  return resource.kind === "session";
}

/** Whether a resource is a tunnel. Whatever reports itself under this kind is a {@link TunnelView}. */
export function isTunnel(resource: Resource): resource is TunnelView {
  return resource.kind === "tunnel";
}

/** Why a visitor, a request, a stream, a login or a message was turned away: a closed set of words, used as a metric label. */
export type RefusalReason = string;

/** Who hears of openings and closings. */
export interface ResourceEvents {
  /** A resource was acquired. Called once per resource, before it does anything. */
  opened(resource: Resource): void;
  /** A resource was released. Called once per resource, `reason` from a closed set of words. */
  closed(resource: Resource, reason: string): void;
}

/** Everything that the core reports. */
export interface TunnelEvents extends ResourceEvents {
  /** True if `opened` and `closed` are wanted only of what is rare: sessions, tunnels, pipes, snapshots. Default false: of everything. */
  readonly hearsStandingOnly?: boolean;
  /**
   * Who hears of this kind in the subscriber's stead, in functions that meet no other kind. Asked once per role for the
   * kinds of every request: to find out what a resource is, and where its fields are, costs more than to count it.
   * Absent: the subscriber itself.
   */
  ofKind?(kind: ResourceKind): ResourceEvents;
  /** Payload bytes were carried. Called per chunk: keep it cheap. */
  bytes(direction: Direction, count: number): void;
  /** A request was accepted and is about to enter a tunnel (server), or arrived at its end (client). May answer with a trace. */
  exchangeStarted(exchange: ExchangeView): TraceContext | undefined;
  /** The exchange is over; called before `closed`. */
  exchangeEnded(exchange: ExchangeView, outcome: ExchangeOutcome): void;
  /**
   * A connection of a TCP or TLS tunnel becomes a pipe, or cannot. May answer with a trace, for what is told of the pipe's
   * end; the server tells its client of one that has header lines.
   */
  pipeOpening(opening: PipeOpening): TraceContext | undefined;
  /** A request was answered by the server itself; told once, beside `refused` or `badRequest`, which count. */
  requestRefused(request: RefusedRequest): void;
  /** A login ended: `ok`, or why it was refused. Called on the server per attempt and on the client per dial. */
  sessionConnected(result: string, session: SessionView | undefined): void;
  /** A round trip of a PING was measured, in milliseconds. */
  heartbeat(session: SessionView, rttMs: number): void;
  /** A source was paused because what it feeds is full. */
  paused(side: Side): void;
  /** A limit struck or a request was turned away. */
  refused(reason: RefusalReason): void;
  /** A visitor's bytes were not an acceptable HTTP request. */
  badRequest(reason: string): void;
  /** A peer broke the protocol; its session is closed with this reason. */
  violated(session: SessionView, reason: string): void;
  /** Something that must not throw did: a subscriber, a release, a handler. A bug to report, never a reason to stop. */
  faulted(where: string, error: unknown): void;
}

function ignore(): undefined {
  return undefined;
}

/** Hears everything, does nothing. The default, so that the core never tests for undefined. */
export const noEvents: TunnelEvents = Object.freeze({
  opened: ignore,
  closed: ignore,
  bytes: ignore,
  exchangeStarted: ignore,
  exchangeEnded: ignore,
  pipeOpening: ignore,
  requestRefused: ignore,
  sessionConnected: ignore,
  heartbeat: ignore,
  paused: ignore,
  refused: ignore,
  badRequest: ignore,
  violated: ignore,
  faulted: ignore,
});
