// The gate's answer as JUnit XML: one test case for each ledger, which fails with its findings, and one for the run itself, whose
// failure is an error. What is undecided is an error too, or skipped where an undecided run is allowed to pass. What was not
// measured has not passed: those cases are skipped.

import type { Finding, LedgerName } from "../verdict/finding.ts";
import { carried } from "../verdict/series.ts";
import type { Sample } from "../verdict/sample.ts";
import { escapeMarkup } from "./escape.ts";
import { line } from "./line.ts";
import { failureIn } from "./outcome.ts";
import type { GateReport } from "./run-facts.ts";

const cases: Readonly<Record<Exclude<LedgerName, "rss">, string>> = {
  held: "containers hold nothing that was closed",
  live: "what was opened is closed",
  alive: "what was closed is collected",
  handles: "active handles return to the baseline",
  fds: "descriptors return to the baseline",
  listeners: "listeners return to the baseline",
  probe: "containers return to the baseline",
  objects: "live objects return to the baseline",
  operations: "operations settle",
  series: "metric series return to the baseline",
  heap: "the heap stays flat",
  external: "external memory stays flat",
  machine: "the machine has time for every round",
};

/** An XML document. */
export function junit(report: GateReport): string {
  const { verdict, facts, failure } = report;
  const names = Object.keys(cases).length + 1;
  const failed = failing(verdict.findings);
  const unsure = new Set([...failing(verdict.doubts)].filter((ledger) => !failed.has(ledger)));
  const unsureAs = facts.undecided === "pass" ? "skipped" : "error";
  const errors = (failure === undefined ? 0 : 1) + (unsureAs === "error" ? unsure.size : 0);
  const told = new Set([...failed, ...unsure]);
  const unread = Object.keys(cases).filter((ledger) => isUnread(report, ledger) && !told.has(ledger));
  const skipped = unread.length + (unsureAs === "skipped" ? unsure.size : 0);
  const counts = `tests="${names}" failures="${failed.size}" errors="${errors}" skipped="${skipped}"`;
  const time = (facts.elapsedMs / 1000).toFixed(3);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="caisson gate" ${counts} time="${time}">`,
    `  <testsuite name="caisson gate" ${counts} time="${time}" timestamp="${escapeMarkup(facts.startedAt.slice(0, 19))}">`,
    "    <properties>",
    ...properties(report).map(([name, value]) => `      <property name="${name}" value="${escapeMarkup(value)}"/>`),
    "    </properties>",
    runCase(failure),
    ...Object.entries(cases).map(([ledger, title]) => testCase(report, { ledger, title })),
    `    <system-out>${escapeMarkup(line(report))}</system-out>`,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

/** Whether nothing was measured of a ledger, or what was measured does not decide. */
function isUnread({ verdict, samples, client = [] }: GateReport, ledger: string): boolean {
  if (ledger === "machine") return false;
  const last = carried(samples).at(-1);
  if (last === undefined || verdict.rounds === 0) return true;
  if (ledger === "heap") return verdict.slopes.find(({ series }) => series === "heapUsed")?.outcome === "not judged";
  const lastOfClient = carried(client).at(-1);
  return partsOf(last)[ledger] === false && (!lastOfClient || partsOf(lastOfClient)[ledger] === false);
}

/** Whether a sample holds what each ledger is made of; for ledgers that every sample has it says nothing. */
function partsOf({ kinds, fds, listeners, objects, operations, series }: Sample): Readonly<Record<string, boolean>> {
  const counted = { fds, listeners, objects, operations, series, held: kinds, live: kinds, alive: kinds };
  return Object.fromEntries(Object.entries(counted).map(([ledger, part]) => [ledger, part !== undefined]));
}

function failing(found: readonly Finding[]): Set<string> {
  return new Set(found.map(({ ledger }) => ledger));
}

function properties({ facts }: GateReport): [string, string][] {
  const { commit = "unknown", node, seed, mode, subject } = facts;
  return [
    ["subject", subject],
    ["node", node],
    ["commit", commit],
    ["seed", String(seed)],
    ["mode", mode],
  ];
}

function runCase(failure: string | undefined): string {
  const open =
    '    <testcase classname="caisson.gate.run" name="the run goes to its end, and every answer is right" time="0"';
  if (failure === undefined) return `${open}/>`;
  const text = failure.split("\n").map(escapeMarkup).join("\n");
  return `${open}>\n      <error type="failed" message="${escapeMarkup(failureIn(failure))}">${text}</error>\n    </testcase>`;
}

function testCase(report: GateReport, { ledger, title }: { ledger: string; title: string }): string {
  const { verdict, facts } = report;
  const open = `    <testcase classname="caisson.gate.${ledger}" name="${title}" time="0"`;
  const leaks = verdict.findings.filter((found) => found.ledger === ledger);
  const doubts = verdict.doubts.filter((found) => found.ledger === ledger);
  if (leaks.length > 0) return element(open, "failure", { type: "leak", found: leaks });
  if (doubts.length === 0) {
    return isUnread(report, ledger)
      ? `${open}>\n      <skipped message="not measured, or no part of the verdict"/>\n    </testcase>`
      : `${open}/>`;
  }
  return element(open, facts.undecided === "pass" ? "skipped" : "error", { type: "undecided", found: doubts });
}

function element(open: string, tag: string, { type, found }: { type: string; found: readonly Finding[] }): string {
  const message = escapeMarkup(found.map(({ subject }) => subject).join(", "));
  const text = found.map((each) => escapeMarkup(each.text)).join("\n");
  const kind = tag === "skipped" ? "" : ` type="${type}"`;
  return `${open}>\n      <${tag}${kind} message="${type}: ${message}">${text}</${tag}>\n    </testcase>`;
}
