// Which charts the page shows, in which group, and what is marked on each. It draws nothing.

import { axisOf, type Axis } from "../../verdict/axis.ts";
import type { Finding, MemorySlope, Verdict } from "../../verdict/finding.ts";
import type { Sample } from "../../verdict/sample.ts";
import { carried, censusSeries, countSeries, kindSeries, memorySeries } from "../../verdict/series.ts";

/** One line of a chart. */
export interface Line {
  readonly name: string;
  readonly values: readonly number[];
}

/** One chart over all samples, warm-up included. */
export interface Chart {
  readonly title: string;
  readonly unit: "bytes" | "count";
  /** One to four. */
  readonly lines: readonly Line[];
  /** The worst that the verdict says of it. */
  readonly standing: "leak" | "doubt" | "warning" | "quiet";
  /** Round at which a finding begins. */
  readonly sinceRound?: number | undefined;
  /** Slope of the first line, where one was fitted. */
  readonly slope?: MemorySlope | undefined;
}

/** Charts under one heading. */
export interface Group {
  readonly title: string;
  readonly charts: readonly Chart[];
}

/** Everything the page plots. */
export interface Charts {
  readonly axis: Axis;
  /** Index of the first measured sample; the number of samples if none was measured. */
  readonly baseline: number;
  readonly groups: readonly Group[];
}

/** Charts of every series of a run. */
export function chartsOf(samples: readonly Sample[], verdict: Verdict): Charts {
  const found = samples.findIndex(({ phase }) => phase === "measure");
  const baseline = found === -1 ? samples.length : found;
  const groups = [
    { title: "Memory after collection", charts: memoryCharts(samples, verdict) },
    { title: "Resources by kind", charts: kindCharts(samples, verdict) },
    ...countGroups(samples, verdict),
    { title: "Metrics page and kernel (shown, never judged)", charts: shownCharts(samples) },
  ];
  return { axis: axisOf(samples), baseline, groups: groups.filter(({ charts }) => charts.length > 0) };
}

/** Whether any line of a chart ever changes. */
export function moves(chart: Chart): boolean {
  return chart.lines.some(({ values }) => values.some((value) => value !== values[0]));
}

/** Memory by name; heap spaces in which nothing ever was are left out. */
export function usedMemory(samples: readonly Sample[]): ReadonlyMap<string, readonly number[]> {
  const series = [...memorySeries(samples)];
  return new Map(series.filter(([name, values]) => !name.startsWith("space:") || values.some((value) => value > 0)));
}

function memoryCharts(samples: readonly Sample[], verdict: Verdict): Chart[] {
  return [...usedMemory(samples)].map(([series, values]) => {
    const slope = verdict.slopes.find((each) => each.series === series);
    const space = series.startsWith("space:") ? series.slice("space:".length) : undefined;
    const matches = ({ ledger, subject }: Finding): boolean => {
      if (ledger === "rss") return series === "rss";
      if (ledger === "external") return series === subject;
      return ledger === "heap" && (series === "heapUsed" || subject === space);
    };
    const title = space === undefined ? series : `heap space ${space}`;
    return marked(verdict, { title, unit: "bytes", lines: [{ name: series, values }], slope }, matches);
  });
}

function kindCharts(samples: readonly Sample[], verdict: Verdict): Chart[] {
  const fields = ["live", "held", "uncollected", "retained"] as const;
  const series = fields.map((field) => ({ name: field, byKind: kindSeries(samples, field) }));
  const ledgers = new Set<string>(["live", "held", "alive"]);
  return [...(series[0]?.byKind.keys() ?? [])].map((kind) => {
    const lines = series.flatMap(({ name, byKind }) => {
      const values = byKind.get(kind);
      return values === undefined ? [] : [{ name, values }];
    });
    const matches = ({ ledger, subject }: Finding): boolean => ledgers.has(ledger) && subject === kind;
    return marked(verdict, { title: kind, unit: "count", lines }, matches);
  });
}

function countGroups(samples: readonly Sample[], verdict: Verdict): Group[] {
  const titles = {
    probe: "Containers (probes)",
    operations: "Operations",
    listeners: "Listeners",
    handles: "Active handles",
    fds: "Descriptors",
    series: "Metric series",
    objects: "Live objects by constructor",
  } as const;
  const all = [...countSeries(samples), ...censusSeries(carried(samples))];
  return Object.entries(titles).map(([name, title]) => ({
    title,
    charts: all
      .filter(({ ledger }) => ledger === name)
      .map(({ subject, values }) => {
        const chart: Unmarked = { title: subject, unit: "count", lines: [{ name: subject, values }] };
        return marked(verdict, chart, (finding) => finding.ledger === name && finding.subject === subject);
      }),
  }));
}

function shownCharts(samples: readonly Sample[]): Chart[] {
  const charts: Chart[] = [];
  const scrape = samples.map(({ scrapeBytes }) => scrapeBytes).filter((bytes) => bytes !== undefined);
  if (scrape.length === samples.length && scrape.length > 0) {
    const lines = [{ name: "scrape", values: scrape }];
    charts.push({ title: "size of /metrics", unit: "bytes", lines, standing: "quiet" });
  }
  const kernel = samples.map(({ tcp }) => tcp);
  for (const name of Object.keys(kernel.at(-1) ?? {})) {
    const values = kernel.map((reading) => reading?.[name] ?? 0);
    charts.push({ title: `tcp ${name}`, unit: "count", lines: [{ name, values }], standing: "quiet" });
  }
  return charts;
}

type Unmarked = Omit<Chart, "standing" | "sinceRound">;

/** The chart with the worst that the verdict says of it. */
function marked(verdict: Verdict, chart: Unmarked, matches: (finding: Finding) => boolean): Chart {
  const lists = [
    { standing: "leak", list: verdict.findings },
    { standing: "doubt", list: verdict.doubts },
    { standing: "warning", list: verdict.warnings },
  ] as const;
  for (const { standing, list } of lists) {
    const finding = list.find(matches);
    if (finding !== undefined) return { ...chart, standing, sinceRound: finding.sinceRound };
  }
  return { ...chart, standing: "quiet" };
}
