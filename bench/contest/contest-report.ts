// What a contest found: one JSON document for machines, Markdown for people and for documents.

import { writeFileSync } from "node:fs";
import type { HostFacts } from "../harness/host-facts.ts";
import { hostFacts } from "../harness/host-facts.ts";
import type { Absence, Found } from "./contest.ts";
import { ratioText, tableOf, tablesByContestant, tablesByScenario } from "./contest-tables.ts";
import type { Division } from "./division.ts";
import { metrics } from "./division.ts";
import type { Goal, JudgedGoal } from "./goals.ts";
import { judge } from "./goals.ts";

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
  /** Whose figures are set in relation, in the last column of each table: to one other's, or (undefined) to each other's. */
  readonly compared: { readonly contestant: string; readonly against: string | undefined };
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
    ...facts.divisions.flatMap((division) => tablesOf(facts, division)),
    ...goalLines(goals),
    ...absenceLines(absences),
  ].join("\n");
  return { bench, schemaVersion: 1, host, programs, plan, seconds, goals, absences, found, markdown };
}

/** Prints the Markdown to stdout, writes the JSON where it is wanted, and sets the exit code: 1 if the run failed. */
export function publishContest(report: ContestReport, jsonFile: string | undefined): void {
  process.stdout.write(`${report.markdown}\n`);
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify(report)}\n`);
  process.exitCode = hasFailed(report) ? 1 : 0;
}

/** Whether a goal was missed, or could not be judged because there are no figures of the one that it is a goal for. */
export function hasFailed({ goals, found }: Pick<ContestReport, "goals" | "found">): boolean {
  return goals.some(({ verdict, division, scenario, contestant, metric }) => {
    const samples = found[division]?.[scenario]?.[contestant] ?? [];
    return verdict === "missed" || !samples.some((figures) => (figures[metric] ?? 0) > 0);
  });
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

function tablesOf({ found, compared }: ContestFacts, division: Division): readonly string[] {
  const { contestant, against } = compared;
  if (against === undefined) return tablesByContestant({ found, division, contestant });
  return tablesByScenario({ found, division, compared: { contestant, against } });
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

/** One line for each reason, with all the places that it holds for. */
function absenceLines(absences: readonly Absence[]): readonly string[] {
  const places = new Map<string, string[]>();
  for (const { division, contestant, scenario, why } of absences) {
    const reason = `${contestant}: not run, ${why.split("\n")[0] ?? ""}`;
    const place = scenario === undefined ? division : `${division}, ${scenario}`;
    places.set(reason, [...(places.get(reason) ?? []), place]);
  }
  const lines = [...places].map(([reason, where]) => `- ${reason} (${where.join("; ")})`);
  return lines.length === 0 ? [] : [...lines, ""];
}
