// The whole run as JSON, for programs: whoever reads it checks schemaVersion. It leaves nothing out and rounds nothing.

import type { GateReport } from "./run-facts.ts";

/** Raised when a field changes its meaning or goes away; new fields do not raise it. */
export const schemaVersion = 1;

/** JSON with an indent of two spaces and a line break at its end. */
export function json({ verdict, samples, facts, client, jit }: GateReport): string {
  const { host, commit, seed, ...run } = facts;
  const document = {
    schemaVersion,
    outcome: verdict.outcome,
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
