// What a scrape says: names, labels, suffixes, exemplars, and a number of series that traffic cannot make grow.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { gatewayOutcomes, seriesOf, valueOf } from "./exposition-text.ts";
import { FakeReadings, fakeExchange, fakeSession, fakeTrace } from "./fakes.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { findProgram, needs } from "../support/debian.ts";

function fixture(): { readonly metrics: Metrics; readonly readings: FakeReadings; readonly faults: unknown[] } {
  const readings = new FakeReadings();
  const faults: unknown[] = [];
  const metrics = new Metrics({ readings, version: "0.1.0", onFault: (error) => faults.push(error) });
  return { metrics, readings, faults };
}

/** One of everything, so that every family has a series. */
function fill(metrics: Metrics, readings: FakeReadings): void {
  readings.ledgers.session = {
    opened: 3,
    closed: 2,
    reasons: new Map([
      ["goodbye", 1],
      ["dead", 1],
    ]),
    live: 1,
    held: 1,
    uncollected: 1,
    retained: 0,
    collectedUnclosed: 0,
    oldestSeconds: 1.5,
  };
  Object.assign(readings, {
    tunnelTypes: () => ({ http: 2, tcp: 1, tls: 0 }),
    bufferedBytes: () => ({ visitor: 10 }),
    collectionDelays: () => ({ session: { bounds: [1, 2, 4], counts: [1, 0, 1, 0], sum: 5 } }),
    descriptors: () => ({ open: 30, types: { socket: 20, pipe: 2 }, tcp: { established: 18, close_wait: 0 } }),
    heapFloorBytes: () => 1_000_000,
    snapshots: () => [{ trigger: "api", result: "ok", count: 1 }],
    snapshotStalls: () => ({ bounds: [1, 10], counts: [0, 1, 0], sum: 4 }),
    abandonedOperations: () => ({ connect: 0 }),
    certificateExpirySeconds: () => 86_400,
  });
  metrics.exchangeEnded(fakeExchange({ trace: fakeTrace(1) }), "ok");
  metrics.bytes("in", 10);
  metrics.bytes("out", 20);
  metrics.paused("visitor");
  metrics.sessionConnected("ok");
  metrics.closed(fakeSession(), "goodbye");
  metrics.heartbeat(fakeSession(), 3);
  metrics.refused("visitors");
  metrics.badRequest("bad_host");
  metrics.violated(fakeSession(), "unknown_frame");
  metrics.faulted("deadline");
}

test("promtool finds nothing to complain about", { ...needs("promtool") }, async (t) => {
  const { metrics, readings, faults } = fixture();
  t.after(() => metrics.dispose());
  fill(metrics, readings);
  const input = await metrics.render("text");
  const result = spawnSync(findProgram("promtool") ?? "", ["check", "metrics"], { input, encoding: "utf8" });
  assert.equal(`${result.stdout}${result.stderr}`, "");
  assert.equal(result.status, 0);
  assert.deepEqual(faults, []);
});

