// What a session is about to send. Everything of one turn of the event loop leaves together, control frames first, then
// streams in fair turns; while the transport has enough unsent bytes, data waits here and its sources are paused.

import type { TransferMemory } from "../lifecycle/transfer-memory.ts";
import { headerBytes, maxMessageBytes } from "../wire/limits.ts";
import { ControlQueue } from "./control-queue.ts";
import type { Fill } from "./frame-writer.ts";
import { bulkBytes, sendable, sendableBytes, writeFrames } from "./frame-writer.ts";
import type { MuxLimits } from "./limits.ts";
import { SendLimit } from "./send-limit.ts";
import { StreamList } from "./stream-list.ts";
import type { Stream } from "./stream.ts";
import type { Transport } from "./transport.ts";

/** Bytes of one turn while more than one stream waits: 16 KiB of payload. */
const quantumBytes: number = 16 * 1024 + headerBytes;
/** Less room than this is not worth a message, unless nothing is unsent. */
const minRoomBytes: number = 16 * 1024;

/** What the outbox asks of its session. */
export interface OutboxOwner {
  /** @internal The OPEN of `stream` is being written: the id that it takes. */
  _takeId(stream: Stream): number;
  /** @internal Something of `stream` left that its owner or the table must hear of. */
  _flushed(stream: Stream): void;
  /** @internal The peer does not read: too many control bytes wait. */
  _notReading(): void;
  /** @internal Data has to wait for the transport. */
  _blocked(): void;
}

/** What an outbox works with. */
export interface OutboxOptions {
  readonly limits: MuxLimits;
  /** Where messages are written. */
  readonly memory: TransferMemory;
}

/** The outgoing side of one session. */
export class Outbox {
  readonly control: ControlQueue = new ControlQueue();
  readonly #owner: OutboxOwner;
  readonly #transport: Transport;
  readonly #headroom: number;
  readonly #limits: MuxLimits;
  readonly #memory: TransferMemory;
  readonly #sendLimit: SendLimit;
  /** Streams that have sent little yet, and those that move bulk: they take turns one to one. */
  readonly #light = new StreamList();
  readonly #bulk = new StreamList();
  #bulkNext = false;
  #inspect: Stream[] = [];
  #given = 0;
  #scheduled = false;
  #blocked = false;
  #closed = false;

  constructor(owner: OutboxOwner, transport: Transport, options: OutboxOptions) {
    const { limits, memory } = options;
    this.#owner = owner;
    this.#memory = memory;
    this.#transport = transport;
    this.#headroom = transport.headroomBytes;
    this.#limits = limits;
    this.#sendLimit = new SendLimit(limits);
  }

  /** True while sources should pause whatever their own stream's state. */
  get congested(): boolean {
    return this.#blocked;
  }

  /** How many streams wait for their turn. */
  get waiting(): number {
    return this.#light.size + this.#bulk.size;
  }

