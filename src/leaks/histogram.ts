// Counts observations in fixed buckets; only ever grows.

/** A histogram as metrics read it. */
export interface HistogramCounts {
  /** Upper bounds in ascending order, without the infinite one. */
  readonly bounds: readonly number[];
  /** Observations per bucket, not cumulative; one more than bounds, the last above them all. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** Takes observations. */
export class Histogram implements HistogramCounts {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** Adds one observation. */
  observe(value: number): void {
    const found = this.bounds.findIndex((bound) => value <= bound);
    const bucket = found < 0 ? this.bounds.length : found;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
    this.count += 1;
  }
}
