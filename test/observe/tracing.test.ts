// The subscriber by itself: what it asks the SDK for, what it never does, and that its books balance whatever the SDK does.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Span, Tracer } from "@opentelemetry/api";
import { INVALID_SPAN_CONTEXT, SpanKind, trace as otelTrace } from "@opentelemetry/api";
import { tracing as sdk } from "@opentelemetry/sdk-node";
import { Ledger } from "../../src/leaks/ledger.ts";
import type { ExchangeView, PipeOpening, PipeView } from "../../src/lifecycle/events.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import { agentSampling, RatioSampling } from "../../src/observe/sampling.ts";
import { SpanTally } from "../../src/observe/span-tally.ts";
import { Tracing } from "../../src/observe/tracing.ts";
import { fakeExchange, fakeSession } from "./fakes.ts";

const everything = new RatioSampling({ ratio: 1, obeysParent: true });
const nothing = new RatioSampling({ ratio: 0, obeysParent: true });

/** A subscriber with an SDK that keeps what ended, and a ledger. */
function subscriber(sampling = everything): { tracing: Tracing; ledger: Ledger; ended: () => sdk.ReadableSpan[] } {
  const exporter = new sdk.InMemorySpanExporter();
  const provider = new sdk.BasicTracerProvider({ spanProcessors: [new sdk.SimpleSpanProcessor(exporter)] });
  const tracing = new Tracing({ tracer: provider.getTracer("test"), sampling });
  const ledger = new Ledger();
  tracing.report(ledger);
  return { tracing, ledger, ended: () => exporter.getFinishedSpans() };
}

