// Figures about repeated measurements: medians with their spread, and ratios of pairs with a confidence interval. Pure.

/** The middle of some measurements, and where the middle half of them lies. */
export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly count: number;
}

/** A ratio with its 95 % confidence interval. */
export interface Ratio {
  readonly ratio: number;
  readonly lower: number;
  readonly upper: number;
  /** How many pairs it is from. */
  readonly pairs: number;
}

/** Two measurements that were made beside each other, above 0. */
export interface Pair {
  readonly base: number;
  readonly other: number;
}

/** 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom. */
const tQuantiles: readonly number[] = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** Median and quartiles, interpolated. Throws RangeError for no values. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("no values have no median");
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => quantileOfSorted(sorted, share);
  return { median: at(0.5), lowerQuartile: at(0.25), upperQuartile: at(0.75), count: values.length };
}

/** What a share of the values (0 to 1) does not exceed, interpolated; NaN for no values. */
export function quantileOf(values: readonly number[], share: number): number {
  return quantileOfSorted(
    values.toSorted((a, b) => a - b),
    share,
  );
}

function quantileOfSorted(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/**
 * The geometric mean of `other / base` over the pairs, with Student's interval on the logarithms: what both have in common
 * (the machine's speed at that moment) cancels out within a pair. Throws RangeError for no pairs or values of 0 and below.
 * With one pair the interval is everything.
 */
export function pairedRatio(pairs: readonly Pair[]): Ratio {
  const logs = logsOf(pairs);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const freedom = logs.length - 1;
  if (freedom === 0) return { ratio: Math.exp(mean), lower: 0, upper: Infinity, pairs: 1 };
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / freedom;
  const half = (tQuantiles[freedom - 1] ?? 1.96 + 2.5 / freedom) * Math.sqrt(variance / logs.length);
  return { ratio: Math.exp(mean), lower: Math.exp(mean - half), upper: Math.exp(mean + half), pairs: logs.length };
}

/**
 * The median of `other / base` over all pairs of pairs (Hodges and Lehmann), on the logarithms, with the interval of
 * Wilcoxon's signed ranks: nearly as narrow as {@link pairedRatio}'s where the logarithms are normal, and a few wild pairs
 * move neither. Its 95 of 100 cases hold where their distribution is symmetric, as it is of two that take turns. Throws as
 * {@link pairedRatio} does; with fewer than six pairs the interval is everything.
 */
export function signedRankRatio(pairs: readonly Pair[]): Ratio {
  const logs = logsOf(pairs);
  const means = logs.flatMap((one, at) => logs.slice(at).map((other) => (one + other) / 2)).toSorted((a, b) => a - b);
  const outside = ranksOutside(logs.length);
  return {
    ratio: Math.exp(quantileOfSorted(means, 0.5)),
    lower: outside === 0 ? 0 : Math.exp(means[outside - 1] ?? -Infinity),
    upper: outside === 0 ? Infinity : Math.exp(means[means.length - outside] ?? Infinity),
    pairs: logs.length,
  };
}

/** How far the logarithms of `other / base` lie from their mean (the standard deviation); NaN for fewer than two pairs. */
export function deviationOf(pairs: readonly Pair[]): number {
  const logs = logsOf(pairs);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  return Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1));
}

function logsOf(pairs: readonly Pair[]): number[] {
  if (pairs.length === 0 || pairs.some(({ base, other }) => !(base > 0) || !(other > 0))) {
    throw new RangeError("a ratio needs pairs of values above 0");
  }
  return pairs.map(({ base, other }) => Math.log(other / base));
}

/**
 * Counted from either end, the last of the sorted means of `count` values in twos beyond which their centre lies in at most
 * 2.5 of 100 cases; 0 if none is.
 */
function ranksOutside(count: number): number {
  // The chance of each sum of those of the ranks 1 to `count` for which a fair coin shows heads.
  let chances = [1];
  for (let rank = 1; rank <= count; rank += 1) {
    const shorter = chances;
    const at = (sum: number): number => shorter[sum] ?? 0;
    chances = Array.from({ length: shorter.length + rank }, (_, sum) => (at(sum) + at(sum - rank)) / 2);
  }
  let below = 0;
  for (const [sum, chance] of chances.entries()) {
    below += chance;
    if (below > 0.025) return sum;
  }
  return 0;
}
