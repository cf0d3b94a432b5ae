// Slope of a noisy series by the medians of Theil and Sen, with the interval that ranks give (Sen 1968).
// It needs no normal noise and bears a third of the points being wild; it never judges, and never gives a p-value.

import type { Interval } from "./finding.ts";

/** A slope in units of y per unit of x. */
export interface Slope {
  readonly slope: number;
  /** Limits of the slope at the confidence that was asked for. */
  readonly interval: Interval;
}

/** Quantile of the normal distribution for a two-sided interval of 95 %. */
const normal95 = 1.959964;

/**
 * The median of the slopes of all pairs of points, and its 95 % interval.
 * @param xs positions; pairs at the same position are left out
 * @param ys values, as many as positions
 * @returns undefined below three different positions, where no interval can be had
 */
export function theilSen(xs: readonly number[], ys: readonly number[]): Slope | undefined {
  const slopes = pairSlopes(xs, ys);
  if (slopes.length < 3) return undefined;
  const half = normal95 * Math.sqrt(kendallVariance(ys));
  const lower = Math.floor((slopes.length - half) / 2);
  const upper = Math.ceil((slopes.length + half) / 2);
  return {
    slope: median(slopes),
    // With few points the ranks run past the ends: then all that was seen is inside.
    interval: [at(slopes, lower), at(slopes, upper - 1)],
  };
}

function pairSlopes(xs: readonly number[], ys: readonly number[]): Float64Array {
  const count = Math.min(xs.length, ys.length);
  const slopes = new Float64Array((count * (count - 1)) / 2);
  let filled = 0;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const run = (xs[j] ?? 0) - (xs[i] ?? 0);
      if (run > 0) slopes[filled++] = ((ys[j] ?? 0) - (ys[i] ?? 0)) / run;
    }
  }
  // A typed array sorts by number.
  return slopes.subarray(0, filled).toSorted();
}

/** Variance of Kendall's S over these values, less what ties take away. */
function kendallVariance(ys: readonly number[]): number {
  const term = (n: number): number => n * (n - 1) * (2 * n + 5);
  const ties = new Map<number, number>();
  for (const y of ys) ties.set(y, (ties.get(y) ?? 0) + 1);
  let sum = term(ys.length);
  for (const tied of ties.values()) sum -= term(tied);
  return sum / 18;
}

/** Of sorted values; NaN of none. */
export function median(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? at(sorted, middle) : (at(sorted, middle - 1) + at(sorted, middle)) / 2;
}

function at(sorted: Float64Array, index: number): number {
  return sorted[Math.max(0, Math.min(sorted.length - 1, index))] ?? Number.NaN;
}
