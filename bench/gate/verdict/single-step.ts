// One step in a series of memory: what is used for the first time in the middle of a run is allocated then, and never again.
// Half of all pairs of samples have such a step between them, so the median slope cannot tell it from a slow growth. Pure.

import { median, theilSen, type Slope } from "./theil-sen.ts";

/** A series without its largest step. */
export interface BesidesStep {
  /** Bytes, more than 0. */
  readonly step: number;
  /** The first sample after it. */
  readonly at: number;
  /** The slope of what is left. */
  readonly rest: Slope;
}

/** So many samples must stand on each side of a step, for it to be one. */
const leastBeside = 4;

/** A step that is larger than this may be a container that grew: a Set of 2,048 entries by 41 KB. Bytes. */
const largestStep = 36_864;

/**
 * The series without its largest step; undefined if that is too near to an end of the run, or too large, to be left out.
 * @param xs positions
 * @param ys values, as many
 */
export function besidesStep(xs: readonly number[], ys: readonly number[]): BesidesStep | undefined {
  let found: { readonly step: number; readonly at: number } | undefined;
  for (let at = leastBeside; at <= ys.length - leastBeside; at += 1) {
    // The neighbours on each side say where the level was and is, whatever one reading did.
    const before = levelOf(ys.slice(at - leastBeside, at));
    const after = levelOf(ys.slice(at, at + leastBeside));
    if (found === undefined || after - before > found.step) found = { step: after - before, at };
  }
  if (found === undefined || found.step <= 0 || found.step > largestStep) return undefined;
  const { step, at } = found;
  const rest = theilSen(
    xs,
    ys.map((value, index) => (index < at ? value : value - step)),
  );
  return rest && { step, at, rest };
}

function levelOf(values: readonly number[]): number {
  return median(Float64Array.from(values).toSorted());
}
