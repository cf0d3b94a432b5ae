// What a visitor sent before its turn came: later requests, or a body that has nowhere to go yet. Always copies,
// because a view on a socket's chunk pins the whole slab that the socket read into.

const noBytes: Buffer = Buffer.alloc(0);

/** A small queue of bytes; its owner stops reading when it holds enough. */
export class ReadAhead {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** How many bytes are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a copy of `view`. */
  keep(view: Buffer): void {
    this.#chunks.push(Buffer.from(view));
    this.#bytes += view.length;
  }

  /** Gives everything back and forgets it. */
  take(): Buffer {
    const [first = noBytes] = this.#chunks;
    const bytes = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : first;
    this.drop();
    return bytes;
  }

  /** Forgets everything. */
  drop(): void {
    if (this.#bytes === 0) return;
    this.#chunks = [];
    this.#bytes = 0;
  }
}
