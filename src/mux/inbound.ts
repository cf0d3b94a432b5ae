// What a session does with the messages of its peer. Each frame is checked against the state of its stream before anybody
// hears of it; a peer that breaks a rule ends its session, and owners that throw lose only their stream.

import { performance } from "node:perf_hooks";
import type { GoAwayReason } from "../wire/codes.ts";
import { goAwayReasonOf, resetReasonOf } from "../wire/code-names.ts";
import { decodeControl } from "../wire/control-codec.ts";
import type { ControlMessage, Hello } from "../wire/control.ts";
import type { FrameSink } from "../wire/decode.ts";
import { byteAt, decodeFrames, readU32 } from "../wire/decode.ts";
import { frameFlags, frameTypes } from "../wire/frame.ts";
import { headerBytes, maxCredit, maxHeadBytes, maxHeads } from "../wire/limits.ts";
import { decodeOpen } from "../wire/open-codec.ts";
import { violation } from "../wire/violation.ts";
import { noHandler } from "./no-handler.ts";
import { RateGuard } from "./rate-guard.ts";
import type { Session } from "./session.ts";
import type { Stream } from "./stream.ts";
import type { TransportReceiver } from "./transport.ts";

/** The incoming side of one session. */
export class Inbound implements FrameSink, TransportReceiver {
  readonly #session: Session;
  readonly #fromClient: boolean;
  #greeted = false;
  #dead: RateGuard | undefined;
  #pings: RateGuard | undefined;
  #control: RateGuard | undefined;

  constructor(session: Session) {
    this.#session = session;
    this.#fromClient = session.role === "server";
  }

  onMessage(message: Buffer): void {
    const session = this.#session;
    session._heard(performance.now());
    if (session.state === "closed") return;
    session._turn.begin();
    try {
      decodeFrames(message, this);
    } catch (error) {
      session._broken(error);
    }
    session._turn.end();
  }

  onSent(): void {
    this.#session._outbox.onSent();
  }

  onClosed(): void {
    this.#session._transportClosed();
  }

  onError(error: unknown): void {
    this.#session._transportError(error);
  }

  onFrame(type: number, flags: number, id: number, message: Buffer, start: number, end: number): void {
    if (this.#session.state === "closed") return;
    if (!this.#greeted && type !== frameTypes.control) throw violation("hello_expected");
    const ended = flags === frameFlags.end;
    switch (type) {
      case frameTypes.data:
        this.#onData(id, message, start, end, ended);
        break;
      case frameTypes.head:
        this.#onHead(id, message, start, end, ended);
        break;
      case frameTypes.open:
        this.#onOpen(id, message, start, end, ended);
        break;
      case frameTypes.credit:
        this.#onCredit(id, readU32(message, start));
        break;
      case frameTypes.reset:
        this.#onReset(id, byteAt(message, start));
        break;
      case frameTypes.trailers:
        this.#onTrailers(id, message, start, end);
        break;
      case frameTypes.ping:
        this.#onPing(readU32(message, start), readU32(message, start + 4));
        break;
      case frameTypes.pong:
        if (!this.#session._pong(readU32(message, start), readU32(message, start + 4))) throw violation("pong_unasked");
        break;
      case frameTypes.goaway:
        this.#session._peerGoesAway(goAwayReason(message, start));
        break;
      case frameTypes.control:
        this.#onControl(message.subarray(start, end));
        break;
      default:
        // From a newer version of the protocol. Ignored, but not for nothing.
        this.#chargeDead(headerBytes + end - start);
    }
  }

  #onData(id: number, message: Buffer, start: number, end: number, ended: boolean): void {
    const session = this.#session;
    const stream = this.#find(id, end - start);
    if (!stream) return;
    const length = end - start;
    this.#checkBody(stream);
    if (length > stream._receiveCredit) throw violation("window_exceeded");
    stream._receiveCredit -= length;
    if (ended) stream._receivedEnd = true;
    if (stream._resetReason === undefined) {
      stream._unconsumed += length;
      session._budget._received(length);
      try {
        stream.handler.onData(message.subarray(start, end), ended);
      } catch (error) {
        session._table.faulted(stream, error);
      }
    }
    if (ended) session._table.settle(stream);
  }

  #onHead(id: number, message: Buffer, start: number, end: number, ended: boolean): void {
    if (!this.#fromClient) throw violation("frame_direction");
    const stream = this.#find(id, end - start);
    if (!stream) return;
    if (stream._receivedEnd) throw violation("frame_after_end");
    if (stream.request.kind === "pipe") throw violation("frame_direction");
    stream._heads += 1;
    if (stream._heads > maxHeads) throw violation("too_many_heads");
    this.#countHeadBytes(stream, end - start);
    if (ended) stream._receivedEnd = true;
    try {
      stream.handler.onHead(message.subarray(start, end), ended);
    } catch (error) {
      this.#session._table.faulted(stream, error);
    }
    if (ended) this.#session._table.settle(stream);
  }

  #onTrailers(id: number, message: Buffer, start: number, end: number): void {
    const stream = this.#find(id, end - start);
    if (!stream) return;
    this.#checkBody(stream);
    if (stream.request.kind === "pipe") throw violation("frame_direction");
    this.#countHeadBytes(stream, end - start);
    stream._receivedEnd = true;
    try {
      stream.handler.onTrailers(message.subarray(start, end));
    } catch (error) {
      this.#session._table.faulted(stream, error);
    }
    this.#session._table.settle(stream);
  }

  #onOpen(id: number, message: Buffer, start: number, end: number, ended: boolean): void {
    const session = this.#session;
    if (this.#fromClient) throw violation("frame_direction");
    if (id <= session._table.lastId) throw violation("stream_id");
    if (session._table.active >= session._limits.maxStreams) throw violation("too_many_streams");
    const request = decodeOpen(message, start, end);
    const stream = session._table.accept(id, request);
    stream._receivedEnd = ended;
    if (session._takesNoStreams) {
      stream.reset("overloaded");
      return;
    }
    try {
      const answer = session._handler.onOpen(stream, request);
      if (typeof answer === "string") stream.reset(answer);
      // The owner may have cut it or passed it on already.
      else if (stream.handler === noHandler && !stream._closed) stream.handler = answer;
    } catch (error) {
      session._table.faulted(stream, error);
    }
  }

  #onCredit(id: number, bytes: number): void {
    const stream = this.#find(id, 0);
    if (!stream) return;
    if (bytes === 0) throw violation("credit_zero");
    if (bytes > maxCredit || stream._sendCredit + bytes > maxCredit) throw violation("credit_overflow");
    stream._sendCredit += bytes;
    this.#session._outbox.enqueue(stream);
  }