test("every name that users rely on is there, and counters keep their suffix over many renders", async (t) => {
  const { metrics, readings } = fixture();
  t.after(() => metrics.dispose());
  fill(metrics, readings);
  for (let render = 0; render < 5; render += 1) {
    for (const format of ["openmetrics", "text"] as const) {
      const text = await metrics.render(format);
      const names = new Set(seriesOf(text).map((series) => series.replace(/\{.*/u, "")));
      for (const name of contractNames) assert.ok(names.has(name), `${name} in ${format}, render ${render}`);
      for (const name of names) assert.ok(!/_total_total|_total_bucket/u.test(name), name);
      assert.equal(text.endsWith("# EOF\n"), format === "openmetrics");
      const typed = format === "text" ? "caisson_http_requests_total" : "caisson_http_requests";
      assert.match(text, new RegExp(`^# TYPE ${typed} counter$`, "mu"));
    }
  }
});

test("both formats say the same", async (t) => {
  const { metrics, readings } = fixture();
  t.after(() => metrics.dispose());
  fill(metrics, readings);
  const stable = (text: string): string[] => seriesOf(text).filter((series) => series.startsWith("caisson_"));
  assert.deepEqual(stable(await metrics.render("text")), stable(await metrics.render("openmetrics")));
});

test("an exchange with a trace leaves an exemplar, in OpenMetrics only", async (t) => {
  const { metrics } = fixture();
  t.after(() => metrics.dispose());
  metrics.exchangeEnded(fakeExchange({ ageMs: 20 }), "ok");
  metrics.exchangeEnded(fakeExchange({ ageMs: 60, trace: fakeTrace(0xabc) }), "ok");
  metrics.exchangeEnded(fakeExchange({ ageMs: 20_000, trace: fakeTrace(0xdef) }), "ok");
  const openMetrics = await metrics.render("openmetrics");
  const name = "caisson_http_request_duration_seconds_bucket";
  assert.match(openMetrics, new RegExp(`^${name}\\{le="0.075"\\} 2 # \\{trace_id="0{29}abc"\\} 0\\.06\\S* \\d+`, "mu"));
  assert.match(openMetrics, new RegExp(`^${name}\\{le="\\+Inf"\\} 3 # \\{trace_id="0{29}def"\\} 20\\S* \\d+`, "mu"));
  assert.match(openMetrics, new RegExp(`^${name}\\{le="0.025"\\} 1$`, "mu"));
  assert.ok(!(await metrics.render("text")).includes("trace_id"));
});

test("the number of series is the same after 5,000 tunnels and exchanges", async (t) => {
  const { metrics, readings } = fixture();
  t.after(() => metrics.dispose());
  const traffic = (number: number): void => {
    metrics.opened(fakeSession());
    metrics.sessionConnected("ok");
    metrics.exchangeEnded(fakeExchange({ target: `/${number}`, trace: fakeTrace(number) }), "ok");
    metrics.exchangeEnded(fakeExchange({ status: 404 }), "no_tunnel");
    metrics.bytes("out", number);
    metrics.refused("visitors");
    metrics.closed({ ...fakeSession(`10.0.0.${number}`) }, "goodbye");
  };
  fill(metrics, readings);
  for (let number = 0; number < 10; number += 1) traffic(number);
  const before = seriesOf(await metrics.render("openmetrics"));
  for (let number = 10; number < 5_000; number += 1) traffic(number);
  const after = await metrics.render("openmetrics");
  assert.deepEqual(seriesOf(after), before);
  assert.equal(valueOf(after, 'caisson_http_requests_total{method="GET",code="200",outcome="ok"}'), 5_001);
});

test("labels are closed sets, whatever peers think of", async (t) => {
  const { metrics, readings } = fixture();
  t.after(() => metrics.dispose());
  for (let number = 0; number < 700; number += 1) {
    for (const outcome of gatewayOutcomes) {
      metrics.exchangeEnded(fakeExchange({ method: `M${number}`, status: number }), outcome);
      metrics.exchangeEnded(fakeExchange({ method: "GET", status: number }), outcome);
    }
    metrics.refused(`reason_${number}`);
    metrics.badRequest(`Bad "reason"\n${number}`);
    metrics.sessionConnected(`x${number}`);
    metrics.violated(fakeSession(), `v${number}`);
    metrics.closed(fakeSession(), `c${number}`);
    metrics.faulted(`f${number}`);
  }
  readings.sizes = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`probe.p${index}`, 1]));
  readings.ledgers.stream = {
    opened: 900,
    closed: 900,
    reasons: new Map(Array.from({ length: 900 }, (_, index) => [`r${index}`, 1])),
    live: 0,
  };
  const text = await metrics.render("openmetrics");
  const series = seriesOf(text);
  const count = (name: string): number => series.filter((line) => line.startsWith(`${name}{`)).length;
  const sum = (name: string): number =>
    series.filter((line) => line.startsWith(`${name}{`)).reduce((total, line) => total + valueOf(text, line), 0);
  // The bound, plus one `other` for each method and outcome.
  assert.ok(count("caisson_http_requests_total") <= 1_000 + 10 * 16, String(count("caisson_http_requests_total")));
  assert.equal(sum("caisson_http_requests_total"), 2 * 700 * gatewayOutcomes.length);
  for (const name of ["refused", "session_connects", "session_closes", "faults"]) {
    assert.equal(count(`caisson_${name}_total`), 65, name);
    assert.equal(sum(`caisson_${name}_total`), 700, name);
  }
  assert.equal(count("caisson_bad_requests_total"), 1);
  assert.equal(sum("caisson_resources_closed_total"), 900);
  assert.equal(sum("caisson_probe_size"), 500);
  assert.ok(series.length < 3_000, String(series.length));
});

