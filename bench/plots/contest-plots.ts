// The plots of bench:throughput and bench:peers, from their JSON: what was moved, and what that cost, per contestant. Pure.

import { spreadOf } from "../harness/statistics.ts";
import type { BarGroup, GroupBar, KeyName } from "./group-bars.ts";
import { groupBarPlot } from "./group-bars.ts";

/** What the plots need of a report of a contest. */
export interface ContestResults {
  readonly host: { readonly at: string; readonly load: number; readonly node: string };
  /** Figures by division, scenario, contestant and round. */
  readonly found: Readonly<
    Record<string, Readonly<Record<string, Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>>>>
  >;
}

/** Which figures, of which division and scenarios. */
interface Shown {
  readonly division: string;
  readonly metric: string;
  /** Scenarios whose names hold it. */
  readonly holding: string;
}

/** SVG texts by file name; what was not measured has none. */
export function throughputPlots(results: ContestResults): Readonly<Record<string, string>> {
  const [small, moved] = [
    { division: "requests", holding: "GET 110 B" },
    { division: "transfers", holding: "" },
  ];
  const when = whenOf(results);
  return present(
    [
      [
        "throughput-requests.svg",
        `Requests per second, answers of 110 B (${when})`,
        { ...small, metric: "requestsPerSecond" },
      ],
      ["throughput-cpu.svg", `CPU per request, answers of 110 B (${when})`, { ...small, metric: "cpuUsPerRequest" }],
      ["throughput-transfers.svg", `Transfers (${when})`, { ...moved, metric: "megabytesPerSecond" }],
    ],
    (title, shown) => byScenario(results, { title, shown }),
  );
}

/** SVG texts by file name; what was not measured has none. */
export function peersPlots(results: ContestResults): Readonly<Record<string, string>> {
  const when = whenOf(results);
  const busy = { division: "requests", holding: "64 connections" };
  return present(
    [
      [
        "peers-requests.svg",
        `Requests per second at 64 connections (${when})`,
        { ...busy, metric: "requestsPerSecond" },
      ],
      ["peers-cpu.svg", `CPU per request at 64 connections (${when})`, { ...busy, metric: "cpuUsPerRequest" }],
      [
        "peers-transfers.svg",
        `Transfers (${when})`,
        { division: "transfers", holding: "", metric: "megabytesPerSecond" },
      ],
    ],
    (title, shown) => byContestant(results, { title, shown }),
  );
}

const units: Readonly<Record<string, string>> = {
  requestsPerSecond: "requests/s; medians and quartiles, more is better",
  cpuUsPerRequest: "us of CPU time of all its processes; medians and quartiles, less is better",
  megabytesPerSecond: "MB/s; medians and quartiles, more is better",
};

type Plan = readonly [file: string, title: string, shown: Shown];

function present(
  plans: readonly Plan[],
  draw: (title: string, shown: Shown) => string | undefined,
): Record<string, string> {
  return Object.fromEntries(
    plans.flatMap(([file, title, shown]) => {
      const svg = draw(title, shown);
      return svg === undefined ? [] : [[file, svg]];
    }),
  );
}

/** A group for each scenario, a bar for each contestant. */
function byScenario(results: ContestResults, { title, shown }: { title: string; shown: Shown }): string | undefined {
  const scenarios = scenariosOf(results, shown);
  const contestants = contestantsOf(results, shown);
  const groups = scenarios.map((name): BarGroup => ({
    name,
    bars: contestants.map((contestant) => barOf(results, { ...shown, scenario: name, contestant })),
  }));
  const key = contestants.map((name) => ({ name, colour: placeOf(name) }));
  return drawn(groups, { title, shown, key });
}

/** A group for each contestant, a bar for each scenario. */
function byContestant(results: ContestResults, { title, shown }: { title: string; shown: Shown }): string | undefined {
  const scenarios = scenariosOf(results, shown);
  const groups = contestantsOf(results, shown).map((name): BarGroup => ({
    name,
    bars: scenarios.map((scenario) => barOf(results, { ...shown, scenario, contestant: name })),
  }));
  const key = scenarios.map((name, colour) => ({ name, colour }));
  return drawn(groups, { title, shown, key });
}

function drawn(
  groups: readonly BarGroup[],
  { title, shown, key }: { readonly title: string; readonly shown: Shown; readonly key: readonly KeyName[] },
): string | undefined {
  if (groups.every(({ bars }) => bars.every((bar) => bar === undefined))) return undefined;
  return groupBarPlot({ title, x: units[shown.metric] ?? shown.metric, key }, groups);
}

function scenariosOf({ found }: ContestResults, { division, holding }: Shown): readonly string[] {
  return Object.keys(found[division] ?? {}).filter((name) => name.includes(holding));
}

/** Those that were measured in one of the scenarios at least: the target itself has no processes, so no cost. */
function contestantsOf(results: ContestResults, shown: Shown): readonly string[] {
  const scenarios = scenariosOf(results, shown);
  const names = new Set(scenarios.flatMap((name) => Object.keys(results.found[shown.division]?.[name] ?? {})));
  // Objects are in the order of measuring, which a seed decides.
  const known = [...names].filter((contestant) =>
    scenarios.some((scenario) => barOf(results, { ...shown, scenario, contestant }) !== undefined),
  );
  return known.toSorted((a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1));
}

/** The order of tables, so that the same one has the same colour in all plots. */
const order =
  `direct,one nginx,two nginx,Caisson,Caisson TCP,frp,piko,localtunnel,tunnelmole,rathole,bore,chisel`.split(",");

function placeOf(contestant: string): number {
  const place = order.indexOf(contestant);
  return place < 0 ? order.length : place;
}

function barOf(
  { found }: ContestResults,
  {
    division,
    scenario,
    contestant,
    metric,
  }: Omit<Shown, "holding"> & { readonly scenario: string; readonly contestant: string },
): GroupBar {
  const samples = found[division]?.[scenario]?.[contestant] ?? [];
  const values = samples.flatMap((figures) => figures[metric] ?? []);
  if (values.length === 0) return undefined;
  const { median, lowerQuartile, upperQuartile } = spreadOf(values);
  return { value: median, lower: lowerQuartile, upper: upperQuartile };
}

function whenOf({ host }: ContestResults): string {
  return `${host.at.slice(0, 10)}, Node ${host.node}, load ${host.load}`;
}
