// A real Prometheus scrapes the private listener, in both formats, and finds exemplars.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fakeExchange, fakeTrace } from "../observe/fakes.ts";
import { findProgram, needs } from "../support/debian.ts";
import { eventually, startAdmin } from "./rig.ts";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

async function query(port: number, path: string): Promise<string> {
  try {
    return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  } catch {
    return ""; // It is still starting.
  }
}

test("Prometheus scrapes the listener", { ...needs("prometheus"), timeout: 60_000 }, async (t) => {
  const { port: admin, role, faults } = await startAdmin(t);
  const folder = await mkdtemp(join(tmpdir(), "caisson-prometheus-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const metrics = role.metricsOfRole;
  metrics.exchangeEnded(fakeExchange({ ageMs: 30, trace: fakeTrace(0xbeef) }), "ok");
  metrics.exchangeEnded(fakeExchange({ status: 502 }), "target_refused");
  role.readings.held = { session: 7 };

  const config = [
    "global: { scrape_interval: 200ms, scrape_timeout: 200ms }",
    "scrape_configs:",
    "  - job_name: caisson",
    "    static_configs:",
    `      - targets: ["127.0.0.1:${admin}"]`,
    "",
  ];
  await writeFile(join(folder, "prometheus.yml"), config.join("\n"));
  const port = await freePort();
  const child = spawn(
    findProgram("prometheus") ?? "",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--enable-feature=exemplar-storage",
      "--log.level=error",
    ],
    { stdio: "ignore" },
  );
  t.after(() => stop(child));

  const value = (name: string): Promise<string> => query(port, `/api/v1/query?query=${encodeURIComponent(name)}`);
  await eventually("the target is up", async () => /"value":\[[\d.]+,"1"\]/u.test(await value("up")), 45_000);
  assert.match(await value("caisson_sessions"), /"value":\[[\d.]+,"7"\]/u);
  const failed = await value('caisson_http_requests_total{outcome="target_refused"}');
  assert.match(failed, /"code":"502".*"value":\[[\d.]+,"1"\]/u);
  assert.match(await value('caisson_http_request_duration_seconds_bucket{le="10.0"}'), /"value":\[[\d.]+,"2"\]/u);
  assert.match(await value("caisson_build_info"), /"version":"0.1.0"/u);
  const range = `start=${Math.floor(Date.now() / 1000) - 300}&end=${Math.floor(Date.now() / 1000) + 300}`;
  const exemplars = await query(
    port,
    `/api/v1/query_exemplars?query=caisson_http_request_duration_seconds_bucket&${range}`,
  );
  assert.match(exemplars, /"trace_id":"0{28}beef"/u);
  assert.deepEqual(faults, []);
});
