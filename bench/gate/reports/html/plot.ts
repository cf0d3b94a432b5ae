// One chart as inline SVG: its lines over connections, the warm-up shaded, the baseline dashed, the round of a finding marked.
// Colours come from the page's style sheet by class, so that the same drawing serves light and dark.

import { bytes } from "../../verdict/sentences.ts";
import { escapeMarkup } from "../escape.ts";
import type { Chart, Charts } from "./charts.ts";

/** Size and margins of a chart, in units of its view box. */
export const frame = { width: 380, height: 168, left: 62, right: 12, top: 10, bottom: 24 } as const;

/** The id of what cuts lines off at the frame; a warm-up may lie far outside it. */
const clipId = "frame";

/** What the plots of a page refer to: needed once. */
export const definitions: string = `<svg class="definitions" width="0" height="0" aria-hidden="true"><clipPath id="${clipId}"><rect x="${frame.left - 1}" y="${frame.top - 1}" width="${frame.width - frame.left - frame.right + 2}" height="${frame.height - frame.top - frame.bottom + 2}"/></clipPath></svg>`;

/** What all charts of a page share. */
export interface Scene {
  readonly charts: Charts;
  /** The round of each sample. */
  readonly rounds: readonly number[];
}

/** The SVG of a chart. `id` is its place in the page's data. */
export function plot(chart: Chart, { charts, rounds }: Scene, id: number): string {
  const { axis, baseline } = charts;
  const { width, height, left, right, top, bottom } = frame;
  const [from, to] = rangeOf(chart, baseline);
  const first = axis.xs[0] ?? 0;
  const span = axis.span > 0 ? axis.span : 1;
  const x = (value: number): number => round(left + ((value - first) / span) * (width - left - right));
  const y = (value: number): number =>
    round(height - bottom - ((value - from) / (to - from)) * (height - top - bottom));
  const start = axis.xs[baseline];
  const floor = height - bottom;
  const parts = [
    `<svg class="plot" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(describe(chart))}" data-chart="${id}" data-from="${from}" data-to="${to}">`,
  ];
  if (start !== undefined && baseline > 0) {
    parts.push(
      `<rect class="warmup" x="${left}" y="${top}" width="${round(x(start) - left)}" height="${floor - top}"/>`,
    );
  }
  for (const tick of ticksOf(from, to, chart.unit)) {
    parts.push(`<line class="grid" x1="${left}" x2="${width - right}" y1="${y(tick)}" y2="${y(tick)}"/>`);
    parts.push(
      `<text class="tick" x="${left - 6}" y="${y(tick) + 3.5}" text-anchor="end">${label(tick, chart.unit)}</text>`,
    );
  }
  for (const tick of stepsBetween(first, first + span, 4)) {
    parts.push(
      `<text class="tick" x="${x(tick)}" y="${height - 8}" text-anchor="middle">${tick.toLocaleString("en-US")}</text>`,
    );
  }
  const base = chart.lines[0]?.values[baseline];
  if (base !== undefined && start !== undefined) {
    parts.push(`<line class="base" x1="${x(start)}" x2="${width - right}" y1="${y(base)}" y2="${y(base)}"/>`);
  }
  const since = chart.sinceRound === undefined ? -1 : rounds.indexOf(chart.sinceRound);
  if (since >= 0 && chart.standing !== "quiet") {
    const at = x(axis.xs[since] ?? first);
    parts.push(`<line class="since ${chart.standing}" x1="${at}" x2="${at}" y1="${top}" y2="${floor}"/>`);
  }
  for (const [index, { values }] of chart.lines.entries()) {
    const points = values.map((value, sample) => `${x(axis.xs[sample] ?? first)},${y(value)}`).join(" ");
    parts.push(`<polyline class="line s${index}" clip-path="url(#${clipId})" points="${points}"/>`);
  }
  parts.push(fitted(chart, charts, { x, y, from, to }));
  parts.push(`<line class="cursor" x1="0" x2="0" y1="${top}" y2="${floor}" visibility="hidden"/></svg>`);
  return parts.join("");
}

