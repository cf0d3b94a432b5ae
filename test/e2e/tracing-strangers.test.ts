// What visitors may and may not do to traces: they join in, but force nothing, make nothing grow, and say no secrets.

import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { test } from "node:test";
import { RatioSampling } from "../../src/observe/sampling.ts";
import { RecordedSpans } from "../support/recorded-spans.ts";
import type { RigOptions } from "../support/rig.ts";
import { Rig } from "../support/rig.ts";

const recorded = RecordedSpans.register();
const traceId = "0af7651916cd43dd8448eb211c80319c";
const parent = (flags: string): string => `00-${traceId}-b7ad6b7169203331-${flags}`;
const none = { tracing: { sampling: new RatioSampling({ ratio: 0, obeysParent: true }) } };
const all = { tracing: { sampling: new RatioSampling({ ratio: 1, obeysParent: true }) } };

/** Sends one request through a rig; answers what the target saw. */
async function seen(
  options: RigOptions,
  sent: { readonly path?: string; readonly headers?: Record<string, string | string[]>; readonly method?: string },
): Promise<IncomingHttpHeaders> {
  recorded.clear();
  let headers: IncomingHttpHeaders = {};
  const rig = await Rig.start({
    ...options,
    target: (incoming, response) => {
      ({ headers } = incoming);
      incoming.resume();
      response.end();
    },
  });
  try {
    const { path = "/", method = "GET" } = sent;
    await rig.fetch(path, { method, headers: sent.headers as Record<string, string> });
    await rig.quiet();
  } finally {
    await rig.close();
  }
  assert.equal(recorded.ended.length, recorded.started);
  return headers;
}

test("a stranger's flag forces nothing: not at the edge, not in the client, not at the target", async () => {
  const headers = await seen({ serve: none, connect: none }, { headers: { traceparent: parent("01") } });
  assert.match(String(headers["traceparent"]), new RegExp(`^00-${traceId}-[\\da-f]{16}-00$`, "u"));
  assert.deepEqual(recorded.ended, []);
});

test("nor through a server that does not trace", async () => {
  const headers = await seen(
    { serve: { tracing: false }, connect: none },
    { headers: { traceparent: parent("01"), tracestate: "a=1" } },
  );
  assert.match(String(headers["traceparent"]), new RegExp(`^00-${traceId}-[\\da-f]{16}-00$`, "u"));
  assert.equal(headers["tracestate"], "a=1");
  assert.deepEqual(recorded.ended, []);
});

test("nor does nonsense pass through one, whatever its flag", async () => {
  const members = Array.from({ length: 512 }, (_, at) => `k${at}=v`).join(",");
  const options = { serve: { tracing: false }, connect: none };
  for (const traceparent of ["garbage", "x".repeat(4_000), parent("00"), ""]) {
    const headers = await seen(options, { headers: { traceparent, tracestate: members } });
    assert.match(String(headers["traceparent"]), /^00-[\da-f]{32}-[\da-f]{16}-00$/u);
    assert.equal(headers["tracestate"], undefined);
  }
  assert.match(String((await seen(options, {}))["traceparent"]), /^00-[\da-f]{32}-[\da-f]{16}-00$/u);
});

test("a stranger's flag does not hide anything either", async () => {
  const headers = await seen({ serve: all, connect: all }, { headers: { traceparent: parent("00") } });
  const [server, client] = [await recorded.server(), await recorded.client()];
  assert.equal(server.parentSpanContext?.spanId, "b7ad6b7169203331");
  assert.equal(headers["traceparent"], `00-${traceId}-${client.spanContext().spanId}-01`);
});

test("a trusted proxy's flag counts", async () => {
  const serve = { ...none, trustedProxies: ["127.0.0.1"] };
  const headers = await seen({ serve, connect: none }, { headers: { traceparent: parent("01") } });
  const client = await recorded.client();
  assert.equal(client.parentSpanContext?.spanId, (await recorded.server()).spanContext().spanId);
  assert.equal(headers["traceparent"], `00-${traceId}-${client.spanContext().spanId}-01`);
  await seen(
    { serve: { ...all, trustedProxies: ["127.0.0.1"] }, connect: all },
    { headers: { traceparent: parent("00") } },
  );
  assert.ok(recorded.ended.every((span) => span.spanContext().traceId !== traceId));
});

