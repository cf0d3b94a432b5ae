// The whole run as JSON, for programs: whoever reads it checks schemaVersion. It leaves nothing out and rounds nothing.

import { outcomeOf } from "./outcome.ts";
import type { GateReport } from "./run-facts.ts";

/** Raised when a field changes its meaning or goes away; new fields do not raise it. */
export const schemaVersion = 1;

/** JSON with an indent of two spaces and a line break at its end. */
export function json(report: GateReport): string {
  const { verdict, samples, facts, failure, client, jit } = report;
  const { host, commit, seed, ...run } = facts;
  const document = {
    schemaVersion,
    outcome: outcomeOf(report),
    failure: failure ?? null,
    host,
    commit: commit ?? null,
    seed,
    run,
    verdict,
    samples,
    client,
    jit,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
