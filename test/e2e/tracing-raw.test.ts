// The trace of a raw connection, from the server to its client: what is told of it on the wire and to whom, what a client
// makes of a server that says nonsense, and one trace in a real collector.

import assert from "node:assert/strict";
import { test } from "node:test";
import { api } from "@opentelemetry/sdk-node";
import { connect } from "../../src/assemble/connect.ts";
import { RatioSampling } from "../../src/observe/sampling.ts";
import { tracedPipesFeature } from "../../src/wire/control.ts";
import { decodeOpen, traceparentBytes } from "../../src/wire/open-codec.ts";
import type { OpenRequest } from "../../src/wire/open.ts";
import { WireClient } from "../hostile/wire-client.ts";
import { WireServer } from "../hostile/wire-server.ts";
import { needs } from "../support/debian.ts";
import { OtlpReceiver } from "../support/otlp-receiver.ts";
import { PassRig, passName } from "../support/pass-rig.ts";
import { frame, open } from "../support/raw-peer.ts";
import { RawClient } from "../support/raw-client.ts";
import { RawTarget } from "../support/raw-target.ts";
import type { RecordedSpan } from "../support/recorded-spans.ts";
import { RecordedSpans } from "../support/recorded-spans.ts";
import { startCaisson } from "../support/run.ts";
import type { RigOptions } from "../support/rig.ts";
import { firstHello } from "../support/first-hello.ts";
import { tracedRigs } from "../support/traced-rig.ts";
import { until } from "../support/until.ts";

const recorded = RecordedSpans.register();
const onRig = tracedRigs(recorded);
const { CLIENT, SERVER } = api.SpanKind;
const share = (ratio: number): { readonly tracing: { readonly sampling: RatioSampling } } => ({
  tracing: { sampling: new RatioSampling({ ratio, obeysParent: true }) },
});
const ports = { listen: "127.0.0.1:0", tcpPorts: "22000-22400" } as const;
const traceId = "0af7651916cd43dd8448eb211c80319c";
const serverSpan = "b7ad6b7169203331";

/** Says back what it hears, and ends when the other side does. */
function echo(): Promise<RawTarget> {
  return RawTarget.start((socket) => socket.pipe(socket), { halfOpen: true });
}

function portOf(url: string | undefined): number {
  return Number(/:(\d+)$/u.exec(url ?? "")?.[1]);
}

/** One connection that says hello and hears it, from beginning to end. */
async function visit(port: number): Promise<void> {
  const visitor = await RawClient.connect(port);
  visitor.send("hello");
  await visitor.receive("hello");
  visitor.end();
  assert.equal(await visitor.ended(), "fin");
  visitor.close();
}

function opened(kind: api.SpanKind): RecordedSpan[] {
  return recorded.ended.filter((span) => span.name === "pipe open" && span.kind === kind);
}

/** The first OPEN that the server sends to a client with these features. */
async function firstOpen(options: RigOptions, features: readonly string[]): Promise<OpenRequest & { bytes: number }> {
  let seen: (OpenRequest & { bytes: number }) | undefined;
  await onRig({ ...options, serve: { ...ports, ...options.serve } }, async (rig) => {
    using client = await WireClient.connect(rig.port, { features });
    const { url } = await client.register(1, { kind: "tcp", name: "raw" });
    const visitor = await RawClient.connect(portOf(url));
    await until(() => client.seen("open").length === 1, { what: "a stream is opened" });
    const { payload = Buffer.alloc(0), stream = 0 } = client.seen("open")[0] ?? {};
    seen = { ...decodeOpen(payload, 0, payload.length), bytes: payload.length };
    client.send(frame("reset", stream, Buffer.from([1])));
    assert.equal(await visitor.ended(), "reset");
  });
  return seen ?? assert.fail();
}

const withoutTrace = { kind: "pipe", tunnel: 1, visitor: "127.0.0.1", bytes: 6 + "127.0.0.1".length } as const;

