// Compares an interval with a tolerance, in both directions. "No significant growth" is not what it says:
// it says that growth above the tolerance is ruled out, or that it is certain, or that neither is known.

import type { Interval } from "./finding.ts";

/** `below`: ruled out above the tolerance. `above`: certainly more than it. */
export type Equivalence = "below" | "above" | "undecided";

/**
 * Where an interval stands to the largest value that still counts as nothing.
 * @param interval 95 % limits
 * @param tolerance in the interval's unit; a limit exactly on it decides nothing
 */
export function equivalence([lower, upper]: Interval, tolerance: number): Equivalence {
  if (upper < tolerance) return "below";
  if (lower > tolerance) return "above";
  return "undecided";
}

/** What is tolerated, by the version of Node that is measured. Bytes per connection. */
export interface Tolerances {
  /** For heapUsed. */
  readonly heap: number;
  /** For external and arrayBuffers, which move by whole slabs. */
  readonly external: number;
}

/**
 * Tolerances for one major version of Node: the clean heap slope is 0.0 +- 0.4 bytes per connection on 22 and later and
 * 1.4 +- 0.8 on 20, and the smallest leak is one slot of 8 bytes.
 */
export function tolerancesOf(nodeMajor: number): Tolerances {
  return { heap: nodeMajor >= 22 ? 4 : 6, external: 32 };
}
