// The watcher's tallies of one kind: which of its resources are watched, and how many stand in which state. They only
// grow; what stands in a state is always a difference. Costs a subtraction and a comparison where none is watched.

import type { ResourceEvents } from "../lifecycle/events.ts";
import type { Resource } from "../lifecycle/resource.ts";
import type { HistogramCounts } from "./histogram.ts";
import { Histogram } from "./histogram.ts";
import { Sampler } from "./sampler.ts";

/** Buckets of the delay between a close and its collection, in major collections. */
export const delayBounds: readonly number[] = [1, 2, 3, 4, 6, 10, 20];

/** What the watcher knows of one kind. Counts of watched resources. */
export interface WatchReading {
  /** Of how many opened ones one is watched; 1 when all are. */
  readonly oneIn: number;
  readonly watched: number;
  /** Closed, younger than the grace. */
  readonly pending: number;
  /** Closed for longer, but not yet through enough collections. */
  readonly suspect: number;
  /** Closed, older than the grace, and at least {@link retainedAfterMajors} major collections survived since. */
  readonly retained: number;
  /** All that are closed and not collected: the sum of the three. */
  readonly uncollected: number;
  /** Collected although nobody closed them, ever. */
  readonly collectedUnclosed: number;
  /** Major collections between a close and its collection. */
  readonly delays: HistogramCounts;
}

/** Who watches what was picked. */
export interface Watch {
  /** Watches a resource that was opened; false if it watches nothing any more. */
  _watch(resource: Resource): boolean;
  /** Expects the collection of one that was closed; false if it is not watched. */
  _expectCollection(resource: Resource): boolean;
}

/** One kind. */
export class KindWatch implements ResourceEvents {
  readonly delays: Histogram = new Histogram(delayBounds);
  suspected = 0;
  retained = 0;
  pendingCollected = 0;
  suspectCollected = 0;
  retainedCollected = 0;
  openCollected = 0;
  readonly #watch: Watch;
  readonly #sampler: Sampler;
  #watched = 0;
  #closed = 0;

  /** Of `oneIn` opened resources one is watched, on average; 0: none. */
  constructor(watch: Watch, oneIn: number) {
    this.#watch = watch;
    this.#sampler = new Sampler(oneIn);
  }

  opened(resource: Resource): void {
    if (this.#sampler.pick() && this.#watch._watch(resource)) this.#watched += 1;
  }

  closed(resource: Resource): void {
    // None of the open ones is watched: true of nearly all closes where only a sample is.
    if (this.#watched === this.#closed + this.openCollected) return;
    if (this.#watch._expectCollection(resource)) this.#closed += 1;
  }

  /** What is known now. */
  reading(): WatchReading {
    const retained = this.retained - this.retainedCollected;
    const suspect = this.suspected - this.retained - this.suspectCollected;
    const pending = this.#closed - this.suspected - this.pendingCollected;
    return {
      oneIn: this.#sampler.oneIn,
      watched: this.#watched,
      pending,
      suspect,
      retained,
      uncollected: pending + suspect + retained,
      collectedUnclosed: this.openCollected,
      delays: this.delays,
    };
  }
}