test("the server tells the trace to a client that asks for it, recorded or not", async () => {
  for (const [ratio, flags] of [
    [1, "01"],
    [0, "00"],
  ] as const) {
    const told = await firstOpen({ serve: share(ratio) }, [tracedPipesFeature]);
    assert.equal(told.bytes, withoutTrace.bytes + traceparentBytes);
    assert.ok(told.kind === "pipe");
    assert.equal(told.visitor, "127.0.0.1");
    assert.match(told.traceparent ?? "", new RegExp(`^00-[\\da-f]{32}-[\\da-f]{16}-${flags}$`, "u"));
    const spans = opened(SERVER).map((span) => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`);
    assert.deepEqual(spans, ratio === 1 ? [told.traceparent] : []);
  }
});

test("a client of an earlier version, or one that does not trace, gets the OPEN that it knows", async () => {
  assert.deepEqual(await firstOpen({ serve: share(1) }, []), withoutTrace);
  assert.deepEqual(await firstOpen({ serve: share(1) }, ["traced", "whatever"]), withoutTrace);
});

test("a server that does not trace says nothing, whoever asks", async () => {
  assert.deepEqual(await firstOpen({ serve: { tracing: false } }, [tracedPipesFeature]), withoutTrace);
  const silent = { ...share(1).tracing, propagation: "none" } as const;
  assert.deepEqual(await firstOpen({ serve: { tracing: silent } }, [tracedPipesFeature]), withoutTrace);
});

test("with tracing at one end only, or a share at either, connections go on and the server's word counts", async () => {
  await using target = await echo();
  const all = share(1);
  const none = share(0);
  const off = { tracing: false } as const;
  const cases = [
    { serve: all, connect: off, spans: [1, 0] },
    { serve: off, connect: all, spans: [0, 1] },
    { serve: none, connect: all, spans: [0, 0] },
    { serve: all, connect: none, spans: [1, 1] },
    { serve: off, connect: none, spans: [0, 0] },
  ];
  for (const { serve, connect: client, spans } of cases) {
    const options = { targetPort: target.port, serve: { ...ports, ...serve } };
    await onRig({ ...options, connect: { type: "tcp", ...client } }, async (rig) => {
      await visit(portOf(rig.tunnel.url));
      await rig.quiet();
    });
    const [edge, call] = [opened(SERVER), opened(CLIENT)];
    assert.deepEqual([edge.length, call.length], spans);
    if (call[0]) assert.equal(call[0].parentSpanContext?.spanId, edge[0]?.spanContext().spanId);
  }
});

test("what no server would say counts as nothing: the client begins a trace of its own", async () => {
  await using target = await echo();
  await using server = await WireServer.start();
  const words = [
    "x".repeat(traceparentBytes),
    `00-${traceId}-${serverSpan}-0`.padEnd(traceparentBytes, "\0"),
    `00-${traceId.toUpperCase()}-${serverSpan}-01`,
    `ff-${traceId}-${serverSpan}-01`,
    `00-${"0".repeat(32)}-${serverSpan}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${traceId}-${serverSpan}-0\r`,
    "\u00ff".repeat(traceparentBytes),
  ];
  recorded.clear();
  const tunnel = await connect({ server: server.url, target: target.port, type: "tcp", ...share(1) });
  const login = await server.login(0);
  const hello = JSON.parse(login.seen("control")[0]?.payload.toString() ?? "{}") as { features?: unknown };
  assert.deepEqual(hello.features, [tracedPipesFeature]);
  for (const [at, traceparent] of [...words, `00-${traceId}-${serverSpan}-01`].entries()) {
    const stream = at + 1;
    login.send(
      open(stream, { kind: "pipe", tunnel: 1, visitor: "192.0.2.1", traceparent }),
      frame("data", stream, "hi", "end"),
    );
    await until(() => login.frames.some((seen) => seen.type === "data" && seen.stream === stream && seen.end), {
      what: "the echo has ended",
    });
    const spans = opened(CLIENT);
    assert.equal(spans.length, at + 1);
    const last = spans.at(-1);
    const believed = at === words.length;
    assert.equal(last?.spanContext().traceId === traceId, believed, traceparent);
    assert.equal(last?.parentSpanContext?.spanId, believed ? serverSpan : undefined);
  }
  // One that is cut short is no OPEN at all.
  login.send(frame("open", words.length + 2, Buffer.concat([Buffer.from([2, 1, 0, 0, 0, 1]), Buffer.from("00-")])));
  await login.gone();
  assert.equal(login.closeCode, 1008);
  await tunnel.close({ force: true });
  assert.equal(recorded.ended.length, recorded.started);
});

test("a client without tracing asks for nothing", async () => {
  await using target = await echo();
  await using server = await WireServer.start();
  for (const tracing of [false, { ...share(1).tracing, propagation: "none" } as const]) {
    const tunnel = await connect({ server: server.url, target: target.port, type: "tcp", tracing });
    const login = await server.login(server.logins.length - 1);
    const hello = JSON.parse(login.seen("control")[0]?.payload.toString() ?? "{}") as { features?: unknown };
    assert.deepEqual(hello.features, []);
    await tunnel.close({ force: true });
  }
});

test("a TLS connection that passes through undecrypted is one trace too", needs("openssl"), async () => {
  await using target = await RawTarget.start((socket) => {
    socket.once("data", () => socket.end("enough"));
  });
  recorded.clear();
  {
    await using pass = await PassRig.start({ targetPort: target.port });
    const visitor = await RawClient.connect(pass.port);
    visitor.send(await firstHello({ servername: passName }));
    await visitor.receive("enough");
    visitor.close();
    await pass.rig.quiet();
    const [edge, call] = [opened(SERVER)[0], opened(CLIENT)[0]];
    assert.ok(edge && call);
    assert.equal(call.spanContext().traceId, edge.spanContext().traceId);
    assert.equal(call.parentSpanContext?.spanId, edge.spanContext().spanId);
  }
  assert.equal(recorded.ended.length, recorded.started);
});

test("server and client of a raw connection are one trace in a collector", async () => {
  await using collector = await OtlpReceiver.start();
  await using target = await echo();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: "100" };
  const args = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--tcp-ports", "22000-22400", "--json"];
  await using server = startCaisson(["serve", ...args], { env });
  const { url } = await server.event("listening");
  const address = `ws://${new URL(String(url)).host}`;
  await using client = startCaisson(["tcp", String(target.port), "--server", address, "--json"], { env });
  const tunnel = await client.event("tunnel");
  await visit(portOf(String(tunnel["url"])));
  const edge = await collector.span("the server's", ({ kind, name }) => kind === 2 && name === "pipe open");
  const call = await collector.span("the client's", ({ kind, name }) => kind === 3 && name === "pipe open");
  assert.deepEqual([edge.service, edge.parentSpanId], ["caisson-server", ""]);
  assert.deepEqual([call.service, call.traceId, call.parentSpanId], ["caisson-client", edge.traceId, edge.spanId]);
  for (const parent of [edge, call]) {
    const end = await collector.span(
      "its end",
      ({ name, parentSpanId }) => name === "pipe" && parentSpanId === parent.spanId,
    );
    assert.deepEqual([end.traceId, end.service], [edge.traceId, parent.service]);
    assert.deepEqual([end.attributes["caisson.bytes_in"], end.attributes["caisson.bytes_out"]], [5, 5]);
  }
  assert.equal((await client.stop()).code, 0);
  assert.equal((await server.stop()).code, 0);
});
