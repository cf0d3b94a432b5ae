// One histogram as plain numbers: what the hot path adds to, and what a scrape reads. Observing allocates nothing.
// With a trace, the bucket remembers the last trace that fell into it, as an exemplar.

import type { HistogramReading } from "./readings.ts";

/** The last traced observation of one bucket. */
export interface BucketExemplar {
  readonly traceId: string;
  readonly value: number;
  /** Seconds since the epoch. */
  readonly atSeconds: number;
}

/** OpenTelemetry's bounds for HTTP durations, in seconds. */
export const httpSeconds: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
/** For round trips, in seconds: from a loopback to a bad mobile link. */
export const roundTripSeconds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3,
];
/** For the life of a session, in seconds: from a failed start to a month. */
export const lifeSeconds: readonly number[] = [1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000];

/** Counts observations into buckets. */
export class HistogramCells implements HistogramReading {
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum = 0;
  readonly #exemplars: (BucketExemplar | undefined)[];

  /** `bounds` are the upper bounds in ascending order, without the infinite one. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
    this.#exemplars = [...bounds.map(() => undefined), undefined];
  }

  /** Adds one observation; anything that is no finite number at or above zero counts as zero. */
  observe(value: number): void {
    this.#count(value);
  }

  /** The same for an observation that belongs to a trace. */
  observeTraced(value: number, traceId: string): void {
    const bucket = this.#count(value);
    this.#exemplars[bucket] = { traceId, value, atSeconds: Date.now() / 1000 };
  }

  /** The exemplar of one bucket, by its index in `counts`. */
  exemplar(bucket: number): BucketExemplar | undefined {
    return this.#exemplars[bucket];
  }

  #count(value: number): number {
    const { bounds, counts } = this;
    const safe = value >= 0 && value < Number.POSITIVE_INFINITY ? value : 0;
    let bucket = 0;
    while (bucket < bounds.length && safe > (bounds[bucket] ?? 0)) bucket += 1;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.sum += safe;
    return bucket;
  }
}
