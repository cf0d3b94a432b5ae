// A round that failed while the machine had no time for it proves nothing, neither of the software nor against it.

import type { Finding, Verdict } from "./finding.ts";
import type { Sample } from "./sample.ts";

/** One such round. */
export interface Disturbance {
  readonly round: number;
  /** What failed. */
  readonly failure: string;
  /** What was seen of the machine meanwhile, as half a sentence. */
  readonly noise: string;
}

/**
 * What a disturbance cannot have touched: the samples before the first such round. Behind it links are dialled anew, timers run
 * out late and what was kept for the old ones goes, for longer than a run may last, and all of that looks like growth.
 */
export function beforeDisturbance(samples: readonly Sample[], rounds: ReadonlySet<number>): readonly Sample[] {
  const first = Math.min(...rounds);
  return samples.filter(({ round }) => round < first);
}

/** A verdict whose findings are open: something other than a leak may be why. */
export function opened(verdict: Verdict): Verdict {
  if (verdict.outcome !== "leak") return verdict;
  return { ...verdict, outcome: "undecided", findings: [], doubts: [...verdict.findings, ...verdict.doubts] };
}

/** The verdict of a run with such a round: undecided, and why. A leak stays one: it was there before. */
export function disturbed(verdict: Verdict, disturbance: Disturbance | undefined): Verdict {
  if (!disturbance) return verdict;
  const { round, failure, noise } = disturbance;
  const text = `The machine was too busy in round ${round} to say why it failed (${failure.split("\n", 1)[0] ?? ""}): meanwhile ${noise}.`;
  const doubt: Finding = { ledger: "machine", subject: "noise", perConnection: 0, sinceRound: round, text };
  if (verdict.outcome === "leak") return { ...verdict, warnings: [...verdict.warnings, doubt] };
  return { ...verdict, outcome: "undecided", doubts: [doubt, ...verdict.doubts] };
}
