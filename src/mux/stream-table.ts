// The streams of one session: it makes them, knows them by id, and lets each go exactly once, when both sides are done
// with it. A stream that was cut stays until the peer has answered, so that the count is what both sides really hold.

import type { Deadline } from "../lifecycle/deadlines.ts";
import type { ResetReason } from "../wire/codes.ts";
import { resetCodes } from "../wire/codes.ts";
import type { OpenRequest } from "../wire/open.ts";
import { openTail } from "../wire/open-codec.ts";
import type { StreamHandler } from "./handlers.ts";
import { noHandler } from "./no-handler.ts";
import type { Session } from "./session.ts";
import { Stream } from "./stream.ts";

/** The table of one session. */
export class StreamTable {
  readonly #session: Session;
  /** Made for the first stream: most sessions of many are idle. */
  #byId: Map<number, Stream> | undefined;
  /** Cut by us, and not yet answered; the oldest first. */
  #unanswered: Set<Stream> | undefined;
  #answerDeadline: Deadline | undefined;
  #opening = 0;
  #active = 0;
  #lastId = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Streams that are open, or whose OPEN waits, or whose end is awaited. */
  get size(): number {
    return (this.#byId?.size ?? 0) + this.#opening;
  }

  /** Streams of which at least one half is open: what the peers have agreed to limit. */
  get active(): number {
    return this.#active;
  }

  /** Streams that were cut and whose answer is awaited. */
  get unanswered(): number {
    return this.#unanswered?.size ?? 0;
  }

  /** The highest id so far. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Whether another id is left, for a stream that waits as well. */
  get hasId(): boolean {
    return this.#lastId + this.#opening < this.#session._limits.lastStreamId;
  }

  /** Every stream, for probes; walks the containers. */
  get held(): number {
    return (this.#byId?.size ?? 0) + this.#session._outbox.unopened.length;
  }

  /** The stream of a frame; undefined if it is gone, or never was. */
  find(id: number): Stream | undefined {
    return this.#byId?.get(id);
  }

  /** A new stream of ours; its OPEN waits in the outbox. */
  open(request: OpenRequest, handler: StreamHandler): Stream {
    const stream = new Stream(this.#session, request, handler);
    this.#opening += 1;
    this.#active += 1;
    this.#session._runtime.streams.opened(stream);
    stream._queueOpen(openTail(request), request.kind === "exchange" && request.body === "none" && !request.upgrade);
    return stream;
  }

  /** The OPEN of a stream of ours is being written. */
  takeId(stream: Stream): number {
    this.#lastId += 1;
    this.#opening -= 1;
    this.#keep(stream, this.#lastId);
    return this.#lastId;
  }

  /** Something of `stream` left that its owner must hear of, or that ends it. */
  flushed(stream: Stream): void {
    try {
      if (stream._justOpened) {
        stream._justOpened = false;
        stream.handler.onOpened();
      }
      if (stream._paused && stream._queuedData === 0) {
        stream._paused = false;
        stream.handler.onWritable();
      }
    } catch (error) {
      this.faulted(stream, error);
    }
    this.settle(stream);
  }

  /** A stream that the peer opened. */
  accept(id: number, request: OpenRequest): Stream {
    const stream = new Stream(this.#session, request, noHandler);
    stream._id = id;
    this.#lastId = id;
    this.#active += 1;
    this.#keep(stream, id);
    this.#session._runtime.streams.opened(stream);
    return stream;
  }

  /** The owner cuts the stream. */
  reset(stream: Stream, reason: ResetReason): void {
    if ((stream._endLeft && stream._receivedEnd) || stream._id === 0) {
      this.leave(stream, reason);
      return;
    }
    const outbox = this.#session._outbox;
    stream._resetReason = reason;
    stream._resetAtMs = performance.now();
    outbox.remove(stream);
    stream._cut();
    stream._dropQueue("heads");
    this.#session._windows.release(stream);
    if (stream._firstOut) stream._queueReset(reason);
    else {
      outbox.control.reset(stream._id, resetCodes[reason]);
      outbox.schedule();
    }
    if (!stream._receivedEnd) this.#awaitAnswer(stream);
    this.settle(stream);
  }

  /** The mux cuts the stream because of what its owner did; the owner is told. */
  fail(stream: Stream, reason: ResetReason): void {
    const { handler } = stream;
    stream.reset(reason);
    this.#tellReset(handler, reason);
  }

  /** A handler threw. */
  faulted(stream: Stream, error: unknown): void {
    this.#session._runtime.events.faulted("stream_handler", error);
    this.fail(stream, "internal");
  }

  /** The peer cut the stream, or answered that we did. */
  peerReset(stream: Stream, reason: ResetReason): void {
    if (stream._resetReason !== undefined) {
      // Ours may still wait behind a head that nobody will read any more.
      if (stream._firstOut) this.#answer(stream);
      this.leave(stream, stream._resetReason);
      return;
    }
    // Everything was said already; what the owner still has in its hands is complete.
    if (stream._endLeft && stream._receivedEnd) return;
    const { handler } = stream;
    const answer = !stream._endLeft;
    this.#session._outbox.remove(stream);
    stream._cut();
    this.#tellReset(handler, reason);
    if (answer) this.#answer(stream);
    this.leave(stream, reason);
  }

  /** Lets the stream go if both sides are done with it. */
  settle(stream: Stream): void {
    if (stream._left) return;
    if (stream._resetReason !== undefined) {
      if (stream._receivedEnd && !stream._firstOut) this.leave(stream, stream._resetReason);
      return;
    }
    if (!stream._endLeft || !stream._receivedEnd) return;
    this.#halvesEnded(stream);
    if (stream._unconsumed === 0) this.leave(stream, "ended");
  }

  /** Takes the stream out, once. */
  leave(stream: Stream, reason: string): void {
    if (stream._left) return;
    stream._left = true;
    this.#session._outbox.remove(stream);
    stream._cut();
    stream._dropQueue("nothing");
    this.#session._windows.release(stream);
    this.#halvesEnded(stream);
    if (stream._id === 0) this.#opening -= 1;
    else if (this.#byId?.get(stream._id) === stream) this.#byId.delete(stream._id);
    this.#unanswered?.delete(stream);
    this.#session._runtime.streams.closed(stream, reason);
    this.#session._streamLeft();
  }

  /** The session has ended: every stream goes, and every owner whose conversation was not complete is told. */
  loseAll(): void {
    const streams = [...(this.#byId?.values() ?? []), ...this.#session._outbox.unopened];
    for (const stream of streams) {
      const { handler } = stream;
      const complete = stream._halvesEnded;
      this.leave(stream, "session_lost");
      if (!complete) this.#tellReset(handler, "session_lost");
    }
  }

  /** Time that this process stood still is not the peer's fault. */
  onGap(gapMs: number): void {
    if (!this.#unanswered) return;
    // The clock may have stood still with the machine.
    const nowMs = performance.now();
    for (const stream of this.#unanswered) stream._resetAtMs = Math.min(nowMs, stream._resetAtMs + gapMs);
  }

  /** Releases the table's deadline. */
  dispose(reason: string): void {
    this.#answerDeadline?.dispose(reason);
  }

  #keep(stream: Stream, id: number): void {
    this.#byId ??= new Map();
    this.#byId.set(id, stream);
  }

  #halvesEnded(stream: Stream): void {
    if (stream._halvesEnded) return;
    stream._halvesEnded = true;
    this.#active -= 1;
  }

  #answer(stream: Stream): void {
    const outbox = this.#session._outbox;
    outbox.control.reset(stream._id, resetCodes.cancelled);
    outbox.schedule();
  }

  #tellReset(handler: StreamHandler, reason: ResetReason | "session_lost"): void {
    try {
      handler.onReset(reason);
    } catch (error) {
      this.#session._runtime.events.faulted("stream_handler", error);
    }
  }

  #awaitAnswer(stream: Stream): void {
    this.#unanswered ??= new Set();
    this.#unanswered.add(stream);
    this.#answerDeadline ??= this.#session._runtime.deadlines.create(() => this.#checkAnswers());
    if (!this.#answerDeadline.armed) this.#answerDeadline.arm(this.#session._limits.resetAnswerMs);
  }

  #checkAnswers(): void {
    const { resetAnswerMs } = this.#session._limits;
    const nowMs = performance.now();
    for (const stream of this.#unanswered ?? []) {
      const ageMs = nowMs - stream._resetAtMs;
      if (ageMs < resetAnswerMs) {
        this.#answerDeadline?.arm(resetAnswerMs - ageMs);
        return;
      }
      // On a slow line both the RESET and its answer may still be on their way. A PING that was sent after it and was
      // answered proves that they are not.
      if (this.#session._answeredPingSince(stream._resetAtMs) || ageMs >= 3 * resetAnswerMs) {
        this.#session._violate("reset_unanswered");
        return;
      }
      this.#session.ping();
      this.#answerDeadline?.arm(Math.min(resetAnswerMs, 1000));
      return;
    }
  }
}
