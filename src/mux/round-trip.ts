// The lowest round trip of about the last ten seconds: what a window must cover without counting queues.

const halfMs = 5000;

/** A minimum over a sliding time, kept as two halves. */
export class RoundTrip {
  #halfStartedMs = 0;
  #currentMs = Infinity;
  #previousMs = Infinity;
  #lastMs = 0;

  /** Takes one measured round trip. */
  sample(rttMs: number, nowMs: number): void {
    const age = nowMs - this.#halfStartedMs;
    if (age >= halfMs) {
      this.#previousMs = age >= 2 * halfMs ? Infinity : this.#currentMs;
      this.#currentMs = Infinity;
      this.#halfStartedMs = nowMs;
    }
    this.#lastMs = rttMs;
    if (rttMs < this.#currentMs) this.#currentMs = rttMs;
  }

  /** The lowest round trip in milliseconds; 0 until one was measured. */
  get lowestMs(): number {
    const lowest = Math.min(this.#currentMs, this.#previousMs);
    return lowest === Infinity ? this.#lastMs : lowest;
  }
}
