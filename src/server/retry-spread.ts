// When those who are turned away in a crowd are to come again: one after the other at a steady pace, not all at once.
// Pure arithmetic on the times that it is given.

/** Options of {@link RetrySpread}. Times in milliseconds. */
export interface RetrySpreadOptions {
  /** Between two who come again. */
  readonly paceMs: number;
  /** Nobody is asked to come sooner. */
  readonly leastMs: number;
  /** Nobody is asked to come later. */
  readonly mostMs: number;
}

/** Hands out the times at which to come again. */
export class RetrySpread {
  readonly #options: RetrySpreadOptions;
  /** When the last is to come. */
  #lastMs = -Infinity;

  constructor(options: RetrySpreadOptions) {
    this.#options = options;
  }

  /** In about how many seconds the next is to come. `nowMs` is of a clock that never goes back. */
  nextSeconds(nowMs: number): number {
    const { paceMs, leastMs, mostMs } = this.#options;
    const dueMs = Math.max(nowMs + leastMs, this.#lastMs + paceMs);
    // Beyond the end they start over at the beginning, so that the last second is not everybody's.
    this.#lastMs = dueMs > nowMs + mostMs ? nowMs + leastMs : dueMs;
    return Math.round((this.#lastMs - nowMs) / 1_000);
  }
}
