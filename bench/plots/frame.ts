// What all plots share: the sheet with its titles and colours, texts, the key, and scales that end at a round number. Pure.
// Colours follow the reader's light or dark scheme, on a ground of their own; nothing is loaded from elsewhere.

/** What stands around a plot. */
export interface PlotTitles {
  readonly title: string;
  readonly x: string;
  readonly y: string;
}

/** Width of every sheet. */
export const width = 720;
/** Parts of a scale. */
export const ticks = 5;

const style = `<style>
text{font:12px sans-serif;fill:#333}.t{font-size:15px}.s{fill:#fff}.g{stroke:#ddd}.i{stroke:#333}
.c0{--c:#1b6ca8}.c1{--c:#c4571a}.c2{--c:#3c8031}.c3{--c:#8a4b9c}.l{fill:none;stroke:var(--c);stroke-width:2}.b{fill:var(--c)}
@media (prefers-color-scheme:dark){text{fill:#ccc}.s{fill:#16191d}.g{stroke:#444}.i{stroke:#ccc}
.c0{--c:#6db3e8}.c1{--c:#f0975f}.c2{--c:#84c878}.c3{--c:#c795d6}}
</style>`;

/** A sheet of some height with its title. */
export function sheet(
  title: string,
  { height, parts }: { readonly height: number; readonly parts: readonly string[] },
): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`;
  const ground = `<rect class="s" width="${width}" height="${height}"/>`;
  return `${[head, style, ground, ...parts, "</svg>"].join("\n")}\n`;
}

/** The title's own text. */
export function heading(title: string, x: number): string {
  return label(title, { x, y: 24, anchor: "start" }).replace("<text", '<text class="t"');
}

/** A text; `anchor` is what of it stands at `x`. */
export function label(
  text: string,
  at: { readonly x: number; readonly y: number; readonly anchor: "start" | "middle" | "end" },
): string {
  return `<text x="${digits(at.x)}" y="${digits(at.y)}" text-anchor="${at.anchor}">${escaped(text)}</text>`;
}

/** The colour of the one at `index`, as a class. */
export function colour(index: number): string {
  return `c${index % 4}`;
}

/** A name with its colour, as one entry of a key. */
export function keyEntry(name: string, at: { readonly index: number; readonly x: number; readonly y: number }): string {
  const mark = `<rect class="b ${colour(at.index)}" x="${digits(at.x)}" y="${digits(at.y - 9)}" width="10" height="10"/>`;
  return mark + label(name, { x: at.x + 16, y: at.y, anchor: "start" });
}

/** The least round number that nothing exceeds, and that has round fifths. Throws RangeError for nothing. */
export function niceTop(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("nothing to plot");
  const most = Math.max(...values);
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 1.5, 2, 2.5, 3, 4, 5, 6, 8].find((factor) => factor * power >= most) ?? 10) * power;
}

/** A figure for people: three digits that count. */
export function number(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** A coordinate. */
export function digits(value: number): string {
  return String(Number(value.toFixed(1)));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
