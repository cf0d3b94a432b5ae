// Chooses one in N. The gaps are random, so that a fault which strikes every Nth time is neither always nor never seen.

/** Picks one of `oneIn` on average. Costs a subtraction where it does not pick. */
export class Sampler {
  /** 1 picks all, 0 none. */
  readonly oneIn: number;
  #untilNext: number;

  /** `oneIn`: 0 or more; fractions are cut off. */
  constructor(oneIn: number) {
    this.oneIn = Math.max(0, Math.floor(oneIn));
    this.#untilNext = this.#gap();
  }

  /** Whether this one is picked. */
  pick(): boolean {
    this.#untilNext -= 1;
    if (this.#untilNext > 0) return false;
    this.#untilNext = this.#gap();
    return true;
  }

  #gap(): number {
    if (this.oneIn === 0) return Infinity;
    return this.oneIn === 1 ? 1 : 1 + Math.floor(Math.random() * (2 * this.oneIn - 1));
  }
}
