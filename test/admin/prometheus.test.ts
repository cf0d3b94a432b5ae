// A real Prometheus scrapes the private listener, in both formats, and finds exemplars.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeExchange, fakeTrace } from "../observe/fakes.ts";
import { needs } from "../support/debian.ts";
import { Prometheus } from "../support/prometheus.ts";
import { startAdmin } from "./rig.ts";

test("Prometheus scrapes the listener", { ...needs("prometheus"), timeout: 60_000 }, async (t) => {
  const { port: admin, role, faults } = await startAdmin(t);
  const metrics = role.metricsOfRole;
  metrics.exchangeEnded(fakeExchange({ ageMs: 30, trace: fakeTrace(0xbeef) }), "ok");
  metrics.exchangeEnded(fakeExchange({ status: 502 }), "target_refused");
  role.readings.held = { session: 7 };

  await using prometheus = await Prometheus.start({ caisson: admin });
  await prometheus.up("caisson");
  assert.deepEqual(await prometheus.values("caisson_sessions"), ["7"]);
  const failed = 'caisson_http_requests_total{outcome="target_refused",code="502"}';
  assert.deepEqual(await prometheus.values(failed), ["1"]);
  assert.deepEqual(await prometheus.values('caisson_http_request_duration_seconds_bucket{le="10.0"}'), ["2"]);
  assert.deepEqual(await prometheus.values('caisson_build_info{version="0.1.0"}'), ["1"]);
  const range = `start=${Math.floor(Date.now() / 1000) - 300}&end=${Math.floor(Date.now() / 1000) + 300}`;
  const exemplars = await prometheus.get(
    `/api/v1/query_exemplars?query=caisson_http_request_duration_seconds_bucket&${range}`,
  );
  assert.match(exemplars, /"trace_id":"0{28}beef"/u);
  assert.deepEqual(faults, []);
});
