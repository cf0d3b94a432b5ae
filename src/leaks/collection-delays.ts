// How many major collections closed resources of one kind needed until they were gone: a histogram that only grows.

/** Upper bounds of the buckets, in major collections; one more bucket takes the rest. */
export const collectionDelayBounds: readonly number[] = [1, 2, 3, 4, 6, 10, 20];

/** The histogram of one kind, as metrics show it. */
export interface CollectionDelayReading {
  /** Observations at or below each of {@link collectionDelayBounds} and above the bound before it; the last is the rest. */
  readonly counts: readonly number[];
  /** Sum of all observed delays. */
  readonly sum: number;
  /** Number of observations. */
  readonly count: number;
}

/** Takes observations and tells the histogram. */
export class CollectionDelays implements CollectionDelayReading {
  readonly counts: number[] = Array.from({ length: collectionDelayBounds.length + 1 }, () => 0);
  sum = 0;
  count = 0;

  /** A resource was collected `majors` major collections after its close. */
  observe(majors: number): void {
    const found = collectionDelayBounds.findIndex((bound) => majors <= bound);
    const bucket = found < 0 ? collectionDelayBounds.length : found;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += majors;
    this.count += 1;
  }
}
