// The gate's verdict from its samples: exact counts first, then what cannot be collected, then memory. A pure function:
// the same samples give the same verdict. It never looks at p-values and never fails for noise.

import { checkCollected, checkCounts, checkKinds } from "./exact-checks.ts";
import type { Finding, Outcome, Verdict } from "./finding.ts";
import { judgingOf, type Findings, type JudgeOptions } from "./judging.ts";
import { checkMemory } from "./memory-checks.ts";
import { checkNever } from "./never-checks.ts";
import type { Sample } from "./sample.ts";

/**
 * Judges a run, or a run so far. `undecided` while more rounds may follow means: go on, up to your bound, then ask with `final`.
 * @param samples in the order in which they were taken; those of the warm-up only serve to date findings
 */
export function judge(samples: readonly Sample[], options: JudgeOptions): Verdict {
  const judging = judgingOf(samples, options);
  const { measured, axis } = judging;
  const [first] = measured;
  const last = measured.at(-1);
  if (first === undefined || last === undefined || measured.length < 2) return tooEarly(samples);
  const found: Findings = { leaks: [], warnings: [], doubts: [] };
  checkKinds(judging, found);
  checkNever(judging, found);
  checkCounts(judging, found);
  checkCollected(judging, found);
  const slopes = checkMemory(judging, found);
  const named = options.final ? namesIn(found) : [];
  return {
    outcome: outcomeOf(found),
    findings: [...found.leaks, ...named].toSorted(byLedger),
    warnings: found.warnings,
    doubts: found.doubts.filter((doubt) => !named.includes(doubt)),
    slopes,
    rounds: measured.length - 1,
    connections: axis.unit === "connection" ? axis.span : 0,
    requests: last.requests - first.requests,
  };
}

function outcomeOf({ leaks, doubts }: Findings): Outcome {
  if (leaks.length > 0) return "leak";
  return doubts.length > 0 ? "undecided" : "clean";
}

/** What is counted one by one. Memory only follows from it. */
const naming: ReadonlySet<Finding["ledger"]> = new Set([
  "held",
  "live",
  "operations",
  "listeners",
  "probe",
  "fds",
  "handles",
]);

/** Objects come and go; where nearly each connection left one behind, its class says what stayed. */
const namingRate = 0.5;

/** Where a leak is certain, what was counted says what it is, however few samples there were before the run ended. */
function namesIn({ leaks, doubts }: Findings): readonly Finding[] {
  if (leaks.length === 0) return [];
  return doubts.filter(
    ({ ledger, perConnection }) => naming.has(ledger) || (ledger === "objects" && perConnection >= namingRate),
  );
}

function tooEarly(samples: readonly Sample[]): Verdict {
  const round = samples.at(-1)?.round ?? 0;
  const text = "Too few quiescent points were measured to compare anything.";
  const doubt: Finding = { ledger: "heap", subject: "heapUsed", perConnection: 0, sinceRound: round, text };
  const nothing = { findings: [], warnings: [], slopes: [], rounds: 0, connections: 0, requests: 0 };
  return { outcome: "undecided", doubts: [doubt], ...nothing };
}

/** Findings that name a kind come before those that name a symptom. */
const order: readonly Finding["ledger"][] = [
  "held",
  "live",
  "alive",
  "operations",
  "listeners",
  "probe",
  "fds",
  "handles",
  "series",
  "objects",
  "heap",
  "external",
  "rss",
  "machine",
];

function byLedger(a: Finding, b: Finding): number {
  return order.indexOf(a.ledger) - order.indexOf(b.ledger) || b.perConnection - a.perConnection;
}
