// Collectors that are down, slow, failing or silent: requests are answered all the same, what is lost is counted, what
// waits is bounded, and the end comes within two seconds. And what the command line does with SDKs that are not its own.

import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { CaissonProcess } from "../support/run.ts";
import { runCaisson, startCaisson } from "../support/run.ts";
import type { CollectorManner } from "../support/otlp-receiver.ts";
import { OtlpReceiver } from "../support/otlp-receiver.ts";
import { until } from "../support/until.ts";

/** A port at which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}

interface Demo {
  readonly port: number;
  readonly admin: URL;
}

async function placeOf(demo: CaissonProcess): Promise<Demo> {
  const { url, admin } = await demo.event("listening");
  await demo.event("tunnel");
  return { port: Number(new URL(String(url)).port), admin: new URL(String(admin)) };
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

async function get(port: number, path: string, headers: Record<string, string>): Promise<string> {
  return (await ask(port, path, headers)).body;
}

function ask(port: number, path: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", path, agent: false, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("end", () => resolve({ status: response.statusCode, body }));
    });
    sent.once("error", reject).end();
  });
}

async function visit({ port }: Demo, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const { status, body } = await ask(port, "/hello", { host: "demo.localhost" });
    assert.deepEqual([status, body], [200, greeting]);
  }
}

async function metric({ admin }: Demo, series: string): Promise<number> {
  const text = await get(Number(admin.port), "/metrics", { host: admin.host });
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? Number.NaN);
}

const dropped = (reason: string): string => `caisson_trace_spans_dropped_total{reason="${reason}"}`;
const greeting = "hello through the tunnel\n";
const demoArgs = ["demo", "--listen", "127.0.0.1:0", "--json"];

for (const manner of ["down", "failing", "slow", "silent"] as const satisfies readonly (CollectorManner | "down")[]) {
  test(`the collector is ${manner}: traffic and the end are as ever`, async () => {
    await using collector = manner === "down" ? undefined : await OtlpReceiver.start(manner);
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector?.url ?? `http://127.0.0.1:${await deadPort()}`,
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_BSP_MAX_QUEUE_SIZE: "20",
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10",
    };
    await using demo = startCaisson(demoArgs, { env });
    const place = await placeOf(demo);
    await visit(place, 40);
    // Each export is tried a few times, some time apart, before it counts as failed.
    if (manner === "down" || manner === "failing")
      await until(async () => (await metric(place, dropped("export_failed"))) > 0, { what: "losses are counted" });
    // Whoever answers late or never lets the queue fill: what does not fit is lost, and counted.
    if (manner === "slow" || manner === "silent") assert.ok((await metric(place, dropped("queue_full"))) > 100);
    assert.equal(await metric(place, 'caisson_resources_live{kind="span"}'), 0);
    const startedAtMs = performance.now();
    const exit = await demo.stop();
    assert.deepEqual(exit, { code: 0, signal: null });
    // Two seconds, and room for a busy machine.
    assert.ok(performance.now() - startedAtMs < 8_000, String(performance.now() - startedAtMs));
    if (manner === "failing") assert.match(demo.stderr, /^ ?tracing: /mu);
  });
}

test("a collector that never answers holds the end up for two seconds, not for its own timeout", async () => {
  await using collector = await OtlpReceiver.start("silent");
  await using demo = startCaisson(demoArgs, {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_TIMEOUT: "60000" },
  });
  await visit(await placeOf(demo), 3);
  const startedAtMs = performance.now();
  assert.equal((await demo.stop()).code, 0);
  const tookMs = performance.now() - startedAtMs;
  assert.ok(tookMs >= 1_900 && tookMs < 15_000, String(tookMs));
});

test("with OTEL_LOG_LEVEL, stdout has JSON events and nothing else", async () => {
  await using collector = await OtlpReceiver.start("failing");
  for (const [level, said] of [
    ["debug", /^ ?tracing: .*Registered a global/mu],
    ["loud", /^ ?tracing: Unknown log level "loud"/mu],
    ["none", undefined],
  ] as const) {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_LOG_LEVEL: level,
      OTEL_METRICS_EXPORTER: "none",
      OTEL_BSP_SCHEDULE_DELAY: "50",
    };
    await using demo = startCaisson(demoArgs, { env });
    const place = await placeOf(demo);
    await visit(place, 5);
    await until(async () => (await metric(place, dropped("export_failed"))) > 0, { what: "something goes wrong" });
    assert.equal((await demo.stop()).code, 0);
    assert.equal(demo.lines.length, demo.events.length, demo.lines.join("\n"));
    if (said) assert.match(demo.stderr, said);
    else assert.ok(!demo.stderr.includes("tracing:"), demo.stderr);
    if (level === "loud") assert.match(demo.stderr, /^ ?tracing: OTLPExporterError|^ ?tracing: Bad Request/mu);
  }
});

test("a sampler that nobody knows is told on stderr", async () => {
  await using collector = await OtlpReceiver.start();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER: "jaeger_remote" };
  await using demo = startCaisson(demoArgs, { env });
  await placeOf(demo);
  await demo.complaint(/^ ?tracing: OTEL_TRACES_SAMPLER "jaeger_remote" is unknown/mu);
  assert.equal((await demo.stop()).code, 0);
});

test("nothing is loaded unless it is asked for", async () => {
  for (const env of [
    { OTEL_SERVICE_NAME: "x" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_SDK_DISABLED: "true" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", OTEL_TRACES_EXPORTER: "none" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "" },
  ]) {
    await using demo = startCaisson(demoArgs, { env });
    const place = await placeOf(demo);
    const answer = await get(place.port, "/request", { host: "demo.localhost" });
    assert.ok(!answer.includes("traceparent"), answer);
    assert.ok(Number.isNaN(await metric(place, "caisson_trace_spans_exported_total")));
    assert.equal((await demo.stop()).code, 0);
  }
});

/** Runs `act` with the path of a file that holds `source`. */
async function withFile(source: string, act: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "caisson-otel-"));
  try {
    const file = join(folder, "preload.mjs");
    writeFileSync(file, source);
    await act(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A module for `--import` that does `act` where a module that begins with `name` is looked for. */
function whereImported(name: string, act: string): string {
  const hooks = `export async function resolve(name, context, next) {
    if (name.startsWith(${JSON.stringify(name)})) ${act};
    return next(name, context);
  }`;
  return `import { register } from "node:module"; register("data:text/javascript,${encodeURIComponent(hooks)}");`;
}

const missing = `throw Object.assign(new Error("absent"), { code: "ERR_MODULE_NOT_FOUND" })`;

test("an SDK with other parts than Caisson knows is an error that says which one to install", async () => {
  const part = "@opentelemetry/sdk-node/build/src/utils.js";
  const other = `return { url: "data:text/javascript,export default 1", shortCircuit: true }`;
  const hidden = missing.replace("ERR_MODULE_NOT_FOUND", "ERR_PACKAGE_PATH_NOT_EXPORTED");
  for (const act of [missing, hidden, other]) {
    await withFile(whereImported(part, act), async (file) => {
      const ended = await runCaisson(["serve", "--listen", "127.0.0.1:0", "--otel"], { nodeFlags: ["--import", file] });
      assert.equal(ended.code, 3);
      const says =
        /version 0\.\d+\.\d+ of @opentelemetry\/sdk-node is not the one .*npm install @opentelemetry\/sdk-node@/u;
      assert.match(ended.stderr, says);
    });
  }
});

test("an SDK that is not installed is an error that says what to install", async () => {
  await withFile(whereImported("@opentelemetry/sdk-node", missing), async (file) => {
    const ended = await runCaisson(["serve", "--listen", "127.0.0.1:0", "--otel"], { nodeFlags: ["--import", file] });
    assert.equal(ended.code, 3);
    assert.match(ended.stderr, /npm install @opentelemetry\/sdk-node@/u);
    // Without the wish for it, nobody misses it.
    await using server = startCaisson(["serve", "--listen", "127.0.0.1:0", "--json"], {
      nodeFlags: ["--import", file],
    });
    await server.event("listening");
    assert.equal((await server.stop()).code, 0);
  });
});

test("an agent of the user's is used, and not replaced", async () => {
  await using collector = await OtlpReceiver.start();
  const sdk = import.meta.resolve("@opentelemetry/sdk-node");
  const preload = `import { NodeSDK } from ${JSON.stringify(sdk)};
    const agent = new NodeSDK({ serviceName: "the-users-agent", metricReaders: [], logRecordProcessors: [] });
    agent.start();
    process.once("beforeExit", () => agent.shutdown());`;
  await withFile(preload, async (file) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: "100" };
    await using demo = startCaisson([...demoArgs, "--otel"], { env, nodeFlags: ["--import", file] });
    const place = await placeOf(demo);
    await visit(place, 2);
    const edge = await collector.span("the server's", ({ kind, scope }) => kind === 2 && scope === "caisson");
    await collector.span("the client's", ({ kind, parentSpanId }) => kind === 3 && parentSpanId === edge.spanId);
    assert.deepEqual([...new Set(collector.spans.map(({ service }) => service))], ["the-users-agent"]);
    assert.equal((await demo.stop()).code, 0);
  });
});
