// Plots as SVG text: lines over time, and bars with intervals. Pure: the same figures give the same bytes.

import type { PlotTitles } from "./frame.ts";
import { colour, digits, heading, keyEntry, label, niceTop, number, sheet, ticks, width } from "./frame.ts";

/** Some points that belong together. */
export interface LineSeries {
  readonly name: string;
  /** In order of x. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** One figure with its spread. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
}

const height = 360;
const area = { left: 70, top: 40, right: width - 170, bottom: height - 50 } as const;

/** Lines over a common axis that begins at 0. Throws RangeError if there is no point. */
export function linePlot(titles: PlotTitles, series: readonly LineSeries[]): string {
  const points = series.flatMap((one) => one.points);
  const [xTop, yTop] = [niceTop(points.map(({ x }) => x)), niceTop(points.map(({ y }) => y))];
  const lines = series.map(({ points: own }, index) => {
    const path = own.map(({ x, y }) => `${digits(across(x / xTop))},${digits(up(y / yTop))}`).join(" ");
    return `<polyline class="l ${colour(index)}" points="${path}"/>`;
  });
  const labels = Array.from({ length: ticks + 1 }, (_, n) =>
    label(number((xTop * n) / ticks), { x: across(n / ticks), y: area.bottom + 18, anchor: "middle" }),
  );
  const key = series.map(({ name }, index) =>
    keyEntry(name, { index, x: area.right + 14, y: area.top + 12 + index * 20 }),
  );
  return framed(titles, [...grid(yTop), ...labels, ...lines, ...key]);
}

/** Bars from 0, each with its interval. Throws RangeError if there is none. */
export function barPlot(titles: PlotTitles, bars: readonly Bar[]): string {
  const top = niceTop(bars.map(({ value, upper }) => Math.max(value, upper)));
  const each = (area.right - area.left) / bars.length;
  const drawn = bars.flatMap(({ name, value, lower, upper }, index) => {
    const middle = area.left + each * (index + 0.5);
    const at = up(value / top);
    const box = `x="${digits(middle - each * 0.3)}" y="${digits(at)}" width="${digits(each * 0.6)}"`;
    const [low, high] = [digits(up(lower / top)), digits(up(upper / top))];
    return [
      `<rect class="b ${colour(index)}" ${box} height="${digits(area.bottom - at)}"/>`,
      `<line class="i" x1="${digits(middle)}" x2="${digits(middle)}" y1="${low}" y2="${high}"/>`,
      label(name, { x: middle, y: area.bottom + 18, anchor: "middle" }),
    ];
  });
  return framed(titles, [...grid(top), ...drawn]);
}

function framed({ title, x, y }: PlotTitles, parts: readonly string[]): string {
  const frame = [
    heading(title, area.left),
    label(x, { x: (area.left + area.right) / 2, y: height - 12, anchor: "middle" }),
    label(y, { x: area.left - 8, y: area.top - 12, anchor: "end" }),
  ];
  return sheet(title, { height, parts: [...frame, ...parts] });
}

function grid(top: number): string[] {
  return Array.from({ length: ticks + 1 }, (_, n) => {
    const y = up(n / ticks);
    const line = `<line class="g" x1="${area.left}" x2="${area.right}" y1="${digits(y)}" y2="${digits(y)}"/>`;
    return line + label(number((top * n) / ticks), { x: area.left - 8, y: y + 4, anchor: "end" });
  });
}

function across(share: number): number {
  return area.left + share * (area.right - area.left);
}

function up(share: number): number {
  return area.bottom - share * (area.bottom - area.top);
}
