// One conversation inside a session: what its owner sends waits here by reference, what it receives goes to its handler.
// It promises that its peer can never make it hold more than its window, and that its owner hears exactly one last call.

import { performance } from "node:perf_hooks";
import { CaissonError } from "../lifecycle/errors.ts";
import type { Resource } from "../lifecycle/resource.ts";
import type { ResetReason } from "../wire/codes.ts";
import { resetCodes } from "../wire/codes.ts";
import { frameTypes } from "../wire/frame.ts";
import { initialWindowBytes, maxFramePayload, maxHeadBytes, maxHeads } from "../wire/limits.ts";
import type { OpenRequest } from "../wire/open.ts";
import type { StreamHandler } from "./handlers.ts";
import { noHandler } from "./no-handler.ts";
import { emptyBuffer, Outgoing } from "./outgoing.ts";
import type { Session } from "./session.ts";
import type { StreamList } from "./stream-list.ts";
import type { WindowPace } from "./window-pace.ts";
import { stepBytes } from "./window-pace.ts";

/** Queued bytes above which a source is asked to pause. */
const pauseAboveBytes: number = 64 * 1024;

/** Made by the session only. */
export class Stream implements Resource {
  readonly kind = "stream";
  readonly openedAtMs: number = performance.now();
  readonly session: Session;
  /** What it was opened for. On the client the head is a copy that belongs to this stream. */
  readonly request: OpenRequest;
  /** Its owner. May be replaced while the stream is open, for example when an exchange becomes a pipe. */
  handler: StreamHandler;

  /** @internal */
  _id = 0;
  /** @internal The owner has ended its half, or let go of the stream. */
  _sentEnd = false;
  /** @internal The frame with our END has left. */
  _endLeft = false;
  /** @internal */
  _receivedEnd = false;
  /** @internal Nothing can be sent, and the handler hears nothing more. */
  _closed = false;
  /** @internal It is in no table any more. */
  _left = false;
  /** @internal Both halves have ended: it no longer counts against the limit that the peers agreed on. */
  _halvesEnded = false;
  /** @internal Why we cut it, while the peer's answer is awaited. */
  _resetReason: ResetReason | undefined = undefined;
  /** @internal When we cut it. */
  _resetAtMs = 0;

  /** @internal Queue of what waits to be sent. */
  _firstOut: Outgoing | undefined = undefined;
  /** @internal */
  _lastOut: Outgoing | undefined = undefined;
  /** @internal How many links the queue has. */
  _queuedFrames = 0;
  /** @internal Waiting DATA bytes. */
  _queuedData = 0;
  /** @internal Waiting bytes of everything that needs no credit. */
  _queuedOther = 0;
  /** @internal What the peer lets us send. */
  _sendCredit: number = initialWindowBytes;
  /** @internal DATA bytes that have left, up to a bound: tells a bulk transfer from a short exchange. */
  _sentData = 0;
  /** @internal The owner was asked to pause and is owed onWritable. */
  _paused = false;
  /** @internal OPEN left, but the owner was not told yet. */
  _justOpened = false;
  /** @internal It is in the outbox's list of streams to look at after a flush. */
  _inspect = false;
  /** @internal The outbox's list it waits in. */
  _list: StreamList | undefined = undefined;
  /** @internal */
  _previous: Stream | undefined = undefined;
  /** @internal */
  _next: Stream | undefined = undefined;

  /** @internal HEAD frames in the one direction in which they go. */
  _heads = 0;
  /** @internal Bytes of HEAD and TRAILERS that we sent. */
  _sentHeadBytes = 0;
  /** @internal Bytes of HEAD and TRAILERS that came. */
  _receivedHeadBytes = 0;

  /** @internal The window that the peer has: what it may send, plus what is unconsumed, plus what is owed. */
  _window: number = initialWindowBytes;
  /** @internal What the peer may send before the next CREDIT. */
  _receiveCredit: number = initialWindowBytes;
  /** @internal Received, and still in the owner's hands. */
  _unconsumed = 0;
  /** @internal Consumed, and not yet granted again. */
  _owed = 0;
  /** @internal How wide the window should be. Most streams end before their first step of credit. */
  _pace: WindowPace | undefined = undefined;

  /** @internal */
  constructor(session: Session, request: OpenRequest, handler: StreamHandler) {
    this.session = session;
    this.request = request;
    this.handler = handler;
  }

  /** Its number in the session, 0 until OPEN has left. */
  get id(): number {
    return this._id;
  }

  /** True once both halves ended and everything was consumed, or it was cut by either side or lost: sends are ignored. */
  get closed(): boolean {
    return this._closed;
  }

  /** The owner has ended its half (an exchange without a request body begins so, unless it asks for an upgrade). */
  get sentEnd(): boolean {
    return this._sentEnd;
  }

  /** The peer has ended its half. */
  get receivedEnd(): boolean {
    return this._receivedEnd;
  }

  /** Bytes that wait here to be sent. */
  get queuedBytes(): number {
    return this._queuedData + this._queuedOther;
  }

  /** Received bytes that the owner has not reported as consumed. */
  get unconsumedBytes(): number {
    return this._unconsumed;
  }

