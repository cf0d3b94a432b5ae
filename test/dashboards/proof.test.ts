// A real Prometheus runs the shipped files over real processes: every query of every panel finds data, every alert that a
// process can raise fires on its fault, and a healthy pair in traffic raises none. Windows are cut to five seconds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { needs } from "../support/debian.ts";
import { HttpTarget } from "../support/http-target.ts";
import { readPackageFile } from "../support/package-file.ts";
import { Prometheus } from "../support/prometheus.ts";
import { until } from "../support/until.ts";
import type { Instances } from "./fleet.ts";
import { Fleet } from "./fleet.ts";
import type { PanelQuery, ShippedDashboard } from "./shipped.ts";
import { inFiveSeconds, queriesOf, shippedDashboards, shippedRules } from "./shipped.ts";

/** Which process raises which alert. */
const raisedBy: Readonly<Record<string, keyof Instances>> = {
  CaissonRetained: "faultyServer",
  CaissonLedgersDisagree: "faultyServer",
  CaissonHandleLost: "faultyServer",
  CaissonHeapFloorRising: "faultyServer",
  CaissonCloseWaitGrowing: "faultyServer",
  CaissonDescriptorsNearLimit: "faultyServer",
  CaissonDown: "killedServer",
  CaissonErrorRatio: "faultyServer",
  CaissonTunnelWithoutSession: "faultyClient",
  CaissonNamesWithoutSession: "faultyServer",
  CaissonMustBeZero: "faultyServer",
  CaissonEventLoopBlocked: "faultyClient",
  CaissonInternalFault: "faultyServer",
  CaissonCertificateNearEnd: "faultyServer",
  CaissonCertificateEnding: "faultyServer",
};

/** The shipped files with the fleet as targets. */
function rendered({ healthyServer, healthyClient, ...faulty }: Instances): Record<string, string> {
  const { faultyServer, killedServer, faultyClient } = faulty;
  const list = (...targets: readonly string[]): string => targets.map((target) => JSON.stringify(target)).join(", ");
  const config = readPackageFile("dashboards/prometheus.yml")
    .replaceAll(/_interval: 15s/gu, "_interval: 1s")
    .replace('"127.0.0.1:9190"', list(healthyServer, faultyServer, killedServer))
    .replace('"127.0.0.1:9191"', list(healthyClient, faultyClient));
  return { "prometheus.yml": config, "rules.yml": inFiveSeconds(readPackageFile("dashboards/rules.yml")) };
}

interface Matrix {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly values: readonly (readonly [number, string])[];
  }[];
}

async function range(prometheus: Prometheus, expr: string, startedAtMs: number): Promise<Matrix["result"]> {
  const [start, end] = [startedAtMs, Date.now()].map((ms) => String(ms / 1000));
  const data = await prometheus.data("query_range", { query: expr, start: start ?? "", end: end ?? "", step: "1" });
  return (data as Matrix | undefined)?.result ?? [];
}

/** What has fired so far, as `alert instance`. */
async function fired(prometheus: Prometheus, startedAtMs: number): Promise<Set<string>> {
  const series = await range(prometheus, 'ALERTS{alertstate="firing"}', startedAtMs);
  return new Set(series.map(({ metric }) => `${metric["alertname"] ?? ""} ${metric["instance"] ?? ""}`));
}

/** The values of a dashboard's variables, asked for as Grafana does, as the regular expressions that it inserts. */
async function variables(prometheus: Prometheus, dashboard: ShippedDashboard): Promise<Map<string, string>> {
  const values = new Map<string, string>([["__rate_interval", "5s"]]);
  for (const { name, type, definition = "" } of dashboard.templating.list) {
    if (type !== "query") continue;
    const [, selector = "", label = ""] = /^label_values\((.+), (\w+)\)$/u.exec(definition) ?? [];
    const found = await prometheus.data(`label/${label}/values`, { "match[]": substitute(selector, values) });
    assert.ok(Array.isArray(found) && found.length > 0, `${dashboard.uid}: the variable ${name} has values`);
    values.set(name, found.join("|"));
  }
  return values;
}

