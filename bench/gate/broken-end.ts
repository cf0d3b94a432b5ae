// How a run ends that could not go on: with what it had measured, and with its failure unless the machine explains that. Pure.

import type { CaissonError } from "../../src/lifecycle/errors.ts";
import { disturbed, opened } from "./verdict/disturbance.ts";
import type { Verdict } from "./verdict/finding.ts";

/** What it broke off at. */
export interface BrokenAt {
  readonly round: number;
  readonly failure: CaissonError;
  /** Whether the last sample was taken after a rest. */
  readonly rested: boolean;
  /** What of the machine may be why, as half a sentence; undefined if it cannot be. */
  readonly noise: string | undefined;
}

/** What there is to report. */
export interface BrokenEnd {
  readonly verdict: Verdict;
  /** Undefined if the machine may be why: then the verdict says so. */
  readonly failure: CaissonError | undefined;
}

/**
 * The end of such a run.
 * @param verdict that of the rounds before, final and as patient as any other
 */
export function brokenEnd(verdict: Verdict, { round, failure, rested, noise }: BrokenAt): BrokenEnd {
  // Nobody can see any more what is gone after a while, or grows by itself.
  const left = rested ? verdict : opened(verdict);
  if (noise === undefined) return { verdict: left, failure };
  return { verdict: disturbed(left, { round, failure: failure.message, noise }), failure: undefined };
}
