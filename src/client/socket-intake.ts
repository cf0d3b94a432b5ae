// Where a target's socket puts what it reads. Small reads of all connections share one buffer and are copied out of it at
// once; a connection that turns out to carry bulk gets buffers of its own, which are handed on without a copy. Node's own
// way allocates 64 KiB per read however small the answer, which cost a seventh of the client's CPU per short exchange.

import type { OnReadOpts } from "node:net";

/** The most that one read takes, in bytes. */
const readBytes: number = 64 * 1024;
/** From this size on bytes are handed on where they are, in bytes: at least a quarter of the memory that they keep alive. */
const bulkBytes: number = 16 * 1024;

/** The buffer that all intakes of one pool share while nothing large is read. Its bytes never outlive the read. */
export class SharedIntake {
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(readBytes);
}

/** The reading end of one socket. */
export class SocketIntake {
  /** To be given to `net.connect` or `tls.connect`. */
  readonly onread: OnReadOpts;
  /** Hears of every chunk, which is its to keep. Set before anything can be read. */
  onBytes: ((chunk: Buffer) => void) | undefined;
  readonly #shared: SharedIntake;
  /** What the next read fills. */
  #filling: Buffer;
  /** What the read after it is to fill. */
  #following: Buffer;

  constructor(shared: SharedIntake) {
    this.#shared = shared;
    this.#filling = shared.buffer;
    this.#following = shared.buffer;
    this.onread = { buffer: this.#next, callback: this.#onRead };
  }

  readonly #next = (): Buffer => {
    this.#filling = this.#following;
    return this.#filling;
  };

  readonly #onRead = (length: number): boolean => {
    const source = this.#filling;
    const shared = this.#shared.buffer;
    let chunk: Buffer;
    if (source === shared || length < bulkBytes) {
      chunk = Buffer.allocUnsafe(length);
      source.copy(chunk, 0, 0, length);
    } else chunk = source.subarray(0, length);
    this.#following = length < bulkBytes ? shared : Buffer.allocUnsafeSlow(readBytes);
    this.onBytes?.(chunk);
    return true;
  };
}
