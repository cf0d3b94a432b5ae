// The gate's answer as Markdown for the summary of a CI job: the outcome, what was found, and the slopes, without images.

import type { Finding, MemorySlope } from "../verdict/finding.ts";
import { amount, limits, sentence } from "../verdict/sentences.ts";
import { escapeMarkdown } from "./escape.ts";
import { reasonOf, workOf } from "./line.ts";
import { jitWarnings, outcomeOf } from "./outcome.ts";
import type { GateReport } from "./run-facts.ts";

/** A document that ends with a line break. */
export function markdown(report: GateReport): string {
  const { verdict, facts, failure, jit } = report;
  const headings = { clean: "clean", leak: "leak found", undecided: "undecided", failed: "the run failed" } as const;
  const facing = [
    facts.subject,
    `Node ${facts.node}`,
    `seed ${facts.seed}`,
    `${amount(Math.round(facts.elapsedMs / 1000))} s`,
  ];
  if (facts.commit !== undefined) facing.push(`commit ${facts.commit.slice(0, 12)}`);
  const blocks = [
    `## Leak gate: ${headings[outcomeOf(report)]}`,
    `${escapeMarkdown(workOf(verdict))}. ${escapeMarkdown(sentence(reasonOf(report)))}`,
    failure === undefined ? "" : `### Failure\n\n${failure.split("\n").map(escapeMarkdown).join("  \n")}`,
    findings("Leaks", verdict.findings),
    findings("Not decided", verdict.doubts),
    findings("Warnings", [...verdict.warnings, ...jitWarnings(report)]),
    slopes("Memory, bytes per connection", verdict.slopes),
    jit === undefined ? "" : slopes("Memory with the default JIT, for information", jit.verdict.slopes),
    scenarios(facts.scenarios),
    `<sub>${facing.map(escapeMarkdown).join(" · ")}</sub>`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function findings(title: string, found: readonly Finding[]): string {
  if (found.length === 0) return "";
  const rows = found.map(({ ledger, subject, perConnection, interval, sinceRound, text }) => [
    ledger,
    subject,
    amount(perConnection) + (interval === undefined ? "" : ` ${limits(interval)}`),
    String(sinceRound),
    text,
  ]);
  return `### ${title}\n\n${grid(["Ledger", "Subject", "Per connection", "Since round", "What it means"], rows)}`;
}

function slopes(title: string, list: readonly MemorySlope[]): string {
  const rows = list
    .filter(({ series }) => !series.startsWith("space:"))
    .map(({ series, bytesPerConnection, interval, tolerance, outcome }) => [
      series,
      amount(bytesPerConnection),
      limits(interval),
      tolerance === undefined ? "none" : amount(tolerance),
      outcome,
    ]);
  if (rows.length === 0) return "";
  return `### ${title}\n\n${grid(["Series", "Slope", "95 % interval", "Limit", "Standing"], rows)}`;
}

function scenarios(list: GateReport["facts"]["scenarios"]): string {
  if (list.length === 0) return "";
  const rows = list.map(({ name, title, rounds, connections, requests }) => [
    name,
    title,
    amount(rounds),
    amount(connections),
    amount(requests),
  ]);
  const inner = grid(["Scenario", "What it does", "Rounds", "Connections", "Requests"], rows);
  return `<details><summary>Scenarios</summary>\n\n${inner}\n\n</details>`;
}

function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const body = rows.map((row) => drawn(row.map(escapeMarkdown)));
  return [drawn(head), drawn(head.map(() => "---")), ...body].join("\n");
}
