// Fresh ids for traces and spans, cheap enough for every request: random bytes are fetched and turned into digits in bulk,
// and an id is a piece of that text. One pool per subscriber.

import { randomFillSync } from "node:crypto";

const traceDigits = 32;
const spanDigits = 16;
const spanBytes = spanDigits / 2;
const poolBytes = 24 * 256;

/** Makes ids. */
export class TraceIds {
  readonly #pool: Buffer = Buffer.alloc(poolBytes);
  #digits = "";
  #at = 0;

  /** 32 lower-case hex digits, not all zero. */
  traceId(): string {
    return this.#take(traceDigits);
  }

  /** 16 lower-case hex digits, not all zero. */
  spanId(): string {
    return this.#take(spanDigits);
  }

  #take(digits: number): string {
    if (this.#at + digits > this.#digits.length) this.#refill();
    const from = this.#at;
    this.#at += digits;
    return this.#digits.slice(from, this.#at);
  }

  #refill(): void {
    const pool = randomFillSync(this.#pool);
    // An id of zeros means none; every id begins where a span's could.
    for (let at = 0; at < poolBytes; at += spanBytes) pool[at] = (pool[at] ?? 0) | 1;
    this.#digits = pool.toString("hex");
    this.#at = 0;
  }
}