/** A tracer whose spans throw in the given method. */
function throwing(method: keyof Span): Tracer {
  const span = otelTrace.wrapSpanContext(INVALID_SPAN_CONTEXT);
  const broken = new Proxy(span, {
    get: (target, key): unknown => {
      if (key === method)
        return () => {
          throw new Error(`${key} is broken`);
        };
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    startSpan: () => broken,
    startActiveSpan: () => assert.fail("contexts are nobody's business here"),
  };
}

test("what is not recorded never reaches the SDK", () => {
  const startSpan = (): never => assert.fail("the SDK was asked");
  const tracer = { startSpan, startActiveSpan: startSpan } as unknown as Tracer;
  const tracing = new Tracing({ tracer, sampling: nothing });
  const exchange = fakeExchange({});
  const context = tracing.exchangeStarted(exchange);
  assert.equal(context?.sampled, false);
  assert.match(context?.headerLines ?? "", /^traceparent: 00-[\da-f]{32}-[\da-f]{16}-00\r\n$/u);
  tracing.exchangeEnded(exchange, "ok");
  tracing.sessionConnected("origin", undefined);
  tracing.sessionConnected("ok", fakeSession());
  tracing.notable.leakReported({ kind: "session", label: "session#1" });
});

test("beside the target, a trace that is not recorded passes as it is, without a copy of the head", () => {
  const tracing = new Tracing({ tracer: throwing("end"), sampling: nothing });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
  const of = (fields: Record<string, string>, trusted: boolean): ExchangeView =>
    fakeExchange({ role: "client", trusted, fields });
  assert.deepEqual(tracing.exchangeStarted(of({ traceparent }, true)), {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    sampled: false,
    headerLines: "",
  });
  assert.equal(tracing.exchangeStarted(of({}, true)), undefined);
});

const unset = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
const strangers: readonly (readonly [what: string, fields: Record<string, string>, told: RegExp])[] = [
  ["nothing", {}, /^traceparent: 00-[\da-f]{32}-[\da-f]{16}-00\r\n$/u],
  ["garbage", { traceparent: "garbage" }, /^traceparent: 00-[\da-f]{32}-[\da-f]{16}-00\r\n$/u],
  [
    "garbage with a state",
    { traceparent: "x", tracestate: "a=1" },
    /^traceparent: 00-[\da-f]{32}-[\da-f]{16}-00\r\n$/u,
  ],
  [
    "a flag that is not set",
    { traceparent: unset },
    /^traceparent: 00-0af7651916cd43dd8448eb211c80319c-[\da-f]{16}-00\r\n$/u,
  ],
  [
    "a flag that is set",
    { traceparent: unset.replace(/00$/u, "01") },
    /^traceparent: 00-0af7651916cd43dd8448eb211c80319c-[\da-f]{16}-00\r\n$/u,
  ],
  [
    "a state",
    { traceparent: unset, tracestate: "a=1" },
    /^traceparent: 00-0af7651916cd43dd8448eb211c80319c-[\da-f]{16}-00\r\ntracestate: a=1\r\n$/u,
  ],
  [
    "512 members",
    { traceparent: unset, tracestate: Array.from({ length: 512 }, (_, at) => `k${at}=v`).join(",") },
    /^traceparent: 00-0af7651916cd43dd8448eb211c80319c-[\da-f]{16}-00\r\n$/u,
  ],
];
for (const [what, fields, told] of strangers) {
  test(`behind a server that does not trace, the client writes the lines itself: ${what}`, () => {
    const tracing = new Tracing({ tracer: throwing("end"), sampling: nothing });
    const answer = tracing.exchangeStarted(fakeExchange({ role: "client", trusted: false, fields }));
    assert.equal(answer?.sampled, false);
    assert.match(answer.headerLines, told);
    assert.ok(!answer.headerLines.includes("b7ad6b7169203331"), "the span is ours");
  });
}

for (const method of ["setAttributes", "setStatus", "addLink", "isRecording", "end"] as const) {
  test(`the books balance although the SDK's ${method} throws`, () => {
    const ledger = new Ledger();
    const tracing = new Tracing({ tracer: throwing(method), sampling: everything });
    const events = fanout(tracing, ledger);
    tracing.report(events);
    const exchange = fakeExchange({ session: fakeSession() });
    events.exchangeStarted(exchange);
    events.exchangeEnded(exchange, "target_timeout");
    events.sessionConnected("ok", fakeSession());
    assert.equal(ledger.live("span"), 0);
  });
}

test("an exchange ends its span even if another subscriber has given the trace", () => {
  const { tracing, ledger, ended } = subscriber();
  const exchange = fakeExchange({});
  tracing.exchangeStarted(exchange);
  assert.equal(ledger.live("span"), 1);
  tracing.exchangeEnded(exchange, "ok");
  tracing.exchangeEnded(exchange, "ok");
  assert.equal(ledger.live("span"), 0);
  assert.equal(ended().filter(({ kind }) => kind === SpanKind.SERVER).length, 1);
});

test("a storm of refused logins makes fifty spans, and says how many it left out", async (context) => {
  context.mock.method(performance, "now", () => nowMs);
  let nowMs = 1_000;
  const { tracing, ended } = subscriber();
  for (let n = 0; n < 1_000; n += 1) tracing.sessionConnected("token", undefined);
  assert.equal(ended().length, 50);
  nowMs += 11_000;
  tracing.sessionConnected("token", undefined);
  assert.equal(ended().at(-1)?.attributes["caisson.suppressed"], 950);
});

test("of a storm of logins each session gets its span when an exchange refers to it, fifty in ten seconds", (context) => {
  let nowMs = 1_000;
  context.mock.method(performance, "now", () => nowMs);
  const { tracing, ledger, ended } = subscriber();
  const sessions = Array.from({ length: 120 }, () => fakeSession());
  for (const session of sessions) tracing.sessionConnected("ok", session);
  const exchangesOfAll = (): number => {
    for (const session of sessions) {
      const exchange = fakeExchange({ session });
      tracing.exchangeStarted(exchange);
      tracing.exchangeEnded(exchange, "ok");
    }
    const edges = ended().filter(({ kind }) => kind === SpanKind.SERVER);
    return edges.slice(-sessions.length).filter(({ links }) => links.length > 0).length;
  };
  const connects = (): sdk.ReadableSpan[] => ended().filter(({ name }) => name === "session connect");
  assert.equal(connects().length, 50);
  assert.equal(exchangesOfAll(), 50);
  nowMs += 11_000;
  assert.equal(exchangesOfAll(), 100);
  assert.equal(connects().length, 100);
  nowMs += 11_000;
  assert.equal(exchangesOfAll(), 120);
  assert.equal(connects().length, 120);
  // Each once, each over when its login was, and one says how many were left out before it.
  assert.equal(new Set(connects().map((span) => span.spanContext().spanId)).size, 120);
  for (const { duration } of connects()) assert.equal(duration[0], 0);
  assert.equal(connects()[50]?.attributes["caisson.suppressed"], 70);
  assert.equal(ledger.live("span"), 0);
});

test("a session that nobody refers to has a close, also if its connect was left out", (context) => {
  let nowMs = 1_000;
  context.mock.method(performance, "now", () => nowMs);
  const { tracing, ended } = subscriber();
  const sessions = Array.from({ length: 51 }, () => fakeSession());
  for (const session of sessions) tracing.sessionConnected("ok", session);
  nowMs += 11_000;
  const [first, last] = [sessions[0], sessions[50]];
  assert.ok(first && last);
  for (const session of [first, last, fakeSession()]) tracing.closed(session, "goodbye");
  const closes = ended().filter(({ name }) => name === "session close");
  const [connect] = ended();
  assert.deepEqual(
    closes.map(({ parentSpanContext }) => parentSpanContext?.spanId),
    [connect?.spanContext().spanId, undefined],
  );
});

test("sessions, snapshots, leaks and drains are spans of their own", async () => {
  const { tracing, ledger, ended } = subscriber();
  const session = fakeSession("192.0.2.1");
  tracing.sessionConnected("ok", session);
  tracing.violated(session, "bad_frame");
  tracing.closed(session, "goodbye");
  tracing.closed({ kind: "snapshot", openedAtMs: performance.now() - 10 }, "memory");
  tracing.closed({ kind: "snapshot", openedAtMs: performance.now() - 10 }, "ok");
  tracing.notable.leakReported({ kind: "session", label: "session#7" });
  await tracing.notable.drain(() => Promise.resolve());
  await tracing.notable.drain(() => Promise.resolve());
  const told = ended().map(({ name, attributes }) => [
    name,
    attributes["error.type"] ?? attributes["caisson.resource.label"],
  ]);
  assert.deepEqual(told, [
    ["session connect", undefined],
    ["protocol violation", "bad_frame"],
    ["session close", undefined],
    ["heap snapshot", "memory"],
    ["heap snapshot", undefined],
    ["leak report", "session#7"],
    ["drain", undefined],
  ]);
  const [connect, violation, close] = ended();
  for (const later of [violation, close]) assert.equal(later?.parentSpanContext?.spanId, connect?.spanContext().spanId);
  assert.equal(ledger.live("span"), 0);
});

test("a drain that fails tells so, and fails", async () => {
  const { tracing, ended } = subscriber();
  await assert.rejects(() => tracing.notable.drain(() => Promise.reject(new Error("no"))), /no/);
  assert.equal(ended()[0]?.status.code, 2);
});

/** A raw connection that found its way. */
const opening: PipeOpening = {
  role: "server",
  openedAtMs: performance.now(),
  tunnelName: "demo",
  visitorAddress: "192.0.2.1",
  upstream: undefined,
  session: undefined,
  traceparent: undefined,
  failure: undefined,
};

test("a raw connection's trace is told to the client, also if an agent's sampler does not record it", () => {
  const { tracing } = subscriber();
  const told = tracing.pipeOpening(opening);
  assert.equal(told?.sampled, true);
  assert.equal(told.headerLines, `traceparent: 00-${told.traceId}-${told.spanId}-01\r\n`);
  const sampler = new sdk.ParentBasedSampler({ root: new sdk.AlwaysOffSampler() });
  const tracer = new sdk.BasicTracerProvider({ sampler }).getTracer("test");
  const unwilling = new Tracing({ tracer, sampling: agentSampling });
  for (const quiet of [unwilling, new Tracing({ tracer, sampling: nothing })]) {
    const trace = quiet.pipeOpening(opening);
    assert.equal(trace?.sampled, false);
    assert.match(trace.headerLines, /^traceparent: 00-[\da-f]{32}-[\da-f]{16}-00\r\n$/u);
  }
  // Where traces are not told, nobody is; and a connection that failed goes nowhere.
  const silent = new Tracing({ tracer: throwing("end"), sampling: nothing, propagation: "none" });
  assert.equal(silent.pipeOpening(opening), undefined);
  assert.equal(tracing.pipeOpening({ ...opening, failure: { outcome: "no_tunnel", reason: "no_tunnel" } }), undefined);
});

test("beside the target, a raw connection joins the server's trace, and is recorded as the server says", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const client = { ...opening, role: "client", visitorAddress: "", traceparent } as const;
  const { tracing, ended } = subscriber(nothing);
  assert.equal(tracing.pipeOpening(client)?.traceId, "0af7651916cd43dd8448eb211c80319c");
  assert.equal(ended()[0]?.parentSpanContext?.spanId, "b7ad6b7169203331");
  const others = subscriber(everything);
  assert.equal(others.tracing.pipeOpening({ ...client, traceparent: traceparent.replace(/01$/u, "00") }), undefined);
  assert.deepEqual(others.ended(), []);
  others.tracing.pipeOpening({ ...client, traceparent: traceparent.toUpperCase() });
  assert.equal(others.ended()[0]?.parentSpanContext, undefined);
});

test("a pipe gets its span if its exchange had one, however long it was open", () => {
  const { tracing, ended } = subscriber();
  const pipe = (sampled: boolean): PipeView => ({
    kind: "pipe",
    role: "server",
    openedAtMs: performance.now() - 3_600_000,
    trace: { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", sampled, headerLines: "" },
    session: fakeSession(),
    bytesIn: 1,
    bytesOut: 2,
  });
  tracing.closed(pipe(false), "ended");
  tracing.closed(pipe(true), "session_lost");
  const [span, ...more] = ended();
  assert.deepEqual(more, []);
  assert.equal(span?.parentSpanContext?.spanId, "b7ad6b7169203331");
  assert.equal(span?.attributes["error.type"], "client_lost");
  assert.equal(span?.duration[0], 3_600);
});

test("spans that were sent and spans that were lost are counted apart", () => {
  const tally = new SpanTally();
  const meter = tally.meterProvider().getMeter("test");
  const processed = meter.createCounter("otel.sdk.processor.span.processed");
  processed.add(3, {});
  processed.add(2, { "error.type": "queue_full" });
  processed.add(1, { "error.type": "OTLPExporterError" });
  meter.createCounter("something.else").add(7);
  meter.createUpDownCounter("otel.sdk.processor.span.queue.capacity").add(7);
  assert.equal(tally.exported, 3);
  assert.deepEqual(tally.dropped, { queue_full: 2, export_failed: 1 });
});
