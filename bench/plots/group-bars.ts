// Bars that lie, in groups, each with its interval and its figure beside it: for many contestants, and for figures of which
// one is a hundred times another. Pure.

import { colour, digits, heading, keyEntry, label, niceTop, number, sheet, ticks, width } from "./frame.ts";

/** One bar of a group; one that is undefined leaves its place free, because it was not measured. */
export type GroupBar = { readonly value: number; readonly lower: number; readonly upper: number } | undefined;

/** Bars of the same thing, in the order of the plot's key. */
export interface BarGroup {
  readonly name: string;
  readonly bars: readonly GroupBar[];
}

/** What stands around it. */
export interface GroupTitles {
  readonly title: string;
  /** What the figures are. */
  readonly x: string;
  /** What the bars of each group are; with one name there is no key. */
  readonly key: readonly KeyName[];
}

/** A name of the key, and which of the colours it has. */
export interface KeyName {
  readonly name: string;
  readonly colour: number;
}

const left = 230;
const right = width - 60;
const thick = 13;
const between = 9;

/** Draws them from above, in order. Throws RangeError if there is no bar. */
export function groupBarPlot({ title, x, key }: GroupTitles, groups: readonly BarGroup[]): string {
  const values = groups.flatMap(({ bars }) => bars.flatMap((bar) => (bar ? [bar.value, bar.upper] : [])));
  const top = niceTop(values);
  const begin = key.length > 1 ? 66 : 44;
  const each = key.length * thick + between;
  const end = begin + groups.length * each;
  const across = (value: number): number => left + (value / top) * (right - left);
  const grid = Array.from({ length: ticks + 1 }, (_, n) => {
    const [at, text] = [across((top * n) / ticks), number((top * n) / ticks)];
    const line = `<line class="g" x1="${digits(at)}" x2="${digits(at)}" y1="${begin - 4}" y2="${end}"/>`;
    return line + label(text, { x: at, y: end + 16, anchor: "middle" });
  });
  const drawn = groups.flatMap(({ name, bars }, index) => {
    const from = begin + index * each;
    const middle = from + (key.length * thick) / 2;
    return [
      label(name, { x: left - 8, y: middle + 4, anchor: "end" }),
      ...bars.flatMap((bar, place) =>
        bar ? [barAt(bar, { hue: key[place]?.colour ?? 0, y: from + place * thick, across })] : [],
      ),
    ];
  });
  const entries = key.length > 1 ? keyLine(key) : [];
  const under = label(x, { x: (left + right) / 2, y: end + 36, anchor: "middle" });
  return sheet(title, { height: end + 46, parts: [heading(title, 12), ...entries, ...grid, ...drawn, under] });
}

function barAt(
  { value, lower, upper }: NonNullable<GroupBar>,
  at: { readonly hue: number; readonly y: number; readonly across: (value: number) => number },
): string {
  const { hue, y, across } = at;
  const middle = digits(y + thick / 2);
  const box = `x="${left}" y="${digits(y)}" width="${digits(across(value) - left)}" height="${thick - 2}"`;
  return [
    `<rect class="b ${colour(hue)}" ${box}/>`,
    `<line class="i" x1="${digits(across(lower))}" x2="${digits(across(upper))}" y1="${middle}" y2="${middle}"/>`,
    label(number(value), { x: across(Math.max(value, upper)) + 5, y: y + thick - 3, anchor: "start" }),
  ].join("");
}

/** Names above the bars, one beside the other. */
function keyLine(names: readonly KeyName[]): readonly string[] {
  let x = left;
  return names.map(({ name, colour: index }) => {
    const entry = keyEntry(name, { index, x, y: 48 });
    x += 34 + name.length * 7;
    return entry;
  });
}
