// Plots as SVG text: lines over time, and bars with intervals. Pure: the same figures give the same bytes. Colours follow
// the reader's light or dark scheme; nothing is loaded from elsewhere.

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

/** What stands around a plot. */
export interface PlotTitles {
  readonly title: string;
  readonly x: string;
  readonly y: string;
}

const width = 720;
const height = 360;
const area = { left: 70, top: 40, right: width - 170, bottom: height - 50 } as const;
const ticks = 5;
const style = `<style>
text{font:12px sans-serif;fill:#333}.t{font-size:15px}.g{stroke:#ddd}.i{stroke:#333}
.c0{--c:#1b6ca8}.c1{--c:#c4571a}.c2{--c:#3c8031}.c3{--c:#8a4b9c}.l{fill:none;stroke:var(--c);stroke-width:2}.b{fill:var(--c)}
@media (prefers-color-scheme:dark){text{fill:#ccc}.g{stroke:#444}.i{stroke:#ccc}
.c0{--c:#6db3e8}.c1{--c:#f0975f}.c2{--c:#84c878}.c3{--c:#c795d6}}
</style>`;

/** Lines over a common axis that begins at 0. Throws RangeError if there is no point. */
export function linePlot(titles: PlotTitles, series: readonly LineSeries[]): string {
  const points = series.flatMap((one) => one.points);
  const [xTop, yTop] = [niceTop(points.map(({ x }) => x)), niceTop(points.map(({ y }) => y))];
  const lines = series.map(({ points: own }, index) => {
    const path = own.map(({ x, y }) => `${digits(across(x / xTop))},${digits(up(y / yTop))}`).join(" ");
    return `<polyline class="l c${index % 4}" points="${path}"/>`;
  });
  const labels = Array.from({ length: ticks + 1 }, (_, n) =>
    label(number((xTop * n) / ticks), { x: across(n / ticks), y: area.bottom + 18, anchor: "middle" }),
  );
  return document(titles, [...grid(yTop), ...labels, ...lines, ...legend(series.map(({ name }) => name))]);
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
      `<rect class="b c${index % 4}" ${box} height="${digits(area.bottom - at)}"/>`,
      `<line class="i" x1="${digits(middle)}" x2="${digits(middle)}" y1="${low}" y2="${high}"/>`,
      label(name, { x: middle, y: area.bottom + 18, anchor: "middle" }),
    ];
  });
  return document(titles, [...grid(top), ...drawn]);
}

function document({ title, x, y }: PlotTitles, parts: readonly string[]): string {
  const frame = [
    label(title, { x: area.left, y: 24, anchor: "start" }).replace("<text", '<text class="t"'),
    label(x, { x: (area.left + area.right) / 2, y: height - 12, anchor: "middle" }),
    label(y, { x: area.left - 8, y: area.top - 6, anchor: "end" }),
  ];
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`;
  return `${[head, style, ...frame, ...parts, "</svg>"].join("\n")}\n`;
}

function grid(top: number): string[] {
  return Array.from({ length: ticks + 1 }, (_, n) => {
    const y = up(n / ticks);
    const line = `<line class="g" x1="${area.left}" x2="${area.right}" y1="${digits(y)}" y2="${digits(y)}"/>`;
    return line + label(number((top * n) / ticks), { x: area.left - 8, y: y + 4, anchor: "end" });
  });
}

function legend(names: readonly string[]): string[] {
  return names.map((name, index) => {
    const y = area.top + 12 + index * 20;
    const mark = `<rect class="b c${index % 4}" x="${area.right + 14}" y="${y - 9}" width="10" height="10"/>`;
    return mark + label(name, { x: area.right + 30, y, anchor: "start" });
  });
}

function label(text: string, at: { readonly x: number; readonly y: number; readonly anchor: string }): string {
  return `<text x="${digits(at.x)}" y="${digits(at.y)}" text-anchor="${at.anchor}">${escaped(text)}</text>`;
}

function across(share: number): number {
  return area.left + share * (area.right - area.left);
}

function up(share: number): number {
  return area.bottom - share * (area.bottom - area.top);
}

/** The least of 1, 2, 2.5 and 5 times a power of ten that nothing exceeds. */
function niceTop(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("nothing to plot");
  const most = Math.max(...values);
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 2.5, 5].find((factor) => factor * power >= most) ?? 10) * power;
}

function number(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function digits(value: number): string {
  return String(Number(value.toFixed(1)));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
