// How a run ends that could not go on: with what it had measured, and with its failure unless the machine explains that. Pure.

import type { CaissonError } from "../../src/lifecycle/errors.ts";
import { disturbed, opened } from "./verdict/disturbance.ts";
import type { Verdict } from "./verdict/finding.ts";
import { idleCouldTell } from "./verdict/idle-growth.ts";

/** What it broke off at. */
export interface BrokenAt {
  readonly round: number;
  readonly failure: CaissonError;
  /** Whether it was read before what grows by itself. */
  readonly idleRead: boolean;
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
export function brokenEnd(verdict: Verdict, { round, failure, idleRead, noise }: BrokenAt): BrokenEnd {
  // Nobody can read any more what grows by itself.
  const left = !idleRead && idleCouldTell(verdict, { final: true }) ? opened(verdict) : verdict;
  if (noise === undefined) return { verdict: left, failure };
  return { verdict: disturbed(left, { round, failure: failure.message, noise }), failure: undefined };
}
