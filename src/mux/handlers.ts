// What the mux calls: one handler per stream, one per session. Plain methods, no emitters: an exchange costs no listener.

import type { ControlMessage, Hello } from "../wire/control.ts";
import type { GoAwayReason, ResetReason } from "../wire/codes.ts";
import type { OpenRequest } from "../wire/open.ts";
import type { Session } from "./session.ts";
import type { Stream } from "./stream.ts";

/**
 * The owner of one stream. Bytes given to it are views that are valid only during the call, unless they are written
 * to a socket at once. No method may throw; what throws is reported as a fault and resets the stream with `internal`.
 */
export interface StreamHandler {
  /** A HEAD frame: a response head, 1xx or final. `end` if the sender's half ended with it. */
  onHead(head: Buffer, end: boolean): void;
  /** Payload. The handler owes `stream.consumed(chunk.length)` once the bytes have left its hands. */
  onData(chunk: Buffer, end: boolean): void;
  /** The trailer section (complete field lines); the sender's half ends with it. */
  onTrailers(trailers: Buffer): void;
  /** The peer cut the stream, or its session ended (`session_lost`). Last call; the stream is closed. */
  onReset(reason: ResetReason | "session_lost"): void;
  /** After a send answered false: there is room again. */
  onWritable(): void;
  /** Server only: the OPEN frame left the outbox (its bytes were handed to the transport). */
  onOpened(): void;
}

/** Why a session closed: a GOAWAY reason, or how its transport was lost. */
export type SessionCloseReason =
  | GoAwayReason
  | "transport_closed"
  | "transport_error"
  | "dead"
  | "handshake_timeout"
  | "drained";

/** The owner of one session. */
export interface SessionHandler {
  /** The peer's hello arrived: streams and control messages may flow. */
  onReady(session: Session, hello: Hello): void;
  /** Client only: the server opened a stream. Answers its handler, or the reason to refuse it. */
  onOpen(stream: Stream, open: OpenRequest): StreamHandler | ResetReason;
  /** Any CONTROL message but hello. */
  onControl(session: Session, message: ControlMessage): void;
  /** The peer said GOAWAY; streams in flight go on. */
  onGoAway(session: Session, reason: GoAwayReason): void;
  /** Server only: a stream ended, so there may be room for one that waits. */
  onRoom(session: Session): void;
  /** Last call. Every stream was reset before it. */
  onClosed(session: Session, reason: SessionCloseReason): void;
}
