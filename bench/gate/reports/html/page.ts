// The gate's answer as one HTML page that needs nothing else: verdict, findings, slopes, and a plot of every series.
// It fetches nothing, and its policy forbids it to.

import { createHash } from "node:crypto";
import type { MemorySlope, Verdict } from "../../verdict/finding.ts";
import type { Sample } from "../../verdict/sample.ts";
import { amount, bytes, limits, sentence } from "../../verdict/sentences.ts";
import { partOf } from "../../merge-verdicts.ts";
import { escapeMarkup } from "../escape.ts";
import { reasonOf, workOf } from "../line.ts";
import { jitWarnings, outcomeOf } from "../outcome.ts";
import type { GateReport } from "../run-facts.ts";
import { chartsOf, moves, usedMemory, type Chart, type Charts, type Group } from "./charts.ts";
import { hover } from "./hover.ts";
import { definitions, frame, plot, sparkline, type Scene } from "./plot.ts";
import { style } from "./style.ts";
import { factsTable, findingsTable, scenariosTable, slopesTable } from "./tables.ts";

const headings = { clean: "Clean", leak: "Leak found", undecided: "Undecided", failed: "The run failed" } as const;

/** A complete document. */
export function html(report: GateReport): string {
  const { verdict, samples, facts, client = [], jit } = report;
  const outcome = outcomeOf(report);
  const charts = chartsOf(samples, partOf(verdict, "server"));
  const ofClient = chartsOf(client, partOf(verdict, "client")).groups;
  const drawing = new Drawing({ charts, rounds: samples.map(({ round }) => round) });
  const body = [
    `<section class="verdict ${outcome}"><h1>${headings[outcome]}</h1><p>${escapeMarkup(sentence(reasonOf(report)))}</p>${failurePart(report)}</section>`,
    tiles(report),
    findingsTable({ ...verdict, warnings: [...verdict.warnings, ...jitWarnings(report)] }),
    slopesTable("Memory slopes", slopesOfUsed(samples, verdict)),
    jit === undefined
      ? ""
      : slopesTable("Memory slopes with the default JIT (for information)", slopesOfUsed(jit.samples, jit.verdict)),
    ...drawing.sections([
      ...charts.groups,
      ...ofClient.map(({ title, ...of }) => ({ title: `Client process: ${title}`, ...of })),
    ]),
    scenariosTable(facts.scenarios),
    factsTable(facts),
    `<footer>caisson gate, ${escapeMarkup(workOf(verdict))}.</footer>`,
  ];
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(hover)}'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Leak gate: ${outcome}</title><style>${style}</style></head><body>${definitions}<main>`,
    ...body,
    `</main><div id="tip" hidden></div><script type="application/json" id="data">${drawing.data()}</script>`,
    `<script>${hover}</script></body></html>\n`,
  ].join("\n");
}

/** All of a failure that has more than its first line. */
function failurePart({ failure = "" }: GateReport): string {
  if (!failure.includes("\n")) return "";
  return `<pre>${failure.split("\n").map(escapeMarkup).join("\n")}</pre>`;
}

/** The slopes, without those of heap spaces in which nothing ever was. */
function slopesOfUsed(samples: readonly Sample[], { slopes }: Verdict): readonly MemorySlope[] {
  const used = usedMemory(samples);
  return slopes.filter(({ series }) => used.has(series));
}

