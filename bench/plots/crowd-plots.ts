// The plots of bench:idle and bench:storm, from their JSON: bytes of the server per tunnel that stands, and the share of the
// clients that are back, over time. Pure.

import { spreadOf } from "../harness/statistics.ts";
import { groupBarPlot } from "./group-bars.ts";
import type { LineSeries } from "./svg.ts";
import { linePlot } from "./svg.ts";

interface Host {
  readonly at: string;
  readonly load: number;
  readonly node: string;
}

interface Memory {
  readonly rss: number;
}

/** What the plot needs of a report of bench:idle. */
export interface IdleResults {
  readonly host: Host;
  readonly data: {
    readonly contestants: Readonly<
      Record<string, readonly { readonly tunnels: number; readonly before: Memory; readonly collected: Memory }[]>
    >;
  };
}

/** What the plot needs of a report of bench:storm. */
export interface StormResults {
  readonly host: Host;
  readonly data: { readonly storms: readonly { readonly backMs: readonly number[] }[] };
}

/** Points of a line at most: more than pixels across say nothing. */
const mostPoints = 100;

/** SVG texts by file name. */
export function idlePlots({ host, data }: IdleResults): Readonly<Record<string, string>> {
  const measured = Object.entries(data.contestants).filter(([, rounds]) => rounds.length > 0);
  const groups = measured.map(([name, rounds]) => {
    const spread = spreadOf(rounds.map(({ tunnels, before, collected }) => (collected.rss - before.rss) / tunnels));
    const kb = {
      value: spread.median / 1_000,
      lower: spread.lowerQuartile / 1_000,
      upper: spread.upperQuartile / 1_000,
    };
    // Short, because there is little room beside the bars.
    return { name: `${name.replace(" tunnels", "")} (${rounds[0]?.tunnels ?? 0})`, bars: [kb] };
  });
  const title = `RSS of the server per idle tunnel (${whenOf(host)})`;
  const x = "KB of 1,000 bytes per tunnel (how many tunnels stood); less is better";
  return { "idle-memory.svg": groupBarPlot({ title, x, key: [{ name: "", colour: 0 }] }, groups) };
}

/** SVG texts by file name. */
export function stormPlots({ host, data }: StormResults): Readonly<Record<string, string>> {
  const title = `Clients that are back after a kill (${whenOf(host)})`;
  const series = data.storms.map(({ backMs }, index) => shareBack(`storm ${index + 1}`, backMs));
  return { "storm-back.svg": linePlot({ title, x: "seconds since the server was killed", y: "%" }, series) };
}

/** A point at each hundredth of the clients. */
function shareBack(name: string, backMs: readonly number[]): LineSeries {
  const shares = Array.from(
    { length: Math.min(mostPoints, backMs.length) },
    (_, n) => (n + 1) / Math.min(mostPoints, backMs.length),
  );
  const points = shares.map((share) => ({
    x: (backMs[Math.ceil(share * backMs.length - 1e-9) - 1] ?? 0) / 1_000,
    y: share * 100,
  }));
  return { name, points: [{ x: 0, y: 0 }, { x: (backMs[0] ?? 0) / 1_000, y: 0 }, ...points] };
}

function whenOf({ at, load, node }: Host): string {
  return `${at.slice(0, 10)}, Node ${node}, load ${load}`;
}
