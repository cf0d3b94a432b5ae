// Goals as ratios of what was measured in the same rounds, with a 95 % interval. Pure.

import type { Ratio } from "../harness/statistics.ts";
import { pairedRatio } from "../harness/statistics.ts";
import type { Found } from "./contest.ts";
import type { MetricName } from "./division.ts";

/** What one contestant should do, beside another. */
export interface Goal {
  readonly division: string;
  readonly scenario: string;
  readonly metric: MetricName;
  readonly contestant: string;
  readonly against: string;
  /** The ratio's bound: at least, or at most. */
  readonly bound: { readonly atLeast: number } | { readonly atMost: number };
}

/** Holds or is missed where the whole interval lies on that side of the bound; else the run has not shown it. */
export type GoalVerdict = "holds" | "missed" | "not shown";

/** A goal, and what became of it. */
export interface JudgedGoal extends Goal {
  /** Undefined where one of the two was not measured. */
  readonly ratio: Ratio | undefined;
  readonly verdict: GoalVerdict;
}

/** Judges it. */
export function judge(found: Found, goal: Goal): JudgedGoal {
  const ratio = ratioOf(found, goal);
  return { ...goal, ratio, verdict: ratio === undefined ? "not shown" : verdictOf(ratio, goal.bound) };
}

/** The paired ratio of two contestants; undefined where one of them has no such figures. */
export function ratioOf(found: Found, pair: Omit<Goal, "bound">): Ratio | undefined {
  const samples = found[pair.division]?.[pair.scenario];
  const others = samples?.[pair.contestant] ?? [];
  const pairs = (samples?.[pair.against] ?? []).flatMap((figures, round) => {
    const [base, other] = [figures[pair.metric], others[round]?.[pair.metric]];
    return base !== undefined && other !== undefined && base > 0 && other > 0 ? [{ base, other }] : [];
  });
  return pairs.length === 0 ? undefined : pairedRatio(pairs);
}

function verdictOf({ lower, upper }: Ratio, bound: Goal["bound"]): GoalVerdict {
  if ("atLeast" in bound) {
    if (lower >= bound.atLeast) return "holds";
    return upper < bound.atLeast ? "missed" : "not shown";
  }
  if (upper <= bound.atMost) return "holds";
  return lower > bound.atMost ? "missed" : "not shown";
}
