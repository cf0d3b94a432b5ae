// The gate's answer as text for a terminal: findings, doubts, warnings, and the slopes of memory. No colours, no control characters.

import type { Finding, MemorySlope } from "../verdict/finding.ts";
import { amount, limits } from "../verdict/sentences.ts";
import { plain } from "./escape.ts";
import { line } from "./line.ts";
import { jitWarnings } from "./outcome.ts";
import type { GateReport } from "./run-facts.ts";

type Row = readonly string[];

/** Several lines, the last without a line break. */
export function table(report: GateReport): string {
  const { verdict, facts, failure, jit } = report;
  const blocks = [
    line(report),
    failure === undefined ? "" : `Failure\n${failure.replaceAll(/^/gmu, "  ")}`,
    findingBlock("Leaks", verdict.findings),
    findingBlock("Not decided", verdict.doubts),
    findingBlock("Warnings", [...verdict.warnings, ...jitWarnings(report)]),
    slopeBlock(
      `Memory, bytes per connection (${facts.mode === "quiet" ? "quiet V8 flags" : "default JIT"})`,
      verdict.slopes,
    ),
    jit === undefined
      ? ""
      : slopeBlock("Memory, bytes per connection (default JIT, for information)", jit.verdict.slopes),
    `${facts.subject}, Node ${facts.node}, seed ${facts.seed}, ${amount(Math.round(facts.elapsedMs / 1000))} s`,
  ];
  return blocks
    .filter((block) => block !== "")
    .map((block) => block.split("\n").map(plain).join("\n"))
    .join("\n\n");
}

function findingBlock(title: string, found: readonly Finding[]): string {
  if (found.length === 0) return "";
  const rows = found.map(({ ledger, subject, perConnection, interval, sinceRound }) => [
    ledger,
    plain(subject),
    amount(perConnection),
    interval === undefined ? "-" : limits(interval),
    String(sinceRound),
  ]);
  const grid = aligned([["ledger", "subject", "per connection", "95 % interval", "since round"], ...rows]);
  return [title, grid, ...found.map(({ text }) => `  - ${plain(text)}`)].join("\n");
}

function slopeBlock(title: string, slopes: readonly MemorySlope[]): string {
  if (slopes.length === 0) return "";
  const rows = slopes.map(({ series, bytesPerConnection, interval, tolerance, outcome }) => [
    plain(series),
    amount(bytesPerConnection),
    limits(interval),
    tolerance === undefined ? "-" : amount(tolerance),
    outcome,
  ]);
  return `${title}\n${aligned([["series", "slope", "95 % interval", "limit", "standing"], ...rows])}`;
}

function aligned(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n");
}
