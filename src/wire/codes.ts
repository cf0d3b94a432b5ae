// The numbers of caisson.v1 that say why: RESET codes for one stream, GOAWAY codes for a session.
// docs/protocol.md lists the same tables, and a test compares them.

/** Why a stream was cut. Unknown codes from a newer peer are treated as `internal`. */
export const resetCodes = {
  /** The sender lost interest or its side was cut short: a visitor left, an upload broke off. */
  cancelled: 0,
  /** The target refused the connection. */
  target_refused: 1,
  /** The target could not be reached in time, or there is no route to it. */
  target_unreachable: 2,
  /** No response head in time. */
  target_timeout: 3,
  /** What the target sent is not valid HTTP, or exceeds the limits of a response head. */
  bad_target_response: 4,
  /** The target's connection broke after its response head, or as a pipe. */
  target_cut: 5,
  /** No room for the stream: try again later. */
  overloaded: 6,
  /** The receiver does not serve that tunnel (any more). */
  no_tunnel: 7,
  /** A bug on the sender's side. */
  internal: 8,
  /** Nothing moved on the stream for longer than allowed. */
  idle: 9,
} as const;

/** Name of a RESET code. */
export type ResetReason = keyof typeof resetCodes;

/** Why a session ends, and with it what the peer should do. Unknown codes are treated as `shutdown`. */
export const goAwayCodes = {
  /** The sender stops. A client reconnects (with a spread); streams in flight may finish. */
  shutdown: 0,
  /** The client says goodbye: its names are released at once. */
  goodbye: 1,
  /** Another instance took over the client's name. The client exits with 6. */
  replaced: 2,
  /** A newer session of the same instance takes the new streams. The old one drains, the client does nothing. */
  superseded: 3,
  /** The operator closed it. The client exits with 1. */
  closed_by_operator: 4,
  /** Its token was revoked or has expired. The client exits with 4. */
  revoked: 5,
  /** Stream ids ran out. The client moves to a new session. */
  ids_exhausted: 6,
  /** The peer broke the protocol. */
  violation: 7,
  /** The sender is overloaded. A client reconnects later. */
  overloaded: 8,
} as const;

/** Name of a GOAWAY code. */
export type GoAwayReason = keyof typeof goAwayCodes;
