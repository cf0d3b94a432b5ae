// What a visitor sent before its turn came: later requests, or a body that has nowhere to go yet; and whether its socket
// is read on meanwhile. Always copies, because a view on a socket's chunk pins the whole slab. Bytes that were given out
// are never written again, so that views of them stay true.

import type { Socket } from "node:net";

const noBytes: Buffer = Buffer.alloc(0);

/** The least that is allocated, in bytes. */
const leastBytes = 1024;

/** A queue of bytes with a limit, beyond which the socket is not read. */
export class ReadAhead {
  readonly #socket: Socket;
  readonly #limit: number;
  #paused = false;
  #buffer: Buffer = noBytes;
  #start = 0;
  #end = 0;

  /** `limit`: how many bytes are enough. One read of the socket may exceed it. */
  constructor(socket: Socket, limit: number) {
    this.#socket = socket;
    this.#limit = limit;
  }

  /** How many bytes are kept. */
  get bytes(): number {
    return this.#end - this.#start;
  }

  /** All that is kept, without a copy. It stays here until {@link advance}. */
  get view(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Keeps a copy of `bytes`, and pauses the socket when they are enough. */
  keep(bytes: Buffer): void {
    if (this.#end + bytes.length > this.#buffer.length) this.#grow(bytes.length);
    this.#end += bytes.copy(this.#buffer, this.#end);
    if (this.bytes >= this.#limit) this.pause();
  }

  /** Forgets the first `bytes` of what is kept. */
  advance(bytes: number): void {
    this.#start += bytes;
    if (this.#start >= this.#end) this.drop();
  }

  /** Gives everything back and forgets it. */
  take(): Buffer {
    const { view } = this;
    this.drop();
    return view;
  }

  /** Forgets everything. */
  drop(): void {
    this.#buffer = noBytes;
    this.#start = 0;
    this.#end = 0;
  }

  /** The socket is not read until {@link flow}. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  /** The socket is read again, if there is room for what it brings. */
  flow(): void {
    if (!this.#paused || this.bytes >= this.#limit) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** A larger buffer with what is kept, and room for `bytes` more. The old one may still be referred to. */
  #grow(bytes: number): void {
    const { view } = this;
    const grown = Buffer.allocUnsafeSlow(Math.max(leastBytes, 2 * view.length, view.length + bytes));
    this.#end = view.copy(grown);
    this.#start = 0;
    this.#buffer = grown;
  }
}
