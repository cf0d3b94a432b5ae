// A real Prometheus scrapes the private listeners of a server and of its client, and promtool has nothing against either.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PrivateAdmin, samplesOf } from "../support/admin-reader.ts";
import { needs } from "../support/debian.ts";
import { Prometheus, promtoolComplaints } from "../support/prometheus.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

function portOf({ admin }: { readonly admin: string }): number {
  return Number(new URL(admin).port);
}

test("Prometheus scrapes server and client", { ...needs("prometheus"), timeout: 90_000 }, async () => {
  using serverAdmin = new PrivateAdmin();
  using clientAdmin = new PrivateAdmin();
  await using rig = await Rig.start({
    serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: serverAdmin.options },
    connect: { admin: clientAdmin.options },
  });
  await using prometheus = await Prometheus.start({ server: portOf(rig.server), client: portOf(rig.tunnel) });
  for (let n = 0; n < 7; n += 1) await rig.fetch("/");
  for (const job of ["server", "client"]) {
    await prometheus.up(job);
    const requests = `sum(caisson_http_requests_total{job="${job}",method="GET",code="200",outcome="ok"})`;
    const expected = [
      [requests, "7"],
      [`caisson_sessions{job="${job}"}`, "1"],
      [`caisson_tunnels{job="${job}",type="http"}`, "1"],
      [`sum(caisson_resources_retained{job="${job}"})`, "0"],
      [`caisson_resources_live{job="${job}",kind="session"}`, "1"],
    ] as const;
    // A scrape that comes too late on a slow machine leaves a gap: each is asked for until it is there.
    for (const [query, value] of expected) {
      const isThere = async (): Promise<boolean> => (await prometheus.values(query))[0] === value;
      await until(isThere, { what: `${query} is ${value}` });
    }
  }
});

test("promtool check metrics passes on server and client, in traffic", needs("promtool"), async () => {
  using serverAdmin = new PrivateAdmin();
  using clientAdmin = new PrivateAdmin();
  await using rig = await Rig.start({
    serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: serverAdmin.options },
    connect: { admin: clientAdmin.options },
  });
  await rig.fetch("/");
  assert.equal((await rig.fetch("/", { headers: { host: "no name" } })).status, 400);
  await serverAdmin.reader(rig.server).collect(1);
  for (const reader of [serverAdmin.reader(rig.server), clientAdmin.reader(rig.tunnel)]) {
    const text = await reader.metrics();
    assert.equal(promtoolComplaints(text), "");
    const names = new Set(samplesOf(text).map((line) => line.split(/[{ ]/u)[0] ?? ""));
    for (const name of ["caisson_sessions", "caisson_resources_held", "process_cpu_seconds_total"]) {
      assert.ok(names.has(name), name);
    }
    const openMetrics = await reader.metrics("application/openmetrics-text; version=1.0.0");
    assert.ok(openMetrics.endsWith("# EOF\n"));
  }
});
