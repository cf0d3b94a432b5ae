// Every limit of the client's side towards its targets and servers, with its default.
// Nothing else in client/ holds a number of its own; docs/limits.md lists the same rows.

/** Limits of one client. Durations in milliseconds. */
export interface ClientLimits {
  /** Reaching a target: name lookup, TCP and, for https, the TLS handshake. Default 5,000. */
  readonly connectMs: number;
  /** From the last request byte delivered to the target until its final response head is complete. Default 60,000. */
  readonly responseHeadMs: number;
  /** Between two chunks of a response body, or of what flows while a response is under way. Default 300,000. */
  readonly bodyIdleMs: number;
  /** Between two chunks of a request body before the response has begun. Default 60,000. */
  readonly requestBodyIdleMs: number;
  /** An upgraded connection or a TCP visitor on which nothing moves. Default 3,600,000. */
  readonly pipeIdleMs: number;
  /** How long an idle connection to a target is kept, unless its Keep-Alive field asks for less. Default 4,000. */
  readonly poolIdleMs: number;
  /** A request that may not be repeated only reuses a connection idle for less than this. Default 1,000. */
  readonly freshIdleMs: number;
  /**
   * Idle connections kept per target; the one idle for longest gives way. Default 1,024, as many as one server may have in
   * use: answers come in crowds, and what is closed between two of them is opened again for the next.
   */
  readonly poolSize: number;
  /** Streams that one server may have open in one session. Default 1,024. */
  readonly maxStreams: number;
  /** Request bytes taken and dropped after a complete early response, before the visitor's upload is left to stall. Default 1 MiB. */
  readonly discardBytes: number;
  /** Reaching a server: TCP, TLS and the answer to the login, in all. Default 10,000. */
  readonly dialMs: number;
  /** The first login may keep failing for this long. Default 30,000. */
  readonly firstConnectMs: number;
  /** A session that lasted this long makes the next reconnect start from the shortest delay again. Default 30,000. */
  readonly stableMs: number;
  /** Streams in flight may go on for this long when the client closes. Default 30,000. */
  readonly drainMs: number;
}

/** The defaults of {@link ClientLimits}. */
export const defaultClientLimits: ClientLimits = Object.freeze({
  connectMs: 5_000,
  responseHeadMs: 60_000,
  bodyIdleMs: 300_000,
  requestBodyIdleMs: 60_000,
  pipeIdleMs: 3_600_000,
  poolIdleMs: 4_000,
  freshIdleMs: 1_000,
  poolSize: 1024,
  maxStreams: 1024,
  discardBytes: 1024 * 1024,
  dialMs: 10_000,
  firstConnectMs: 30_000,
  stableMs: 30_000,
  drainMs: 30_000,
});
