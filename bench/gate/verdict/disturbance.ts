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
 * The parts of a run between its disturbed rounds. What such a round left behind for good is there in all samples of the next
 * part, and so no growth in it.
 */
export function undisturbedParts(
  samples: readonly Sample[],
  rounds: ReadonlySet<number>,
): readonly (readonly Sample[])[] {
  const parts: Sample[][] = [[]];
  for (const sample of samples) {
    if (rounds.has(sample.round)) parts.push([]);
    else parts.at(-1)?.push(parts.length === 1 ? sample : { ...sample, phase: "measure" });
  }
  return parts;
}

/** A verdict whose findings are open: something other than a leak may be why. */
export function opened(verdict: Verdict): Verdict {
  if (verdict.outcome !== "leak") return verdict;
  return { ...verdict, outcome: "undecided", findings: [], doubts: [...verdict.findings, ...verdict.doubts] };
}

/** The verdict of a run with such a round: undecided, and why. A leak stays one: it is counted in the other rounds too. */
export function disturbed(verdict: Verdict, disturbance: Disturbance | undefined): Verdict {
  if (!disturbance) return verdict;
  const { round, failure, noise } = disturbance;
  const text = `The machine was too busy in round ${round} to say why it failed (${failure.split("\n", 1)[0] ?? ""}): meanwhile ${noise}.`;
  const doubt: Finding = { ledger: "machine", subject: "noise", perConnection: 0, sinceRound: round, text };
  if (verdict.outcome === "leak") return { ...verdict, warnings: [...verdict.warnings, doubt] };
  return { ...verdict, outcome: "undecided", doubts: [doubt, ...verdict.doubts] };
}