function substitute(expr: string, values: ReadonlyMap<string, string>): string {
  return expr.replaceAll(/\$(\w+)/gu, (_, name: string) => values.get(name) ?? assert.fail(`${expr}: $${name}`));
}

async function emptyQueries(prometheus: Prometheus, startedAtMs: number): Promise<PanelQuery[]> {
  const empty: PanelQuery[] = [];
  for (const dashboard of shippedDashboards()) {
    const values = await variables(prometheus, dashboard);
    for (const query of queriesOf(dashboard)) {
      const series = await range(prometheus, substitute(query.expr, values), startedAtMs);
      const numbers = series.flatMap(({ values: points }) => points.map(([, value]) => Number(value)));
      if (!numbers.some((value) => Number.isFinite(value))) empty.push(query);
    }
  }
  return empty;
}

test(
  "every panel finds data, every alert fires on its fault and on nothing else",
  {
    skip: needs("prometheus").skip || needs("openssl").skip,
    timeout: 240_000,
  },
  async (t) => {
    const alerts = shippedRules().flatMap(({ alert }) => alert ?? []);
    assert.deepEqual(alerts.toSorted(), Object.keys(raisedBy).toSorted(), "each alert has its fault");
    await using traces = await HttpTarget.start((incoming, response) => {
      incoming.resume().on("end", () => response.end());
    });
    await using fleet = await Fleet.start(traces.port);
    const startedAtMs = Date.now();
    await using prometheus = await Prometheus.startWith(rendered(fleet.instances));
    t.diagnostic("the fleet stands");
    await prometheus.up("caisson-server");
    const { faultyAdmin } = fleet;
    // What comes after the first sample of the sockets has grown by the next.
    const sampled = `caisson_tcp_sockets{instance="${fleet.instances.faultyServer}"}`;
    await until(async () => (await prometheus.values(sampled)).length > 0, {
      what: "the faulty server's sockets are sampled",
      timeoutMs: 30_000,
    });
    await fleet.leaveHalfOpen();
    await faultyAdmin.json("/debug/heap/snapshots", {
      method: "POST",
      body: { engine: "v8", force: true },
      status: 201,
    });
    await fleet.misbehave();
    fleet.kill();

    const wanted = Object.entries(raisedBy).map(([alert, process]) => `${alert} ${fleet.instances[process]}`);
    let missing = wanted;
    await until(
      async () => {
        await faultyAdmin.collect(1);
        await new Promise((resolve) => setTimeout(resolve, 300));
        const seen = await fired(prometheus, startedAtMs);
        missing = wanted.filter((alert) => !seen.has(alert));
        return missing.length === 0;
      },
      { what: "every alert has fired", timeoutMs: 120_000, detail: () => missing },
    );
    t.diagnostic(`every alert fired within ${Math.round((Date.now() - startedAtMs) / 1000)} s`);
    const { healthyServer, healthyClient } = fleet.instances;
    const seen = [...(await fired(prometheus, startedAtMs))];
    assert.deepEqual(
      seen.filter((alert) => alert.endsWith(healthyServer) || alert.endsWith(healthyClient)),
      [],
      "the healthy pair raises no alert",
    );

    let empty: PanelQuery[] = [];
    await until(
      async () => {
        empty = await emptyQueries(prometheus, startedAtMs);
        return empty.length === 0;
      },
      { what: "every query of every panel finds data", timeoutMs: 30_000, detail: () => empty },
    );
    const exemplars = await prometheus.data("query_exemplars", {
      query: "caisson_http_request_duration_seconds_bucket",
      start: String(startedAtMs / 1000),
      end: String(Date.now() / 1000),
    });
    assert.match(JSON.stringify(exemplars), /"trace_id":"[0-9a-f]{32}"/u, "exemplars lead to traces");
  },
);
