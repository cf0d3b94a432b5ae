// Finds messages in the bytes of a WebSocket. One that came in one chunk is passed on where it lies; of others what came is
// gathered. It reads binary messages within the limits only, and answers all else back at its boundary, for `ws` to judge.

import type { TransferMemory } from "../lifecycle/transfer-memory.ts";
import { maxMessageBytes } from "../wire/limits.ts";
import { applyMask, binaryFrame, length16, length64, maskBit } from "./ws-frame.ts";

/** Hears what {@link MessageReader} found. */
export interface MessageSink {
  /** @internal One message, valid during the call only. */
  _onWhole(message: Buffer): void;
}

/** Options of {@link MessageReader}. */
export interface MessageReaderOptions {
  /** Which frames are messages: a client's have a masking key, a server's have none. */
  readonly from: "client" | "server";
  readonly sink: MessageSink;
  /** Where messages that come in pieces are gathered. */
  readonly memory: TransferMemory;
}

/** The incoming bytes of one WebSocket, from a frame's boundary on. */
export class MessageReader {
  readonly #sink: MessageSink;
  readonly #maskBit: number;
  readonly #memory: TransferMemory;
  /** An incomplete header, copied: keeping a view of it would keep its whole chunk. */
  #kept: Buffer | undefined;
  /** The current message: its length, its masking key, and what came of it if that was not all. */
  #length = 0;
  #key = 0;
  #gathered: Buffer | undefined;
  #gatheredBytes = 0;

  constructor({ from, sink, memory }: MessageReaderOptions) {
    this.#sink = sink;
    this.#memory = memory;
    this.#maskBit = from === "client" ? maskBit : 0;
  }

  /**
   * Reads `chunk`, which may be unmasked in place and is not kept. Answers undefined, or the bytes from the first frame on
   * that is no message within the limits: the reader must not be used again then.
   */
  read(chunk: Buffer): Buffer | undefined {
    const bytes = this.#kept ? Buffer.concat([this.#kept, chunk]) : chunk;
    this.#kept = undefined;
    let at = this.#gathered ? this.#gather(this.#gathered, bytes, 0) : 0;
    while (at < bytes.length) {
      const payloadAt = this.#readHeader(bytes, at);
      if (payloadAt === strange) return bytes.subarray(at);
      if (payloadAt === incomplete) {
        this.#kept = Buffer.from(bytes.subarray(at));
        return undefined;
      }
      const end = payloadAt + this.#length;
      if (end > bytes.length) {
        this.#gatheredBytes = 0;
        this.#gather(noBytes, bytes, payloadAt);
        return undefined;
      }
      this.#deliver(bytes.subarray(payloadAt, end));
      at = end;
    }
    return undefined;
  }

  /** Where the payload of the frame at `at` begins. Judges each byte as soon as it is there. */
  #readHeader(bytes: Buffer, at: number): number {
    const available = bytes.length - at;
    if (bytes[at] !== binaryFrame) return strange;
    if (available < 2) return incomplete;
    const second = bytes[at + 1] ?? 0;
    if ((second & maskBit) !== this.#maskBit) return strange;
    let length = second & ~maskBit;
    let payloadAt = at + 2;
    if (length === length16) {
      if (available < 4) return incomplete;
      length = bytes.readUInt16BE(payloadAt);
      payloadAt += 2;
    } else if (length === length64) {
      if (available < 10) return incomplete;
      if (bytes.readUInt32BE(payloadAt) !== 0) return strange;
      length = bytes.readUInt32BE(payloadAt + 4);
      payloadAt += 8;
    }
    if (length > maxMessageBytes) return strange;
    if (this.#maskBit !== 0) {
      if (bytes.length < payloadAt + 4) return incomplete;
      this.#key = bytes.readUInt32BE(payloadAt);
      payloadAt += 4;
    }
    this.#length = length;
    return payloadAt;
  }

  /** Adds to what came of the current message, and passes it on when that is all. Answers where it ends. */
  #gather(gathered: Buffer, bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#length - this.#gatheredBytes);
    const total = this.#gatheredBytes + end - at;
    // Not simply as much as was announced, of which perhaps nothing ever comes.
    const roomy =
      total <= gathered.length
        ? gathered
        : this.#memory.lend(Math.min(this.#length, Math.max(minGathered, total * aheadFactor)), this.#length - total);
    if (roomy !== gathered) {
      gathered.copy(roomy, 0, 0, this.#gatheredBytes);
      this.#memory.giveBack(gathered);
    }
    bytes.copy(roomy, this.#gatheredBytes, at, end);
    if (total === this.#length) {
      this.#gathered = undefined;
      this.#deliver(total === roomy.length ? roomy : roomy.subarray(0, total));
      this.#memory.giveBack(roomy);
    } else {
      this.#gathered = roomy;
      this.#gatheredBytes = total;
    }
    return end;
  }

  #deliver(message: Buffer): void {
    if (this.#key !== 0) applyMask(message, this.#key);
    this.#sink._onWhole(message);
  }
}

const noBytes: Buffer = Buffer.alloc(0);
/** Memory for a message in pieces: at first so many bytes, and never more than so many times what has come. */
const minGathered = 1024;
const aheadFactor = 8;
const incomplete = -1;
const strange = -2;