  /** Queued bytes of all streams and control frames; walks the lists. */
  get queuedBytes(): number {
    return this.control.bytes + queuedIn(this.#light) + queuedIn(this.#bulk);
  }

  /** The streams whose OPEN has not left; walks the lists. */
  get unopened(): Stream[] {
    const streams: Stream[] = [];
    for (const list of [this.#light, this.#bulk]) {
      for (let stream = list.first; stream; stream = stream._next) if (stream._id === 0) streams.push(stream);
    }
    return streams;
  }

  /** Puts `stream` in the queue if it has something that may leave. */
  enqueue(stream: Stream): void {
    if (stream._list || this.#closed || !sendable(stream)) return;
    (stream._sentData < bulkBytes ? this.#light : this.#bulk).push(stream);
    if (!this.#blocked) this.schedule();
  }

  /** Takes `stream` out: it was cut, or has ended. */
  remove(stream: Stream): void {
    stream._list?.remove(stream);
  }

  /** Flushes at the end of this turn. To be called after something was put into {@link control}. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(flushOutbox, this);
  }

  /** The transport has fewer unsent bytes than before. */
  onSent(): void {
    if (!this.#blocked) return;
    this.#sendLimit.progressed(this.#given - this.#transport.unsentBytes, performance.now());
    this.schedule();
  }

  /** Sends the control frames that wait, and nothing else any more. */
  close(): void {
    if (this.#closed) return;
    while (this.control.size > 0) {
      const message = this.#allocate(Math.min(this.control.bytes, maxMessageBytes));
      this.#send(message, this.control.write(message, this.#headroom));
    }
    this.#closed = true;
    for (const list of [this.#light, this.#bulk]) {
      for (let stream = list.first; stream; stream = list.first) list.remove(stream);
    }
    this.#inspect = [];
  }

  /** @internal The end of the turn has come. */
  _finishTurn(): void {
    this.#scheduled = false;
    this.flush();
  }

  /** Sends what may leave now. */
  flush(): void {
    if (this.#closed) return;
    for (;;) {
      const room = this.#room();
      const size = this.#measure(room);
      if (size === 0) break;
      const message = this.#allocate(size);
      const end = this.#fill(message, room);
      if (end === this.#headroom) break;
      this.#send(message, end);
    }
    this.#setBlocked(this.waiting > 0);
    if (this.control.bytes + this.#transport.unsentBytes > this.#limits.maxControlQueueBytes) {
      this.#owner._notReading();
    } else if (this.#inspect.length > 0) this.#inspectStreams();
  }

  /** Bytes that data may add to what is unsent. */
  #room(): number {
    const room = this.#sendLimit.bytes - this.#transport.unsentBytes;
    return room < minRoomBytes ? 0 : room;
  }

  /** How large the next message could become. */
  #measure(room: number): number {
    const dataRoom = Math.min(room, maxMessageBytes);
    let data = 0;
    for (let stream = this.#light.first; stream && data < dataRoom; stream = stream._next)
      data += sendableBytes(stream);
    for (let stream = this.#bulk.first; stream && data < dataRoom; stream = stream._next) data += sendableBytes(stream);
    // A head that begins within the room may end behind it.
    return Math.min(maxMessageBytes, this.control.bytes + (room === 0 ? 0 : data));
  }

  /** The transport writes its own header in front, so that both leave as one buffer. */
  #allocate(bytes: number): Buffer {
    return this.#memory.lend(this.#headroom + bytes, this.#transport.unsentBytes);
  }

  /** Answers where the message ends: right behind the headroom if nothing may leave. */
  #fill(target: Buffer, room: number): number {
    const controlEnd = this.control.write(target, this.#headroom);
    const fill: Fill = {
      target,
      at: controlEnd,
      dataEnd: Math.min(target.length, controlEnd + room),
      ids: this.#owner,
    };
    while (fill.at < fill.dataEnd) {
      const stream = this.#nextStream();
      if (!stream) break;
      const quantum = this.waiting === 1 ? maxMessageBytes : quantumBytes;
      const written = writeFrames(stream, fill, quantum);
      this.#afterTurn(stream, written);
      if (written > 0) continue;
      // It did not fit any more; the next message begins with it.
      this.#bulkNext = !this.#bulkNext;
      break;
    }
    return fill.at;
  }

  #nextStream(): Stream | undefined {
    const bulkFirst = this.#bulkNext;
    this.#bulkNext = !bulkFirst;
    return bulkFirst ? (this.#bulk.first ?? this.#light.first) : (this.#light.first ?? this.#bulk.first);
  }

  #afterTurn(stream: Stream, written: number): void {
    const more = sendable(stream);
    if (!more || written > 0) {
      stream._list?.remove(stream);
      if (more) this.enqueue(stream);
    }
    const owed =
      stream._justOpened || stream._endLeft || stream._closed || (stream._paused && stream._queuedData === 0);
    if (!owed || stream._inspect) return;
    stream._inspect = true;
    this.#inspect.push(stream);
  }

  #send(message: Buffer, end: number): void {
    this.#given += end - this.#headroom;
    this.#transport.send(message, end);
  }

  #setBlocked(blocked: boolean): void {
    if (blocked) {
      this.#sendLimit.blocked(this.#given - this.#transport.unsentBytes, performance.now());
      if (!this.#blocked) this.#owner._blocked();
    } else this.#sendLimit.unblocked();
    this.#blocked = blocked;
  }

  /** What left is told to its owners only now: they may send, open, cut and close at will. */
  #inspectStreams(): void {
    const streams = this.#inspect;
    this.#inspect = [];
    for (const stream of streams) {
      stream._inspect = false;
      this.#owner._flushed(stream);
    }
  }
}

function flushOutbox(outbox: Outbox): void {
  outbox._finishTurn();
}

/** Every session is asked at every scrape, and hardly any has something queued. */
function queuedIn(list: StreamList): number {
  let bytes = 0;
  for (let stream = list.first; stream; stream = stream._next) bytes += stream.queuedBytes;
  return bytes;
}
