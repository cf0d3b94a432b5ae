// What a report says first: the verdict's outcome, or that the run itself failed. A leak outranks a failure, because it may be
// why; the failure is told beside it. Pure.

import type { Finding, Outcome } from "../verdict/finding.ts";
import type { GateReport } from "./run-facts.ts";

/** The outcome of a run as a whole. */
export type ReportOutcome = Outcome | "failed";

/** What a run came to. */
export function outcomeOf({ verdict, failure }: Pick<GateReport, "verdict" | "failure">): ReportOutcome {
  return failure !== undefined && verdict.outcome !== "leak" ? "failed" : verdict.outcome;
}

/** The first line of a failure, without a full stop: what comes after it is what a process said last. */
export function failureIn(failure: string): string {
  return (failure.split("\n", 1)[0] ?? "").replace(/\.$/u, "");
}

/** What the default JIT showed, as warnings: it reports, and never gates. Its slopes are told in a table of their own. */
export function jitWarnings({ jit }: Pick<GateReport, "jit">): readonly Finding[] {
  if (jit === undefined) return [];
  const { findings, doubts } = jit.verdict;
  const machine = doubts.filter(({ ledger }) => ledger === "machine");
  return [...findings, ...machine].map((found) => ({ ...found, text: `With the default JIT: ${found.text}` }));
}
