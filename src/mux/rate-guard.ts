// Counts something that a peer may do, but not without end: so much per period.

/** A limit per fixed period. */
export class RateGuard {
  readonly #limit: number;
  readonly #periodMs: number;
  #startedMs = -Infinity;
  #count = 0;

  constructor(limit: number, periodMs: number) {
    this.#limit = limit;
    this.#periodMs = periodMs;
  }

  /** Adds `amount` at `nowMs`; answers whether the period's limit is exceeded. */
  exceeded(amount: number, nowMs: number): boolean {
    if (nowMs - this.#startedMs >= this.#periodMs) {
      this.#startedMs = nowMs;
      this.#count = 0;
    }
    this.#count += amount;
    return this.#count > this.#limit;
  }
}
