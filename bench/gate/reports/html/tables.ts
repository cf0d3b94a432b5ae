// The tables of the page: findings, slopes with their intervals drawn against the limit, scenarios and the facts of the run.

import type { Finding, MemorySlope, Verdict } from "../../verdict/finding.ts";
import { amount, bytes, limits } from "../../verdict/sentences.ts";
import { escapeMarkup } from "../escape.ts";
import type { RunFacts, ScenarioFacts } from "../run-facts.ts";

interface Cell {
  readonly markup: string;
  readonly number?: true;
}

function text(value: string): Cell {
  return { markup: escapeMarkup(value) };
}

function number(value: string): Cell {
  return { markup: escapeMarkup(value), number: true };
}

/** What was found, the worst first; an empty string if there is nothing. */
export function findingsTable({ findings, doubts, warnings }: Verdict): string {
  const lists = [
    { name: "leak", standing: "leak", list: findings },
    { name: "not decided", standing: "doubt", list: doubts },
    { name: "warning", standing: "warning", list: warnings },
  ] as const;
  const rows = lists.flatMap(({ name, standing, list }) =>
    list.map((found) => findingRow(found, `<span class="badge ${standing}">${name}</span>`)),
  );
  if (rows.length === 0) return "";
  const head = [
    text(""),
    text("Ledger"),
    text("Subject"),
    number("Per connection"),
    number("95 % interval"),
    number("Since round"),
    text("What it means"),
  ];
  return `<h2>Findings</h2>${grid(head, rows)}`;
}

function findingRow(found: Finding, badge: string): Cell[] {
  const { ledger, subject, perConnection, interval, sinceRound } = found;
  return [
    { markup: badge },
    text(ledger),
    text(subject),
    number(amount(perConnection)),
    number(interval === undefined ? "" : limits(interval)),
    number(String(sinceRound)),
    text(found.text),
  ];
}

/** Slopes of memory, with a drawing of each judged interval. */
export function slopesTable(title: string, slopes: readonly MemorySlope[]): string {
  if (slopes.length === 0) return "";
  const rows = slopes.map((slope) => [
    text(slope.series.replace("space:", "heap space ")),
    number(amount(slope.bytesPerConnection)),
    number(limits(slope.interval)),
    number(slope.tolerance === undefined ? "" : amount(slope.tolerance)),
    { markup: intervalPicture(slope) },
    text(slope.outcome),
  ]);
  const head = [
    text("Series"),
    number("Bytes per connection"),
    number("95 % interval"),
    number("Limit"),
    text("Interval and limit"),
    text("Standing"),
  ];
  return `<h2>${escapeMarkup(title)}</h2>${grid(head, rows)}`;
}

/** The interval on a line from a little below zero to a little above the limit; an arrow stands for a slope beyond its ends. */
function intervalPicture({ interval, bytesPerConnection, tolerance }: MemorySlope): string {
  if (tolerance === undefined) return "";
  const from = -1.5 * tolerance;
  const width = 4.5 * tolerance;
  const place = (value: number): number => Math.round(((value - from) / width) * 2200) / 10;
  const x = (value: number): number => Math.max(6, Math.min(214, place(value)));
  const vertical = (kind: string, value: number): string =>
    `<line class="${kind}" x1="${x(value)}" x2="${x(value)}" y1="2" y2="20"/>`;
  const [lower, upper] = interval;
  const parts = [
    '<line class="axis" x1="0" x2="220" y1="11" y2="11"/>',
    vertical("zero", 0),
    vertical("limit", tolerance),
    `<line class="span" x1="${x(lower)}" x2="${x(upper)}" y1="11" y2="11"/>`,
    markAt(place(bytesPerConnection)),
  ];
  const alt = `slope ${amount(bytesPerConnection)}, interval ${limits(interval)}, limit ${amount(tolerance)}`;
  return `<svg class="interval" viewBox="0 0 220 22" role="img" aria-label="${escapeMarkup(alt)}">${parts.join("")}</svg>`;
}

function markAt(x: number): string {
  if (x > 214) return '<path class="mark" d="M210 5l10 6-10 6z"/>';
  if (x < 6) return '<path class="mark" d="M10 5l-10 6 10 6z"/>';
  return `<circle class="mark" cx="${x}" cy="11" r="4"/>`;
}

/** What each scenario did. */
export function scenariosTable(list: readonly ScenarioFacts[]): string {
  if (list.length === 0) return "";
  const rows = list.map((scenario) => [
    text(scenario.name),
    text(scenario.title),
    number(amount(scenario.rounds)),
    number(amount(scenario.connections)),
    number(amount(scenario.requests)),
  ]);
  const head = [
    text("Scenario"),
    text("What one round does"),
    number("Rounds"),
    number("Connections"),
    number("Requests"),
  ];
  return `<h2>Scenarios</h2>${grid(head, rows)}`;
}

/** Where and how the run was made. */
export function factsTable(facts: RunFacts): string {
  const { host, flags } = facts;
  const rows: [string, string][] = [
    ["Tested", facts.subject],
    ["Caisson", facts.version],
    ["Commit", facts.commit ?? "unknown"],
    ["Node", facts.node],
    ["V8 flags", flags.length === 0 ? "none" : flags.join(" ")],
    ["Host", `${host.platform} ${host.arch}, ${host.cpus} x ${host.cpuModel}, ${bytes(host.memory)}`],
    ["Started", facts.startedAt],
    ["Seed", String(facts.seed)],
  ];
  if (facts.command !== undefined) rows.push(["Run it again", facts.command]);
  const drawn = rows.map(([name, value]) => `<tr><th>${name}</th><td><code>${escapeMarkup(value)}</code></td></tr>`);
  return `<h2>The run</h2><div class="wide"><table>${drawn.join("")}</table></div>`;
}

function grid(head: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const drawn = (cells: readonly Cell[], tag: "th" | "td"): string => {
    const inner = cells.map(
      (cell) => `<${tag}${cell.number === true ? ' class="number"' : ""}>${cell.markup}</${tag}>`,
    );
    return `<tr>${inner.join("")}</tr>`;
  };
  return `<div class="wide"><table>${drawn(head, "th")}${rows.map((row) => drawn(row, "td")).join("")}</table></div>`;
}
