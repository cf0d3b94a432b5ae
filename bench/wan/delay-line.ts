// One direction of a long line: every byte comes out a fixed time after it went in, in order, at no more than the line's
// rate. Chunks are passed on as they are. What is on the way is bounded: a line that is full, or whose far end takes
// nothing, stops reading, as a router with a full queue does. Owns a timer, never the sockets.

import type { Socket } from "node:net";

/** What a line is like. */
export interface DelayLineOptions {
  /** From one end to the other, in milliseconds. */
  readonly delayMs: number;
  /** Undefined: as fast as the machine. */
  readonly bytesPerSecond?: number;
}

interface Parcel {
  readonly chunk: Buffer;
  readonly dueMs: number;
}

/** Without a rate, so much may be on the way: more than any window that is to be measured. */
const unlimitedBytes = 64 * 1024 * 1024;
/** With a rate: what the line itself holds, and the queue in front of it in milliseconds of the rate. */
const queueMs = 100;
const leastBytes = 256 * 1024;

/** Carries what `from` receives to `to`. */
export class DelayLine {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #options: DelayLineOptions;
  readonly #maxBytes: number;
  /** The first that is on the way, and those behind it. */
  #parcels: Parcel[] = [];
  #at = 0;
  #bytes = 0;
  /** When the line has taken everything that was given to it. */
  #freeAtMs = 0;
  #endDueMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #blocked = false;
  #full = false;

  constructor(ends: { readonly from: Socket; readonly to: Socket }, options: DelayLineOptions) {
    this.#from = ends.from;
    this.#to = ends.to;
    this.#options = options;
    const { bytesPerSecond, delayMs } = options;
    this.#maxBytes =
      bytesPerSecond === undefined
        ? unlimitedBytes
        : Math.max(leastBytes, (bytesPerSecond * (delayMs + queueMs)) / 1_000);
    ends.from.on("data", (chunk: Buffer) => this.#take(chunk));
    ends.from.on("end", () => this.#takeEnd());
    ends.to.on("drain", () => this.#onDrain());
  }

  /** Bytes on the way. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Drops what is on the way. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#parcels = [];
    this.#at = 0;
    this.#bytes = 0;
    this.#endDueMs = undefined;
  }

  #take(chunk: Buffer): void {
    const { delayMs, bytesPerSecond } = this.#options;
    const nowMs = performance.now();
    const serialMs = bytesPerSecond === undefined ? 0 : (chunk.length * 1_000) / bytesPerSecond;
    this.#freeAtMs = Math.max(nowMs, this.#freeAtMs) + serialMs;
    this.#parcels.push({ chunk, dueMs: this.#freeAtMs + delayMs });
    this.#bytes += chunk.length;
    if (this.#bytes >= this.#maxBytes && !this.#full) {
      this.#full = true;
      this.#from.pause();
    }
    this.#wait();
  }

  #takeEnd(): void {
    this.#endDueMs = Math.max(performance.now(), this.#freeAtMs) + this.#options.delayMs;
    this.#wait();
  }

  #onDrain(): void {
    this.#blocked = false;
    this.#deliver();
  }

  /** One timer, for whatever is due first. */
  #wait(): void {
    if (this.#timer !== undefined || this.#blocked) return;
    const dueMs = this.#parcels[this.#at]?.dueMs ?? this.#endDueMs;
    if (dueMs === undefined) return;
    this.#timer = setTimeout(() => this.#deliver(), Math.max(0, dueMs - performance.now()));
  }

  /** Everything that is due, in one write of the system. */
  #deliver(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#to.destroyed) return;
    const nowMs = performance.now();
    this.#to.cork();
    for (;;) {
      const parcel = this.#parcels[this.#at];
      if (!parcel || parcel.dueMs > nowMs || this.#blocked) break;
      this.#at += 1;
      this.#bytes -= parcel.chunk.length;
      if (!this.#to.write(parcel.chunk)) this.#blocked = true;
    }
    this.#to.uncork();
    this.#forgetDelivered();
    if (this.#full && this.#bytes < this.#maxBytes / 2) {
      this.#full = false;
      this.#from.resume();
    }
    if (this.#parcels.length === 0 && this.#endDueMs !== undefined && this.#endDueMs <= nowMs) {
      this.#endDueMs = undefined;
      this.#to.end();
    }
    this.#wait();
  }

  /** Amortised: the list is cut when half of it is behind. */
  #forgetDelivered(): void {
    if (this.#at * 2 < this.#parcels.length && this.#at < 1_024) return;
    this.#parcels = this.#parcels.slice(this.#at);
    this.#at = 0;
  }
}