/** Draws charts, and remembers in order what the pointer will ask about. */
class Drawing {
  readonly #scene: Scene;
  readonly #plotted: Chart[] = [];

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  sections(groups: readonly Group[]): string[] {
    const key = keyOf(this.#scene.charts);
    return groups.map(
      (group, index) => `<h2>${escapeMarkup(group.title)}</h2>${index === 0 ? key : ""}${this.#group(group)}`,
    );
  }

  /** JSON that cannot end its script element. */
  data(): string {
    const { charts, rounds } = this.#scene;
    const lines = this.#plotted.map((chart) => chart.lines.map(({ name, values }) => [name, values]));
    const data = { xs: charts.axis.xs, unit: charts.axis.unit, rounds, frame, charts: lines };
    return JSON.stringify(data).replaceAll("<", String.raw`\u003c`);
  }

  #group({ charts }: Group): string {
    const worst = ["leak", "doubt", "warning", "quiet"];
    const moving = charts.filter((chart) => chart.standing !== "quiet" || moves(chart));
    const ordered = moving.toSorted((a, b) => worst.indexOf(a.standing) - worst.indexOf(b.standing));
    const figures = ordered.map((chart) => this.#figure(chart));
    const still = charts.filter((chart) => !moving.includes(chart));
    const plots = figures.length > 0 ? `<div class="charts">${figures.join("")}</div>` : "";
    return plots + stillList(still);
  }

  #figure(chart: Chart): string {
    const id = this.#plotted.push(chart) - 1;
    const badge = chart.standing === "quiet" ? "" : `<span class="badge ${chart.standing}">${chart.standing}</span>`;
    return `<figure class="${chart.standing}"><figcaption><h3>${escapeMarkup(chart.title)}</h3>${badge}</figcaption>${legend(chart)}${plot(chart, this.#scene, id)}</figure>`;
  }
}

function legend({ lines, slope, unit }: Chart): string {
  const shown = (value: number): string => (unit === "bytes" ? bytes(value) : amount(value));
  if (slope !== undefined) {
    return `<div class="legend"><span>${escapeMarkup(`${amount(slope.bytesPerConnection)} bytes per connection ${limits(slope.interval)}`)}</span></div>`;
  }
  const entries = lines.map(({ name, values }, index) => {
    const colour = lines.length > 1 ? `<i class="s${index}"></i>${escapeMarkup(name)} ` : "at the end ";
    return `<span>${colour}${escapeMarkup(shown(values.at(-1) ?? 0))}</span>`;
  });
  return `<div class="legend">${entries.join("")}</div>`;
}

function keyOf({ axis, baseline }: Charts): string {
  const warm = baseline > 0 ? "; the warm-up is shaded, and cut off where it lies outside of what was measured" : "";
  return `<p class="key">Over ${axis.unit}s made so far${warm}. Dashed grey: the baseline. Dashed green: the fitted slope. A vertical line: where a finding begins.</p>`;
}

function stillList(charts: readonly Chart[]): string {
  if (charts.length === 0) return "";
  const items = charts.map(({ title, lines, unit }) => {
    const values = lines[0]?.values ?? [];
    const value = values.at(-1) ?? 0;
    const shown = unit === "bytes" ? bytes(value) : amount(value);
    return `<li><span>${escapeMarkup(title)}</span>${sparkline(values)}<b>${escapeMarkup(shown)}</b></li>`;
  });
  const count = `${charts.length} series that never moved`;
  return `<details><summary>${count}</summary><ul class="still">${items.join("")}</ul></details>`;
}

function tiles({ verdict, facts }: GateReport): string {
  const heap = verdict.slopes.find(({ series }) => series === "heapUsed");
  const entries: [string, string][] = [
    ["Connections measured", amount(verdict.connections)],
    ["Requests measured", amount(verdict.requests)],
    ["Rounds measured", amount(verdict.rounds)],
    [
      "Heap, bytes per connection",
      heap === undefined ? "unknown" : `${amount(heap.bytesPerConnection)} ${limits(heap.interval)}`,
    ],
    ["Time", `${amount(Math.round(facts.elapsedMs / 1000))} s`],
    ["Node", facts.node],
    ["V8", facts.mode === "quiet" ? "quiet flags" : "default JIT"],
  ];
  const drawn = entries.map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeMarkup(value)}</dd></div>`);
  return `<dl class="tiles">${drawn.join("")}</dl>`;
}

function hashOf(source: string): string {
  return `sha256-${createHash("sha256").update(source).digest("base64")}`;
}
