// Fresh ids for traces and spans, cheap enough for every request: random bytes are fetched in bulk, and turned into digits
// in one call. One pool per subscriber.

import { randomFillSync } from "node:crypto";

const traceBytes = 16;
const spanBytes = 8;
const poolBytes = (traceBytes + spanBytes) * 256;

/** Makes ids. */
export class TraceIds {
  readonly #pool: Buffer = Buffer.alloc(poolBytes);
  #at: number = poolBytes;

  /** 32 lower-case hex digits, not all zero. */
  traceId(): string {
    return this.#take(traceBytes);
  }

  /** 16 lower-case hex digits, not all zero. */
  spanId(): string {
    return this.#take(spanBytes);
  }

  #take(bytes: number): string {
    if (this.#at + bytes > poolBytes) {
      randomFillSync(this.#pool);
      this.#at = 0;
    }
    const from = this.#at;
    this.#at += bytes;
    // An id of zeros means none.
    this.#pool[from] = (this.#pool[from] ?? 0) | 1;
    return this.#pool.toString("hex", from, from + bytes);
  }
}
