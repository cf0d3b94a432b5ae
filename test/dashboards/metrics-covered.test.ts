// Every metric that server and client export has a panel or a rule, and every name that panels and rules read is exported.
// The names are those of two real scrapes, so a new metric fails here until somebody has decided where it is shown.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PrivateAdmin } from "../support/admin-reader.ts";
import { familyOf, seriesNames } from "../support/promql-names.ts";
import { Rig } from "../support/rig.ts";
import { queriesOf, shippedDashboards, shippedRules } from "./shipped.ts";

/** Metrics that have no panel on purpose, and why. */
const withoutPanel: Readonly<Record<string, string>> = {
  nodejs_version_info: "caisson_build_info has the version of Node, too",
  process_cpu_user_seconds_total: "CPU and its part in the kernel are shown; the rest is the difference",
  process_virtual_memory_bytes: "V8 reserves gibibytes of addresses, so it says nothing about memory",
  nodejs_eventloop_lag_min_seconds: "the shortest delay says nothing about the others",
  nodejs_eventloop_lag_mean_seconds: "p50 and p99 say more than the mean",
  nodejs_eventloop_lag_p90_seconds: "p50 and p99 are enough",
  nodejs_heap_space_size_total_bytes: "the used part tells of growth; the sum is nodejs_heap_size_total_bytes",
  nodejs_heap_space_size_available_bytes: "the used part tells of growth",
};

/** Series that Prometheus itself makes. */
const ofPrometheus: ReadonlySet<string> = new Set(["up", "ALERTS"]);

async function exportedFamilies(): Promise<Set<string>> {
  using serverAdmin = new PrivateAdmin();
  using clientAdmin = new PrivateAdmin();
  await using rig = await Rig.start({
    serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: serverAdmin.options },
    connect: { admin: clientAdmin.options },
  });
  const scrapes = [await serverAdmin.reader(rig.server).metrics(), await clientAdmin.reader(rig.tunnel).metrics()];
  return new Set(scrapes.flatMap((text) => [...text.matchAll(/^# TYPE (\S+)/gmu)].map(([, name = ""]) => name)));
}

test("no metric is unused, none is unknown", async () => {
  const families = await exportedFamilies();
  const rules = shippedRules();
  const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
  const sources = [
    ...shippedDashboards()
      .flatMap(queriesOf)
      .map(({ dashboard, panel, expr }) => ({ expr, where: `${dashboard}, ${panel}` })),
    ...rules.map(({ alert, record, expr }) => ({ expr, where: `rules.yml, ${alert ?? record ?? ""}` })),
  ];
  const used = new Set<string>();
  for (const { expr, where } of sources) {
    for (const name of seriesNames(expr)) {
      const family = familyOf(name, families);
      assert.ok(
        family !== undefined || recorded.has(name) || ofPrometheus.has(name),
        `${where} reads ${name}, which neither server nor client export, and no rule records`,
      );
      used.add(family ?? name);
    }
  }
  for (const family of families) {
    assert.ok(
      used.has(family) || family in withoutPanel,
      `${family} has no panel: add one in scripts/dashboards/ and run npm run dashboards, or say in ${import.meta.url} why not`,
    );
  }
  for (const family of Object.keys(withoutPanel)) {
    assert.ok(families.has(family), `${family} is in the list of metrics without a panel, but nobody exports it`);
    assert.ok(!used.has(family), `${family} has a panel now; take it off the list`);
  }
  for (const record of recorded) assert.ok(used.has(record), `nothing reads the recorded ${record}`);
});

test("series names are found in expressions", () => {
  const expr = `sum by (a, b) (rate(x_total{c="d or e"}[5m])) / on (job) group_left (f) (y:z:rate5m offset 1h > 0.5) or vector(0) and -w`;
  assert.deepEqual([...seriesNames(expr)], ["x_total", "y:z:rate5m", "w"]);
});
