// When a run may end before its planned rounds because nothing is left to find out. Pure; the simulation of the estimator
// asks the same question. It only reads verdicts that would have waited for more rounds in any doubt.

import type { Verdict } from "./finding.ts";
import { tolerancesOf } from "./equivalence.ts";
import { smooth } from "./memory-checks.ts";
import type { Sample } from "./sample.ts";

/** So many verdicts in a row must leave nothing open; the one of the round that decides comes to these. */
const inARow = 2;

/** The part of a verdict that matters here. */
export type Standing = Pick<Verdict, "outcome" | "doubts">;

/** The part of a plan that matters here. */
export interface EarlyEnd {
  /** Measured rounds before which no run ends; undefined: none ends early. */
  readonly earliest?: number | undefined;
}

/**
 * Whether a run is certainly clean already, by its verdicts: neither of the last two left anything open. Verdicts that are not
 * final call nothing clean of which a count still moves, nor a heap in which a container that grows in steps could hide.
 * @param verdicts those of all measured rounds so far, none of them final
 */
export function certainlyClean(verdicts: readonly Standing[], { earliest }: EarlyEnd): boolean {
  if (earliest === undefined || verdicts.length < Math.max(earliest, inARow)) return false;
  return verdicts.slice(-inARow).every(leavesNothingOpen);
}

/**
 * Whether a verdict is clean but for counts that rose in one single step: something was used for the first time, or is on its
 * way out in the last sample. A leak rises again, which is then a doubt like any other.
 */
export function leavesNothingOpen({ outcome, doubts }: Standing): boolean {
  return outcome !== "leak" && doubts.every(({ once }) => once === true);
}

/**
 * Whether a rest took away what there was to say: a leak, or the doubt of a count. Then the samples before it say nothing of what
 * stays; see rested.ts.
 */
export function restCleared(before: Verdict, after: Verdict): boolean {
  if (after.outcome === "leak") return false;
  if (before.outcome === "leak") return true;
  const left = new Set(after.doubts.map(({ ledger, subject }) => `${ledger} ${subject}`));
  const counts = before.doubts.filter(({ ledger }) => ledger !== "heap" && ledger !== "external");
  return counts.some(({ ledger, subject }) => !left.has(`${ledger} ${subject}`));
}

/**
 * Whether the heap ends where it began: from the first measured samples to the last it rose by less than is tolerated for each
 * connection. A table that doubled once in a short run leaves the median slope as it was, but not this.
 */
export function heapReturned(samples: readonly Sample[], nodeMajor: number): boolean {
  const measured = samples.filter(({ phase }) => phase === "measure");
  const levels = smooth(measured.map(({ memory }) => memory.heapUsed));
  const span = (measured.at(-1)?.connections ?? 0) - (measured[0]?.connections ?? 0);
  return (levels.at(-2) ?? 0) - (levels[1] ?? 0) < tolerancesOf(nodeMajor).heap * span;
}
