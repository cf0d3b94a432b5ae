// What a bench found: one JSON document for machines, one table and its verdicts for people.

import type { HostFacts } from "./host-facts.ts";
import { hostFacts } from "./host-facts.ts";

/** A bound that a figure must keep. */
export type Check = {
  readonly what: string;
  readonly value: number;
  /** Why this run cannot tell, whatever the value is: it is too small, or what it needs is not there. */
  readonly notShown?: string;
  /** It is told, but is no goal of its own: beyond its bound it fails nothing. */
  readonly informs?: true;
} & (
  | {
      /** The value must be below it. */
      readonly below: number;
    }
  | {
      /** The value must not be below it. */
      readonly atLeast: number;
    }
);

/** What became of a bound. */
export type Verdict = "holds" | "missed" | "not shown";

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
  /** Whether no check is missed that is a goal. */
  readonly passed: boolean;
  /** The raw measurements. */
  readonly data: unknown;
}

/** How results are wanted. */
export type ReportFormat = "json" | "text" | "markdown";

const printers: Readonly<Record<ReportFormat, (report: BenchReport) => string>> = {
  json: (report) => `${JSON.stringify(report)}\n`,
  text: reportText,
  markdown: reportMarkdown,
};

/** Makes a report of what was found. */
export function reportOf(found: Omit<BenchReport, "host" | "passed">): BenchReport {
  return {
    ...found,
    host: hostFacts(),
    passed: found.checks.every((check) => check.informs || verdictOf(check) !== "missed"),
  };
}

/** Whether the figure keeps its bound. */
export function verdictOf(check: Check): Verdict {
  if (check.notShown !== undefined) return "not shown";
  const kept = "below" in check ? check.value < check.below : check.value >= check.atLeast;
  return kept ? "holds" : "missed";
}

/** Prints it to stdout and sets the exit code: 1 if a check is missed, else 0. */
export function publish(report: BenchReport, format: ReportFormat): void {
  process.stdout.write(printers[format](report));
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
    ...checks.map(checkText),
  ];
  return `${lines.join("\n")}\n`;
}

/** The report for documents. */
export function reportMarkdown({ columns, rows, checks }: BenchReport): string {
  const line = (row: Row): string => `| ${row.join(" | ")} |`;
  const table = [line(columns), `|${columns.map(() => " --- |").join("")}`, ...rows.map(line)];
  return `${[...table, "", ...checks.map((check) => `- ${checkText(check)}`)].join("\n")}\n`;
}

function checkText(check: Check): string {
  const { what, value, notShown, informs } = check;
  const bound = "below" in check ? `must be below ${figure(check.below)}` : `must be at least ${figure(check.atLeast)}`;
  const why = notShown === undefined ? "" : ` (${notShown})`;
  const verdict = informs ? `for information, ${verdictOf(check)}` : verdictOf(check);
  return `${verdict}: ${what} is ${figure(value)}, ${bound}${why}`;
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