test("what a role cannot say is absent, not zero", async (t) => {
  const { metrics, readings } = fixture();
  t.after(() => metrics.dispose());
  readings.held = { session: 2 };
  const series = seriesOf(await metrics.render("text"));
  assert.ok(series.includes("caisson_sessions"));
  for (const name of [
    "caisson_visitor_connections",
    "caisson_heap_floor_bytes",
    "process_open_fds",
    "caisson_tunnels",
  ]) {
    assert.ok(!series.some((line) => line === name || line.startsWith(`${name}{`)), name);
  }
});

test("a reading that throws costs its family, not the scrape", async (t) => {
  const { metrics, readings, faults } = fixture();
  t.after(() => metrics.dispose());
  Object.assign(readings, {
    heapFloorBytes: () => {
      throw new Error("no floor");
    },
    bufferedBytes: () => ({ visitor: Number.NaN, target: 5 }),
  });
  const text = await metrics.render("openmetrics");
  assert.equal(valueOf(text, "caisson_sessions"), 0);
  assert.equal(valueOf(text, 'caisson_buffered_bytes{side="target"}'), 5);
  assert.ok(!text.includes("NaN") && !text.includes('side="visitor"} N'));
  assert.equal(faults.length, 1);
});

test("one scrape reads the containers once, and scrapes at the same time share it", async (t) => {
  const { metrics, readings } = fixture();
  t.after(() => metrics.dispose());
  const texts = await Promise.all(Array.from({ length: 20 }, () => metrics.render("openmetrics")));
  assert.equal(new Set(texts).size, 1);
  assert.equal(readings.inventoryReads, 1);
  readings.held = { session: 9 };
  assert.equal(valueOf(await metrics.render("text"), "caisson_sessions"), 9);
});

test("a thousand sets of metrics leave nothing running", async () => {
  const before = process.getActiveResourcesInfo().length;
  for (let number = 0; number < 1_000; number += 1) fixture().metrics.dispose();
  assert.equal(process.getActiveResourcesInfo().length, before);
  const { metrics } = fixture();
  metrics.dispose();
  metrics.dispose();
  assert.equal(seriesOf(await metrics.render("openmetrics")).length, 0);
});

const contractNames = [
  "caisson_build_info",
  "caisson_sessions",
  "caisson_tunnels",
  "caisson_streams",
  "caisson_http_requests_in_flight",
  "caisson_tunnels_reconnecting",
  "caisson_http_requests_total",
  "caisson_http_request_duration_seconds_bucket",
  "caisson_http_time_to_first_byte_seconds_count",
  "caisson_bytes_total",
  "caisson_buffered_bytes",
  "caisson_backpressure_pauses_total",
  "caisson_session_connects_total",
  "caisson_session_closes_total",
  "caisson_session_duration_seconds_sum",
  "caisson_heartbeat_rtt_seconds_bucket",
  "caisson_refused_total",
  "caisson_bad_requests_total",
  "caisson_resources_opened_total",
  "caisson_resources_closed_total",
  "caisson_resources_live",
  "caisson_resources_held",
  "caisson_resources_uncollected",
  "caisson_resources_retained",
  "caisson_resources_collected_unclosed_total",
  "caisson_resource_oldest_age_seconds",
  "caisson_collection_delay_major_gcs_bucket",
  "caisson_probe_size",
  "caisson_tcp_sockets",
  "caisson_certificate_expiry_seconds",
  "caisson_heap_floor_bytes",
  "caisson_heap_snapshots_total",
  "caisson_heap_snapshot_stall_seconds_bucket",
  "process_cpu_seconds_total",
  "process_resident_memory_bytes",
  "process_open_fds",
  "process_start_time_seconds",
  "nodejs_eventloop_utilization_ratio",
  "nodejs_gc_duration_seconds_bucket",
  "nodejs_heap_size_used_bytes",
  "nodejs_heap_space_size_used_bytes",
];