test("without a traceparent nobody behind us begins a trace of its own", async () => {
  const headers = await seen({ serve: none, connect: all }, {});
  assert.match(String(headers["traceparent"]), /^00-[\da-f]{32}-[\da-f]{16}-00$/u);
});

test("garbage is ignored, and does not reach the target", async () => {
  const garbage = [
    "",
    "x",
    parent("01").toUpperCase(),
    `${parent("01")}-more`,
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
  ];
  for (const traceparent of [...garbage, "x".repeat(4_000)]) {
    const headers = await seen({ serve: all, connect: all }, { headers: { traceparent, tracestate: "a=1" } });
    const client = await recorded.client();
    assert.notEqual(client.spanContext().traceId, traceId);
    assert.equal((await recorded.server()).parentSpanContext, undefined);
    assert.equal(headers["traceparent"], `00-${client.spanContext().traceId}-${client.spanContext().spanId}-01`);
    assert.equal(headers["tracestate"], undefined);
  }
});

test("two traceparents are none", async () => {
  await seen({ serve: all, connect: all }, { headers: { traceparent: [parent("01"), parent("01")] } });
  assert.equal((await recorded.server()).parentSpanContext, undefined);
});

test("tracestates are joined, and bounded", async () => {
  const traceparent = parent("01");
  const several = await seen({ serve: all, connect: all }, { headers: { traceparent, tracestate: ["a=1", "b=2"] } });
  assert.equal(several["tracestate"], "a=1,b=2");
  const members = Array.from({ length: 512 }, (_, at) => `k${at}=v`).join(",");
  const many = await seen({ serve: all, connect: all }, { headers: { traceparent, tracestate: members } });
  assert.equal(many["tracestate"], undefined);
  assert.equal((await recorded.server()).spanContext().traceState, undefined);
  const unrecorded = await seen({ serve: none, connect: none }, { headers: { traceparent, tracestate: members } });
  assert.equal(unrecorded["tracestate"], undefined);
});

test("spans have fixed names, short values, and no query", async () => {
  const path = `/${"p".repeat(6_000)}?password=hunter2&${"q".repeat(1_000)}`;
  const headers = { "user-agent": "u".repeat(4_000), authorization: "Bearer hunter2", cookie: "c=hunter2" };
  await seen({ serve: all, connect: all }, { method: "BREW", path, headers });
  for (const { name, attributes } of recorded.ended) {
    assert.ok(
      ["HTTP", "wait for stream", "first byte", "body", "session connect", "session close", "drain"].includes(name),
    );
    for (const value of Object.values(attributes)) assert.ok(String(value).length <= 1_200, String(value).slice(0, 50));
    assert.ok(!JSON.stringify(attributes).includes("hunter2"));
  }
  const server = await recorded.server();
  assert.equal(server.attributes["http.request.method"], "_OTHER");
  assert.equal(server.attributes["http.request.method_original"], "BREW");
  assert.equal(server.attributes["url.query"], "REDACTED");
  assert.equal(String(server.attributes["url.path"]).length, 1_024);
  assert.ok(String((await recorded.client()).attributes["url.full"]).endsWith("?REDACTED"));
});

test("queries are recorded for whoever asks for them", async () => {
  const tracing = { ...all.tracing, queries: "recorded" } as const;
  await seen({ serve: { tracing }, connect: { tracing } }, { path: "/search?q=lighthouse" });
  assert.equal((await recorded.server()).attributes["url.query"], "q=lighthouse");
  assert.match(String((await recorded.client()).attributes["url.full"]), /\/search\?q=lighthouse$/u);
});

test("without an agent's consent nothing is traced, and heads pass as they are", async () => {
  const headers = await seen(
    { serve: { tracing: false }, connect: { tracing: false } },
    { headers: { traceparent: "as it is" } },
  );
  assert.equal(headers["traceparent"], "as it is");
  assert.equal(recorded.started, 0);
});
