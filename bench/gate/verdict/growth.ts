// How a series of exact counts moves over quiescent points: flat, growing without an end in sight, or stopped.
// What a later sample falls back to was never retained, so growth is read from the lowest value still to come.

import { equivalence } from "./equivalence.ts";
import type { Interval } from "./finding.ts";
import { theilSen } from "./theil-sen.ts";

/** `stopped` is a cache at its cap or a pool at its ceiling; `unclear` needs more rounds. */
export type GrowthShape = "flat" | "growing" | "stopped" | "unclear";

/** How a count moved. */
export interface Growth {
  readonly shape: GrowthShape;
  /** What stayed, from the first sample to the last. */
  readonly rise: number;
  /** Counts per unit of x. */
  readonly perUnit: number;
  /** Counts per unit of x without the largest single step: what happened once happens no more often in a longer run. */
  readonly perUnitBesides: number;
  /** The lower 95 % limit of the rate, also where it rose in few steps; 0 or less: it may be none. */
  readonly lowest: number;
  /** 95 % limits of the rate; undefined where it rose in so few steps that ranks say nothing of it. */
  readonly interval: Interval | undefined;
  /** Index of the first sample that shows it. */
  readonly since: number;
}

/**
 * A count that rose in nearly every sample, and then in none: so improbable must such a rest be before growth is doubted, and
 * before it counts as over.
 */
const restDoubts = 0.01;
const restEnds = 0.0001;
const leastRest = 3;

/**
 * A count that grows by less than this for each connection is noise or a rare event, unless it never falls and rises in most
 * rounds: one in 400. A leak of one in a hundred is four times as much.
 */
const countTolerance = 0.0025;

/** Rises of a series that never falls before it counts as growing. */
const leastRises = 4;

/** Rises of one that grows by less than the tolerance: a handful of things that were used for the first time are none of it. */
const leastRareRises = 8;

/** A series whose second half grew by less than this part of its first half is filling up. */
const lastingShare = 0.5;

/** How a count is read. */
export interface GrowthReading {
  /** Steps at the end without a rise before a count may have stopped, in a series of few samples as well. Default 1. */
  readonly leastRest?: number;
}

/**
 * Reads the shape of a count.
 * @param xs connections (or requests) at each sample, ascending
 * @param ys the count at each sample, as many
 */
export function growthOf(
  xs: readonly number[],
  ys: readonly number[],
  { leastRest: rest = 1 }: GrowthReading = {},
): Growth {
  const floor = floorToCome(ys);
  const first = floor[0] ?? 0;
  const last = floor.at(-1) ?? 0;
  const rise = last - first;
  const run = (xs.at(-1) ?? 0) - (xs[0] ?? 0);
  const fitted = theilSen(xs, ys);
  const mean = run > 0 ? rise / run : 0;
  const shape = rise <= 0 ? "flat" : shapeOf(xs, ys, { floor, interval: fitted?.interval, leastRest: rest });
  // Steps far apart have a median slope of zero: then the mean says more, and the ranks nothing.
  const { slope: perUnit, interval } =
    fitted !== undefined && fitted.slope > 0 ? fitted : { slope: mean, interval: undefined };
  const since = floor.findIndex((value) => value > first);
  const steps = floor.map((value, index) => (index === 0 ? 0 : value - (floor[index - 1] ?? 0)));
  const perUnitBesides = run > 0 ? (rise - Math.max(0, ...steps)) / run : 0;
  const lowest = fitted?.interval[0] ?? 0;
  return { shape, rise, perUnit, perUnitBesides, lowest, interval, since: Math.max(0, since) };
}

interface Readings {
  readonly floor: readonly number[];
  readonly interval: Interval | undefined;
  readonly leastRest: number;
}

function shapeOf(
  xs: readonly number[],
  ys: readonly number[],
  { floor, interval, leastRest: steps }: Readings,
): GrowthShape {
  const count = ys.length;
  const last = floor.at(-1) ?? 0;
  const standing = interval === undefined ? "undecided" : equivalence(interval, countTolerance);
  const rises = floor.filter((value, index) => index > 0 && value > (floor[index - 1] ?? 0)).length;
  const neverFalls = ys.every((value, index) => index === 0 || value >= (ys[index - 1] ?? 0));
  const rest = restOf(floor);
  const lasting = lasts(xs, floor, lastingShare) && rest > restDoubts;
  const run = (xs.at(-1) ?? 0) - (xs[0] ?? 0);
  const isRare = last - (floor[0] ?? 0) < countTolerance * run;
  const enough = isRare ? Math.max(leastRareRises, (count - 1) / 2) : Math.min(leastRises, count - 1);
  if (count >= 4 && neverFalls && rises >= enough && lasting) return "growing";
  if (standing === "above" && lasting && quartersRise(ys)) return "growing";
  if (standing === "below" && !neverFalls) return "flat";
  const settledAt = Math.min(Math.floor((count * 2) / 3), count - 1 - steps);
  if (count >= 6 && ((floor[settledAt] ?? 0) >= last || rest <= restEnds)) return "stopped";
  return "unclear";
}

/** How probable it is that a count which goes on as before rests at the end for as long as this one; 1 for a short rest. */
function restOf(floor: readonly number[]): number {
  const steps = floor.map((value, index) => index > 0 && value > (floor[index - 1] ?? 0));
  const last = steps.lastIndexOf(true);
  const resting = steps.length - 1 - last;
  if (last < leastRises || resting < leastRest) return 1;
  const share = steps.filter(Boolean).length / last;
  // Never taken for certain: two more samples in which it did not rise are thought of.
  return (1 - (share * last) / (last + 2)) ** resting;
}

/** For each sample the lowest value of it and all later ones: what certainly stays from then on. */
export function floorToCome(ys: readonly number[]): number[] {
  const floor = [...ys];
  for (let i = floor.length - 2; i >= 0; i--) floor[i] = Math.min(floor[i] ?? 0, floor[i + 1] ?? 0);
  return floor;
}

/** Whether the second half of the run rose by at least `share` of what the first half did, each per unit of x. */
export function lasts(xs: readonly number[], levels: readonly number[], share: number): boolean {
  const middle = levels.length >> 1;
  const end = levels.length - 1;
  const before = rate(xs, levels, [0, middle]);
  const after = rate(xs, levels, [middle, end]);
  return after > 0 && after >= share * before;
}

function rate(xs: readonly number[], levels: readonly number[], [from, to]: readonly [number, number]): number {
  const run = (xs[to] ?? 0) - (xs[from] ?? 0);
  return run > 0 ? ((levels[to] ?? 0) - (levels[from] ?? 0)) / run : 0;
}

/** Whether the least value of each quarter of the run is above that of the quarter before. */
function quartersRise(ys: readonly number[]): boolean {
  if (ys.length < 8) return false;
  let before = -Infinity;
  for (let quarter = 0; quarter < 4; quarter++) {
    const least = Math.min(...ys.slice((ys.length * quarter) >> 2, (ys.length * (quarter + 1)) >> 2));
    if (least <= before) return false;
    before = least;
  }
  return true;
}
