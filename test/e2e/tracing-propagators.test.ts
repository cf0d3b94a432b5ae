// OTEL_PROPAGATORS, by real processes: what is read from visitors, what the target is told, and that none of it lets a
// visitor decide what is recorded.

import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { OtlpReceiver } from "../support/otlp-receiver.ts";
import type { CaissonProcess } from "../support/run.ts";
import { startCaisson } from "../support/run.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const visitorSpan = "b7ad6b7169203331";
const traceparent = `00-${traceId}-${visitorSpan}-01`;

/** What the demo's target saw of a request with these fields, by lower-case name. */
async function seen(port: number, headers: Record<string, string>): Promise<Map<string, string>> {
  const text = await new Promise<string>((resolve, reject) => {
    const options = { port, host: "127.0.0.1", path: "/request", agent: false };
    const sent = request({ ...options, headers: { host: "demo.localhost", ...headers } }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => (body += part));
      response.once("end", () => resolve(body));
    });
    sent.once("error", reject).end();
  });
  const { headers: pairs } = JSON.parse(text) as { readonly headers: readonly (readonly [string, string])[] };
  const fields = new Map(pairs.map(([name, value]) => [name.toLowerCase(), value]));
  assert.equal(fields.size, pairs.length, text);
  return fields;
}

async function demoWith(env: Record<string, string>): Promise<{ demo: CaissonProcess; port: number }> {
  const demo = startCaisson(["demo", "--listen", "127.0.0.1:0", "--json"], {
    env: { OTEL_BSP_SCHEDULE_DELAY: "100", ...env },
  });
  const { url } = await demo.event("listening");
  await demo.event("tunnel");
  return { demo, port: Number(new URL(String(url)).port) };
}

interface Case {
  readonly list: string;
  /** From the visitor. */
  readonly sent: Record<string, string>;
  /** At the target, with the trace that goes on and the client's span in it. */
  readonly told: (trace: string, span: string) => Record<string, string | undefined>;
  /** Whether the visitor's trace goes on. */
  readonly joins: boolean;
  readonly says?: RegExp;
}

const nothing = { traceparent: undefined, b3: undefined, "x-b3-traceid": undefined, "uber-trace-id": undefined };
const cases: readonly Case[] = [
  {
    list: "b3",
    sent: { b3: `${traceId}-${visitorSpan}-1`, traceparent },
    told: (trace, span) => ({ ...nothing, b3: `${trace}-${span}-1` }),
    joins: true,
  },
  {
    list: "tracecontext,b3multi",
    sent: { "X-B3-TraceId": traceId, "X-B3-SpanId": visitorSpan, "X-B3-Sampled": "1", "X-B3-Flags": "1" },
    told: (trace, span) => ({
      ...nothing,
      traceparent: `00-${trace}-${span}-01`,
      "x-b3-traceid": trace,
      "x-b3-spanid": span,
      "x-b3-sampled": "1",
      "x-b3-flags": undefined,
    }),
    joins: true,
  },
  {
    list: "jaeger",
    sent: { "uber-trace-id": `${traceId}:${visitorSpan}:0:1` },
    told: (trace, span) => ({ ...nothing, "uber-trace-id": `${trace}:${span}:0:01` }),
    joins: true,
    says: /Jaeger propagator is deprecated/u,
  },
  {
    list: "baggage,tracecontext",
    sent: { traceparent, baggage: "a=1", b3: "whatever" },
    told: (trace, span) => ({ ...nothing, traceparent: `00-${trace}-${span}-01`, baggage: "a=1", b3: "whatever" }),
    joins: true,
  },
  {
    list: "xray,tracecontext",
    sent: { traceparent },
    told: (trace, span) => ({ ...nothing, traceparent: `00-${trace}-${span}-01` }),
    joins: true,
    says: /^ ?tracing: Propagator "xray" requested through environment variable is unavailable/mu,
  },
  { list: "none", sent: { traceparent }, told: () => ({ ...nothing, traceparent }), joins: false },
  { list: "baggage", sent: { traceparent }, told: () => ({ ...nothing, traceparent }), joins: false },
];

for (const { list, sent, told, joins, says } of cases) {
  test(`OTEL_PROPAGATORS=${list}`, async () => {
    await using collector = await OtlpReceiver.start();
    const { demo, port } = await demoWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_PROPAGATORS: list });
    await using _ = demo;
    const fields = await seen(port, sent);
    const edge = await collector.span("the server's", ({ kind }) => kind === 2);
    const call = await collector.span("the client's", ({ kind }) => kind === 3);
    if (joins) {
      assert.deepEqual([edge.traceId, edge.parentSpanId], [traceId, visitorSpan]);
      assert.deepEqual([call.traceId, call.parentSpanId], [traceId, edge.spanId]);
    } else {
      assert.deepEqual([edge.parentSpanId, call.parentSpanId], ["", ""]);
      assert.equal(new Set([edge.traceId, call.traceId, traceId]).size, 3);
    }
    for (const [name, value] of Object.entries(told(call.traceId, call.spanId))) {
      assert.equal(fields.get(name), value, name);
    }
    assert.match(demo.stderr, says ?? /^(?!.*tracing: )/su);
    assert.equal((await demo.stop()).code, 0);
  });
}

test("no format lets a visitor decide what is recorded, and the target is told what was decided", async () => {
  await using collector = await OtlpReceiver.start();
  const { demo, port } = await demoWith({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_PROPAGATORS: "tracecontext,b3,b3multi,jaeger",
    OTEL_TRACES_SAMPLER: "parentbased_always_off",
  });
  await using _ = demo;
  const forced = [
    { b3: `${traceId}-${visitorSpan}-d` },
    { "x-b3-traceid": traceId, "x-b3-spanid": visitorSpan, "x-b3-flags": "1" },
    { "uber-trace-id": `${traceId}:${visitorSpan}:0:3` },
    { traceparent },
  ];
  for (const sent of forced) {
    const fields = await seen(port, sent);
    assert.match(String(fields.get("b3")), new RegExp(`^${traceId}-[\\da-f]{16}-0$`, "u"));
    assert.equal(fields.get("x-b3-sampled"), "0");
    assert.equal(fields.get("x-b3-flags"), undefined);
    assert.match(String(fields.get("uber-trace-id")), /:00$/u);
    assert.match(String(fields.get("traceparent")), /-00$/u);
  }
  for (const garbage of ["%", ":::", "x".repeat(4_000), `${traceId}:${visitorSpan}`, "0", "-"]) {
    const fields = await seen(port, { b3: garbage, "uber-trace-id": garbage, "x-b3-traceid": garbage });
    assert.match(String(fields.get("traceparent")), /^00-[\da-f]{32}-[\da-f]{16}-00$/u);
    assert.ok(!String(fields.get("traceparent")).includes(traceId));
    assert.notEqual(fields.get("b3"), garbage);
  }
  assert.equal((await demo.stop()).code, 0);
  assert.deepEqual(collector.spans, []);
});
