// What a bench found: one JSON document for machines, one table and its verdicts for people.

import type { HostFacts } from "./host-facts.ts";
import { hostFacts } from "./host-facts.ts";

/** A bound that a figure must keep. */
export interface Check {
  readonly what: string;
  readonly value: number;
  /** The value must be below it. */
  readonly below: number;
}

/** A figure for people: a name and texts, one for each column. */
export type Row = readonly [string, ...string[]];

/** Everything that a bench found. */
export interface BenchReport {
  readonly bench: string;
  readonly host: HostFacts;
  /** How much was measured. */
  readonly plan: Readonly<Record<string, number | string>>;
  readonly columns: Row;
  readonly rows: readonly Row[];
  readonly checks: readonly Check[];
  /** Whether every check holds. */
  readonly passed: boolean;
  /** The raw measurements. */
  readonly data: unknown;
}

/** Makes a report of what was found. */
export function reportOf(found: Omit<BenchReport, "host" | "passed">): BenchReport {
  return { ...found, host: hostFacts(), passed: found.checks.every(({ value, below }) => value < below) };
}

/** Prints it to stdout, as JSON or for people, and sets the exit code: 0 if all checks hold, else 1. */
export function publish(report: BenchReport, format: "json" | "text"): void {
  process.stdout.write(format === "json" ? `${JSON.stringify(report)}\n` : reportText(report));
  process.exitCode = report.passed ? 0 : 1;
}

/** The report for people. */
export function reportText({ bench, host, plan, columns, rows, checks }: BenchReport): string {
  const lines = [
    `${bench}: Node ${host.node}, ${host.processors} processors (${host.processor}), load ${host.load}`,
    Object.entries(plan)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
    "",
    ...tableLines([columns, ...rows]),
    "",
    ...checks.map(({ what, value, below }) => {
      const holds = value < below ? "holds" : "BROKEN";
      return `${holds}: ${what} is ${figure(value)}, must be below ${figure(below)}`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}

/** A number with four significant digits, and never an exponent. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 3 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.001))));
  return value.toFixed(Number.isInteger(value) ? 0 : digits);
}

function tableLines(rows: readonly Row[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
