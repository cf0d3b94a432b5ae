// A dashboard from rows of panels: the variables, links and settings that all of ours share.
// It promises the same output for the same input, byte for byte, because the output is checked in.

import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { PanelSpec } from "./panel.ts";
import { buildPanel, prometheusSource } from "./panel.ts";

/** Panels under one heading. */
export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

/** One dashboard. */
export interface DashboardSpec {
  /** Its address in Grafana, and the name of its file. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Series that the roles have which the dashboard is about: jobs and instances are offered that export it. */
  readonly subject: string;
  readonly rows: readonly RowSpec[];
}

/** Restricts a selector to what the variables say: `metric{${at}}`. */
export const at = 'job=~"$job",instance=~"$instance"';

/** The window of rates: Grafana's own, at least four scrapes. */
export const window = "[$__rate_interval]";

/** Other dashboards of ours, in the order of the links. */
const pages = [
  { uid: "caisson-overview", title: "Overview" },
  { uid: "caisson-leaks", title: "Leaks" },
  { uid: "caisson-sessions", title: "Sessions and flow control" },
  { uid: "caisson-client", title: "Client" },
] as const;

/** Builds the dashboard as Grafana's JSON model. */
export function buildDashboard(spec: DashboardSpec): object {
  const builder = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags(["caisson"])
    .readonly()
    .timezone("browser")
    .time({ from: "now-3h", to: "now" })
    .refresh("30s")
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([source("datasource", "Prometheus"), source("traces", "Traces"), jobs(spec), instances(spec)])
    .annotations([])
    .links(links(spec));
  let id = 0;
  for (const row of spec.rows) {
    builder.withRow(new RowBuilder(row.title).id((id += 1)));
    for (const panel of row.panels) builder.withPanel(buildPanel(panel, (id += 1)));
  }
  const built = builder.build();
  // The library knows one place for links only, a menu; without it they stand in the open.
  for (const link of built.links ?? []) delete link.placement;
  return { ...built, id: null };
}

function source(name: "datasource" | "traces", label: string): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder(name).label(label).type(name === "traces" ? "tempo" : "prometheus");
}

function jobs({ subject }: DashboardSpec): QueryVariableBuilder {
  return everyValue("job", `label_values(${subject}, job)`);
}

function instances({ subject }: DashboardSpec): QueryVariableBuilder {
  const narrowed = subject.includes("{") ? subject.replace("{", '{job=~"$job",') : `${subject}{job=~"$job"}`;
  return everyValue("instance", `label_values(${narrowed}, instance)`);
}

function everyValue(name: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(name === "job" ? "Job" : "Instance")
    .datasource(prometheusSource)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: "All", value: "$__all" });
}

/** To the other dashboards, with the same time; to traces; and to the pages of our documentation. */
function links({ uid }: DashboardSpec): DashboardLinkBuilder[] {
  const others = pages.filter((page) => page.uid !== uid);
  return [
    ...others.map((page) =>
      new DashboardLinkBuilder(page.title)
        .type(DashboardLinkType.Link)
        .icon("dashboard")
        .tooltip(`Caisson: ${page.title}`)
        // Jobs differ between servers and clients, so only the datasources go along.
        .url(`/d/${page.uid}?var-datasource=\${datasource}&var-traces=\${traces}`)
        .keepTime(true),
    ),
    new DashboardLinkBuilder("Traces")
      .type(DashboardLinkType.Link)
      .icon("bolt")
      .tooltip("All traces of this time; the points of latency panels lead to single ones")
      .url(`/explore?schemaVersion=1&panes=${encodeURIComponent(tracePane).replaceAll("%24%7Btraces%7D", "${traces}")}`)
      .keepTime(true),
  ];
}

const tracePane = JSON.stringify({
  a: {
    datasource: "${traces}",
    queries: [{ refId: "A", queryType: "traceqlSearch", datasource: { type: "tempo", uid: "${traces}" } }],
    range: { from: "now-1h", to: "now" },
  },
});
