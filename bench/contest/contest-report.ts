// What a contest found: one JSON document for machines, Markdown for people and for documents.

import { writeFileSync } from "node:fs";
import type { HostFacts } from "../harness/host-facts.ts";
import { hostFacts } from "../harness/host-facts.ts";
import type { Ratio } from "../harness/statistics.ts";
import { spreadOf } from "../harness/statistics.ts";
import type { Absence, Found } from "./contest.ts";
import type { Division, MetricName } from "./division.ts";
import { metrics } from "./division.ts";
import type { Goal, JudgedGoal } from "./goals.ts";
import { judge, ratioOf } from "./goals.ts";

/** The document. */
export interface ContestReport {
  readonly bench: string;
  readonly schemaVersion: 1;
  /** Read before anything ran, so that the load is that of others. */
  readonly host: HostFacts;
  readonly programs: Readonly<Record<string, string>>;
  readonly plan: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly goals: readonly JudgedGoal[];
  readonly absences: readonly Absence[];
  /** The raw measurements. */
  readonly found: Found;
  readonly markdown: string;
}

/** What a report is made of. */
export interface ContestFacts {
  readonly bench: string;
  readonly host: HostFacts;
  /** Versions of what was measured and of what measured it. */
  readonly programs: Readonly<Record<string, string>>;
  readonly plan: Readonly<Record<string, number>>;
  readonly startedAtMs: number;
  readonly divisions: readonly Division[];
  readonly goals: readonly Goal[];
  /** Whose figures are set in relation to whose, in the last column of each table. */
  readonly compared: { readonly contestant: string; readonly against: string };
  readonly found: Found;
  readonly absences: readonly Absence[];
}

/** Facts about the machine before a run. */
export function factsBefore(): { readonly host: HostFacts; readonly startedAtMs: number } {
  return { host: hostFacts(), startedAtMs: performance.now() };
}

/** Makes the report. */
export function contestReport(facts: ContestFacts): ContestReport {
  const { bench, host, programs, plan, found, absences, startedAtMs } = facts;
  const goals = facts.goals.map((goal) => judge(found, goal));
  const seconds = Math.round((performance.now() - startedAtMs) / 1000);
  const markdown = [
    ...headLines(facts, seconds),
    ...facts.divisions.flatMap((division) => divisionLines(facts, division)),
    ...goalLines(goals),
    ...absenceLines(absences),
  ].join("\n");
  return { bench, schemaVersion: 1, host, programs, plan, seconds, goals, absences, found, markdown };
}

/** Prints the Markdown to stdout, writes the JSON where it is wanted, and sets the exit code: 1 if a goal was missed. */
export function publishContest(report: ContestReport, jsonFile: string | undefined): void {
  process.stdout.write(`${report.markdown}\n`);
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify(report)}\n`);
  process.exitCode = report.goals.some(({ verdict }) => verdict === "missed") ? 1 : 0;
}

function headLines({ host, programs, plan }: ContestFacts, seconds: number): readonly string[] {
  const { at, node, processors, processor, memoryBytes, system, load } = host;
  const versions = Object.entries(programs).map(([name, version]) => `${name} ${version}`);
  return [
    `${at.slice(0, 16).replace("T", " ")} UTC, ${processors} processors (${processor}), ${Math.round(memoryBytes / 2 ** 30)} GiB, ${system}, load ${load} before the run.`,
    `Node ${node.slice(1)}, ${versions.join(", ")}. The run took ${seconds} s: ${settings(plan)}.`,
    "",
  ];
}

function settings(plan: Readonly<Record<string, number>>): string {
  return Object.entries(plan)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

function divisionLines(
  facts: ContestFacts,
  { title, contestants, scenarios, metrics: shown }: Division,
): readonly string[] {
  const names = contestants.map(({ name }) => name);
  return shown.flatMap((metric) => {
    const rows = scenarios.flatMap(({ name }) => rowOf(facts, { division: title, scenario: name, metric, names }));
    if (rows.length === 0) return [];
    const { contestant, against } = facts.compared;
    const columns = [title, ...names, `${contestant} / ${against} (95 %)`];
    return [`**${title}: ${metrics[metric]}**, median (quartiles)`, "", ...tableOf([columns, ...rows]), ""];
  });
}

interface RowPlace {
  readonly division: string;
  readonly scenario: string;
  readonly metric: MetricName;
  readonly names: readonly string[];
}

/** A row, or none where nobody has such a figure. */
function rowOf(
  { found, compared }: ContestFacts,
  { division, scenario, metric, names }: RowPlace,
): readonly string[][] {
  const samples = found[division]?.[scenario] ?? {};
  const cells = names.map((name) => {
    const values = (samples[name] ?? []).map((figures) => figures[metric]).filter((value) => value !== undefined);
    if (values.length === 0) return "";
    const { median, lowerQuartile, upperQuartile } = spreadOf(values);
    return `${rounded(median)} (${rounded(lowerQuartile)} to ${rounded(upperQuartile)})`;
  });
  if (cells.every((cell) => cell === "")) return [];
  return [[scenario, ...cells, ratioText(ratioOf(found, { division, scenario, metric, ...compared }))]];
}

function goalLines(goals: readonly JudgedGoal[]): readonly string[] {
  if (goals.length === 0) return [];
  const rows = goals.map(({ division, scenario, metric, contestant, against, bound, ratio, verdict }) => [
    `${division}, ${scenario}: ${metrics[metric]}`,
    "atLeast" in bound ? `at least ${bound.atLeast} x ${against}` : `at most ${bound.atMost} x ${against}`,
    `${contestant}: ${ratioText(ratio)}`,
    `**${verdict}**`,
  ]);
  return [...tableOf([["goal", "bound", "paired ratio (95 %)", "verdict"], ...rows]), ""];
}

function absenceLines(absences: readonly Absence[]): readonly string[] {
  const texts = absences.map(({ division, contestant, scenario, why }) => {
    const where = scenario === undefined ? division : `${division}, ${scenario}`;
    return `- ${contestant}, ${where}: not run, ${why.split("\n")[0] ?? ""}`;
  });
  return texts.length === 0 ? [] : [...texts, ""];
}

function ratioText(ratio: Ratio | undefined): string {
  if (ratio === undefined) return "";
  if (ratio.pairs === 1) return `${ratio.ratio.toFixed(2)} (one round)`;
  return `${ratio.ratio.toFixed(2)} (${ratio.lower.toFixed(2)} to ${ratio.upper.toFixed(2)})`;
}

/** Three digits are all that such a machine tells. */
function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** A table in the form that formatters of Markdown leave alone: every column as wide as its widest cell. */
function tableOf(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  const [head = [], ...others] = rows;
  return [line(head), rule, ...others.map(line)];
}
