// A round that failed while the machine had no time for it proves nothing, neither of the software nor against it.

import type { Finding, Verdict } from "./finding.ts";

/** One such round. */
export interface Disturbance {
  readonly round: number;
  /** What failed. */
  readonly failure: string;
  /** What was seen of the machine meanwhile, as half a sentence. */
  readonly noise: string;
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
