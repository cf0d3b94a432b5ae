// Tells how old the oldest open resource of one kind is, without referring to any: it counts opens and closes per
// time step of the opening. It never allocates per resource, and costs an addition where openings are recent.

/** Length of a time step in milliseconds: the error of an age is at most this. */
export const ageStepMs = 250;

/** The open resources of one kind, by the time step of their opening. */
export class OpenAges {
  /** Steps before the current one that still have open resources; insertion order is the order of time. */
  readonly #earlier = new Map<number, number>();
  // The newest step is kept outside the map, because nearly all events of a busy kind fall into it.
  #newestStep = -1;
  #newestOpen = 0;
  // Where the newest step begins and ends, in milliseconds: two comparisons cost less than a division.
  #newestFromMs = -1;
  #newestToMs = -1;

  /** A resource was opened at `openedAtMs` on the clock of `performance.now()`. */
  opened(openedAtMs: number): void {
    if (openedAtMs >= this.#newestFromMs && openedAtMs < this.#newestToMs) this.#newestOpen += 1;
    else this.#openedElsewhere(Math.floor(openedAtMs / ageStepMs));
  }

  /** The resource that was opened at `openedAtMs` was closed. One that was never opened is ignored. */
  closed(openedAtMs: number): void {
    if (openedAtMs >= this.#newestFromMs && openedAtMs < this.#newestToMs) {
      if (this.#newestOpen > 0) this.#newestOpen -= 1;
    } else this.#closedElsewhere(Math.floor(openedAtMs / ageStepMs));
  }

  #openedElsewhere(step: number): void {
    if (step < this.#newestStep) {
      this.#earlier.set(step, (this.#earlier.get(step) ?? 0) + 1);
      return;
    }
    if (this.#newestOpen > 0) this.#earlier.set(this.#newestStep, this.#newestOpen);
    this.#newestStep = step;
    this.#newestFromMs = step * ageStepMs;
    this.#newestToMs = this.#newestFromMs + ageStepMs;
    this.#newestOpen = 1;
  }

  #closedElsewhere(step: number): void {
    const open = this.#earlier.get(step);
    if (open === undefined) return;
    if (open > 1) this.#earlier.set(step, open - 1);
    else this.#earlier.delete(step);
  }

  /** How many steps are remembered: at most one more than there are open resources. */
  get size(): number {
    return this.#earlier.size + (this.#newestOpen > 0 ? 1 : 0);
  }

  /** Age of the oldest open resource at `nowMs` in milliseconds, at most {@link ageStepMs} too high; 0 if none is open. */
  oldestMs(nowMs: number): number {
    let oldest = this.#newestOpen > 0 ? this.#newestStep : Infinity;
    // A late arrival may stand behind later steps, so the first key alone would not do. Steps are few.
    for (const step of this.#earlier.keys()) if (step < oldest) oldest = step;
    return oldest === Infinity ? 0 : Math.max(0, nowMs - oldest * ageStepMs);
  }
}