/** A line without axes, for a series that never moves. */
export function sparkline(values: readonly number[]): string {
  const least = Math.min(...values);
  const range = Math.max(...values) - least || 1;
  const points = values.map((value, index) => {
    const x = (index / Math.max(1, values.length - 1)) * 96 + 2;
    return `${round(x)},${round(9 - ((value - least) / range) * 6)}`;
  });
  return `<svg class="spark" viewBox="0 0 100 12" aria-hidden="true"><polyline class="line s0" points="${points.join(" ")}"/></svg>`;
}

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly from: number;
  readonly to: number;
}

/** The Theil-Sen line through the measured samples, at the height of their median. */
function fitted({ slope, lines }: Chart, { axis, baseline }: Charts, { x, y, from, to }: Scale): string {
  const values = lines[0]?.values.slice(baseline) ?? [];
  if (slope === undefined || slope.outcome === "not judged" || values.length < 3) return "";
  const xs = axis.xs.slice(baseline);
  const heights = values
    .map((value, index) => value - slope.bytesPerConnection * (xs[index] ?? 0))
    .toSorted((a, b) => a - b);
  const middle = heights[heights.length >> 1] ?? 0;
  const ends = [xs[0] ?? 0, xs.at(-1) ?? 0].map((at) => {
    const value = Math.max(from, Math.min(to, middle + slope.bytesPerConnection * at));
    return `${x(at)},${y(value)}`;
  });
  return `<polyline class="fit" points="${ends.join(" ")}"/>`;
}

/** From the measured samples: what a warm-up lies above or below them would flatten everything that is judged. */
function rangeOf({ lines, unit }: Chart, baseline: number): readonly [number, number] {
  const isMeasured = lines.some(({ values }) => baseline < values.length);
  const values = lines.flatMap((each) => (isMeasured ? each.values.slice(baseline) : each.values));
  const least = Math.min(...values);
  const most = Math.max(...values);
  // A flat heap must look flat: noise of a few hundred bytes is not stretched to the height of the chart.
  const smallest = unit === "bytes" ? Math.max(16_384, most * 0.002) : 4;
  const missing = Math.max(0, smallest - (most - least));
  const pad = (most - least) * 0.06;
  const from = unit === "count" ? Math.max(0, least - missing / 2) : least - missing / 2 - pad;
  return [Math.floor(from), Math.ceil(Math.max(most + missing / 2 + pad, from + smallest))];
}

function ticksOf(from: number, to: number, unit: Chart["unit"]): number[] {
  if (unit === "count") return stepsBetween(from, to, 4).filter((tick) => Number.isInteger(tick));
  return stepsBetween(from / 1024, to / 1024, 4).map((tick) => tick * 1024);
}

/** Round numbers between two values, at most `most` + 1 of them. */
export function stepsBetween(from: number, to: number, most: number): number[] {
  const rough = (to - from) / most;
  if (!(rough > 0) || !Number.isFinite(rough)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? 10 * power;
  const steps: number[] = [];
  for (let index = Math.ceil(from / step); index * step <= to; index++)
    steps.push(Number((index * step).toPrecision(12)));
  return steps;
}

function label(value: number, unit: Chart["unit"]): string {
  if (unit === "count") return value.toLocaleString("en-US");
  const kib = value / 1024;
  return Math.abs(kib) < 100_000 ? `${Math.round(kib).toLocaleString("en-US")} K` : bytes(value);
}

function describe({ title, lines, standing, unit }: Chart): string {
  const last = lines.map(({ name, values }) => {
    const value = values.at(-1) ?? 0;
    return `${name} ${unit === "bytes" ? bytes(value) : value}`;
  });
  return `${title}, ${standing}; at the end: ${last.join(", ")}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