  /**
   * Sends a response head (client only), taken by reference. Needs no credit, so it is bounded instead: a head above
   * 64 KiB, more than 17 heads, or 128 KiB of heads and trailers cut the stream with `bad_target_response`, and the
   * handler is told by onReset.
   */
  sendHead(head: Buffer, end: "end" | "more"): void {
    if (this.#cannotSend()) return;
    this._heads += 1;
    if (!this.#countHeadBytes(head, this._heads)) return;
    this.#append(frameTypes.head, head, end === "end");
  }

  /**
   * Sends bytes, taken by reference until they are flushed. False asks the source to pause until onWritable; false also
   * if the stream is closed. With "end" there is no source left to pause. An empty chunk is only good for its "end".
   */
  sendData(chunk: Buffer, end: "end" | "more"): boolean {
    if (this.#cannotSend()) return false;
    const last = this._lastOut;
    if (chunk.length === 0 && (end === "more" || last)) {
      // END rides on what still waits.
      if (end === "end" && last) {
        this._sentEnd = true;
        last.end = true;
      }
      return true;
    }
    this.#append(frameTypes.data, chunk, end === "end");
    if (
      end === "end" ||
      (this._queuedData <= pauseAboveBytes && this._queuedData <= this._sendCredit && !this.session._outbox.congested)
    ) {
      return true;
    }
    this._paused = true;
    return false;
  }

  /** Sends the trailer section (complete field lines), which ends our half. An empty one is a plain end. */
  sendTrailers(section: Buffer): void {
    if (section.length === 0) {
      this.sendData(emptyBuffer, "end");
      return;
    }
    if (this.#cannotSend() || !this.#countHeadBytes(section, 0)) return;
    this.#append(frameTypes.trailers, section, true);
  }

  /**
   * Cuts the stream: queued data is dropped, the handler hears nothing more, unconsumed bytes are forgotten. A stream whose
   * OPEN has not left vanishes without a frame. Idempotent, and harmless on a closed stream.
   */
  reset(reason: ResetReason): void {
    if (this._left || this._resetReason !== undefined) return;
    this.session._table.reset(this, reason);
  }

  /**
   * Says that `bytes` of what onData gave have left the owner's hands, so that the peer may send as many more. Anything
   * above {@link unconsumedBytes} is left out, so that an owner may give up all of it while a socket still holds some.
   */
  consumed(bytes: number): void {
    const consumed = Math.min(bytes, this._unconsumed);
    if (this._closed || consumed <= 0) return;
    this._unconsumed -= consumed;
    this.session._budget._consumed(consumed);
    if (this._receivedEnd) {
      if (this._unconsumed === 0) this.session._table.settle(this);
      return;
    }
    this._owed += consumed;
    if (this._owed >= stepBytes(this._window)) this.session._windows.grant(this);
  }

  /** @internal Lets go of the owner: what follows concerns only the mux. */
  _cut(): void {
    this._closed = true;
    this._sentEnd = true;
    this._paused = false;
    this.handler = noHandler;
    this.session._budget._consumed(this._unconsumed);
    this._unconsumed = 0;
  }

  /** @internal Forgets what waits to be sent: everything, or everything behind the last head. */
  _dropQueue(keep: "heads" | "nothing"): void {
    let kept: Outgoing | undefined;
    this._queuedData = 0;
    this._queuedOther = 0;
    this._queuedFrames = 0;
    for (let out = keep === "heads" ? this._firstOut : undefined; out?.type === frameTypes.head; out = out.next) {
      out.end = false;
      kept = out;
      this._queuedFrames += 1;
      this._queuedOther += out.buffer.length;
    }
    if (kept) kept.next = undefined;
    else this._firstOut = undefined;
    this._lastOut = kept;
  }

  /** @internal Puts a RESET behind the heads that still wait. */
  _queueReset(reason: ResetReason): void {
    this.#append(frameTypes.reset, resetPayloads[resetCodes[reason]] ?? emptyBuffer, false);
  }

  /** @internal Puts OPEN first. */
  _queueOpen(tail: Buffer, end: boolean): void {
    this.#append(frameTypes.open, tail, end);
  }

  #cannotSend(): boolean {
    if (this._closed) return true;
    if (this._sentEnd) throw new CaissonError("E_INTERNAL", "a send after the end of a stream");
    return false;
  }

  #countHeadBytes(bytes: Buffer, heads: number): boolean {
    this._sentHeadBytes += bytes.length;
    if (heads <= maxHeads && bytes.length <= maxFramePayload && this._sentHeadBytes <= maxHeadBytes) return true;
    this.session._table.fail(this, "bad_target_response");
    return false;
  }

  #append(type: number, buffer: Buffer, end: boolean): void {
    const out = new Outgoing(type, buffer, end);
    if (this._lastOut) this._lastOut.next = out;
    else this._firstOut = out;
    this._lastOut = out;
    this._queuedFrames += 1;
    if (type === frameTypes.data) this._queuedData += buffer.length;
    else this._queuedOther += buffer.length;
    if (end) this._sentEnd = true;
    this.session._outbox.enqueue(this);
  }
}

/** The payloads of RESET frames, by code. */
const resetPayloads: readonly Buffer[] = Object.values(resetCodes).map((code) => Buffer.of(code));
