// The lowest round trip of about the last ten seconds: what a window must cover without counting queues. While data flows,
// a round trip may have passed through the queue of that very data: such ones lower it, and raise it only if they have
// become so much longer that the line must be another.

const halfMs = 5000;
/** Windows make a queue of a quarter of the round trip, or of half of a short one. */
const anotherLine = 2;
/** When data begins to flow the queue is short: so many round trips are measured one after the other, then one a second. */
const quickSamples = 8;
const quickMs = 50;
const slowMs = 1000;

/** What the line did when a round trip was measured. */
export type LineUse = "idle" | "flowing";

/** A minimum over a sliding time, kept as two halves. */
export class RoundTrip {
  #halfStartedMs = 0;
  #currentMs = Infinity;
  #previousMs = Infinity;
  #lastMs = 0;
  /** The lowest since data flows, however long ago. */
  #heldMs = Infinity;
  #quickLeft = quickSamples;

  /** Takes one measured round trip. */
  sample(rttMs: number, nowMs: number, use: LineUse = "idle"): void {
    const age = nowMs - this.#halfStartedMs;
    if (use === "idle") {
      this.#heldMs = Infinity;
      this.#quickLeft = quickSamples;
    } else {
      this.#quickLeft = Math.max(0, this.#quickLeft - 1);
      if (age >= halfMs) this.#hold();
    }
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
    const lowest = Math.min(this.#currentMs, this.#previousMs, this.#heldMs);
    return lowest === Infinity ? this.#lastMs : lowest;
  }

  /** While data flows, a new round trip is worth measuring so many milliseconds after the last. */
  get freshenMs(): number {
    return this.#quickLeft > 0 ? quickMs : slowMs;
  }

  /** A half is over in which data flowed. */
  #hold(): void {
    const lowest = Math.min(this.#currentMs, this.#previousMs);
    this.#heldMs = lowest > this.#heldMs * anotherLine ? Infinity : Math.min(this.#heldMs, lowest);
  }
}