  #onReset(id: number, code: number): void {
    const stream = this.#find(id, 0);
    if (stream) this.#session._table.peerReset(stream, resetReasonOf(code));
  }

  #onPing(high: number, low: number): void {
    const session = this.#session;
    const { pings, floodWindowMs } = session._limits;
    this.#pings ??= new RateGuard(pings, floodWindowMs);
    if (this.#pings.exceeded(1, performance.now())) throw violation("ping_flood");
    session._outbox.control.pong(high, low);
    session._outbox.schedule();
  }

  #onControl(payload: Uint8Array): void {
    const session = this.#session;
    const { controlBytes, floodWindowMs } = session._limits;
    this.#control ??= new RateGuard(controlBytes, floodWindowMs);
    if (this.#control.exceeded(headerBytes + payload.length, performance.now())) throw violation("control_flood");
    const message = decodeControl(payload);
    if (!this.#greeted) this.#onHello(message);
    else if (message?.type === "hello") throw violation("hello_repeated");
    else if (message) session._received(message);
  }

  #onHello(message: ControlMessage | undefined): void {
    if (message?.type !== "hello") throw violation("hello_expected");
    this.#greeted = true;
    this.#session._greeted(message satisfies Hello);
  }

  /** DATA and TRAILERS: not behind an END, and in a response not before its head. */
  #checkBody(stream: Stream): void {
    if (stream._receivedEnd) throw violation("frame_after_end");
    if (this.#fromClient && stream._heads === 0 && stream.request.kind === "exchange") {
      throw violation("data_before_head");
    }
  }

  #countHeadBytes(stream: Stream, bytes: number): void {
    stream._receivedHeadBytes += bytes;
    if (stream._receivedHeadBytes > maxHeadBytes) throw violation("too_many_heads");
  }

  #find(id: number, payloadBytes: number): Stream | undefined {
    const table = this.#session._table;
    const stream = table.find(id);
    if (stream) return stream;
    if (id > table.lastId) throw violation("stream_unknown");
    this.#chargeDead(headerBytes + payloadBytes);
    return undefined;
  }

  #chargeDead(bytes: number): void {
    const { deadBytes, floodWindowMs } = this.#session._limits;
    this.#dead ??= new RateGuard(deadBytes, floodWindowMs);
    if (this.#dead.exceeded(bytes, performance.now())) throw violation("dead_bytes");
  }
}

function goAwayReason(message: Buffer, start: number): GoAwayReason {
  return goAwayReasonOf(byteAt(message, start + 4));
}
