// The plots of bench:wan, from its JSON: how one download gets on over each line, and what its rate was. Pure.

import { spreadOf } from "../harness/statistics.ts";
import { barPlot, linePlot } from "./svg.ts";

/** What the plots need of a report of bench:wan. */
export interface WanResults {
  readonly host: { readonly at: string; readonly load: number; readonly node: string };
  readonly data: {
    readonly lines: Readonly<
      Record<
        string,
        readonly {
          readonly megabytesPerSecond: number;
          readonly moments: readonly { readonly atMs: number; readonly bytes: number; readonly windowBytes: number }[];
        }[]
      >
    >;
  };
}

/** SVG texts by file name. */
export function wanPlots({ host, data }: WanResults): Readonly<Record<string, string>> {
  const when = `${host.at.slice(0, 10)}, Node ${host.node}, load ${host.load}`;
  const lines = Object.entries(data.lines);
  return {
    "wan-window.svg": linePlot(
      { title: `Window of one download, first round (${when})`, x: "seconds", y: "MB" },
      lines.map(([name, rounds]) => ({
        name,
        points: (rounds[0]?.moments ?? []).map(({ atMs, windowBytes }) => ({ x: atMs / 1_000, y: windowBytes / 1e6 })),
      })),
    ),
    "wan-rate.svg": barPlot(
      { title: `One download over a long line (${when})`, x: "round trip", y: "MB/s" },
      lines.map(([name, rounds]) => {
        const spread = spreadOf(rounds.map((round) => round.megabytesPerSecond));
        return { name, value: spread.median, lower: spread.lowerQuartile, upper: spread.upperQuartile };
      }),
    ),
  };
}
