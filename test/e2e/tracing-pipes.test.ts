// Spans of what is no exchange: raw connections, which get one span when they are opened and one when they end, and
// requests that the server refuses before there is an exchange. None stays open, and shares are kept.

import assert from "node:assert/strict";
import { test } from "node:test";
import { api } from "@opentelemetry/sdk-node";
import { RatioSampling } from "../../src/observe/sampling.ts";
import { RawClient } from "../support/raw-client.ts";
import { RawTarget } from "../support/raw-target.ts";
import type { RecordedSpan } from "../support/recorded-spans.ts";
import { RecordedSpans } from "../support/recorded-spans.ts";
import type { Rig, RigOptions } from "../support/rig.ts";
import { tracedRigs } from "../support/traced-rig.ts";
import { until } from "../support/until.ts";

const recorded = RecordedSpans.register();
const onRig = tracedRigs(recorded);
const { ERROR, UNSET } = api.SpanStatusCode;
const { CLIENT, SERVER } = api.SpanKind;
const none = { tracing: { sampling: new RatioSampling({ ratio: 0, obeysParent: true }) } };

function tcp(target: RawTarget, extra: RigOptions = {}): RigOptions {
  return {
    targetPort: target.port,
    serve: { listen: "127.0.0.1:0", tcpPorts: "22000-22400", ...extra.serve },
    connect: { type: "tcp", ...extra.connect },
  };
}

function portOf(rig: Rig): number {
  return Number(/:(\d+)$/u.exec(rig.tunnel.url)?.[1]);
}

function named(name: string, kind?: api.SpanKind): RecordedSpan[] {
  return recorded.ended.filter((span) => span.name === name && (kind === undefined || span.kind === kind));
}

test("a raw connection is one trace: a span when it is opened and one at its end, on both sides", async () => {
  await using target = await RawTarget.start((socket) => socket.pipe(socket), { halfOpen: true });
  await onRig(tcp(target), async (rig) => {
    const visitor = await RawClient.connect(portOf(rig));
    visitor.send("hello");
    await until(() => visitor.bytes.length === 5, { what: "the echo" });
    const [edge, call] = [named("pipe open", SERVER)[0], named("pipe open", CLIENT)[0]];
    assert.ok(edge && call);
    assert.equal(edge.attributes["client.address"], "127.0.0.1");
    assert.equal(edge.parentSpanContext, undefined);
    assert.equal(call.parentSpanContext?.spanId, edge.spanContext().spanId);
    assert.deepEqual([call.attributes["server.address"], call.attributes["server.port"]], ["localhost", target.port]);
    for (const span of [edge, call]) {
      assert.equal(span.attributes["caisson.tunnel"], "demo");
      assert.deepEqual([span.attributes["error.type"], span.status.code], [undefined, UNSET]);
      const [link] = span.links;
      const session = recorded.ended.find((other) => other.spanContext().spanId === link?.context.spanId);
      assert.equal(session?.name, "session connect");
    }
    // Nothing is open while the pipe is.
    assert.deepEqual([rig.serverLedger.live("span"), rig.clientLedger.live("span")], [0, 0]);
    assert.deepEqual(named("pipe"), []);
    visitor.end();
    assert.equal(await visitor.ended(), "fin");
    visitor.close();
    await rig.quiet();
    for (const opened of [edge, call]) {
      const end = named("pipe").find(
        ({ parentSpanContext }) => parentSpanContext?.spanId === opened.spanContext().spanId,
      );
      assert.ok(end);
      assert.deepEqual([end.attributes["caisson.bytes_in"], end.attributes["caisson.bytes_out"]], [5, 5]);
      assert.deepEqual([end.attributes["caisson.close_reason"], end.status.code], ["ended", UNSET]);
      assert.equal(end.spanContext().traceId, edge.spanContext().traceId);
    }
  });
});

test("a target that refuses is an error on both sides", async () => {
  await using target = await RawTarget.start((socket) => socket.destroy());
  await onRig(tcp(target), async (rig) => {
    await target[Symbol.asyncDispose]();
    const visitor = await RawClient.connect(portOf(rig));
    assert.equal(await visitor.ended(), "reset");
    await rig.quiet();
    const [failed] = named("pipe open", CLIENT);
    const [edge] = named("pipe open", SERVER);
    assert.ok(edge);
    assert.equal(failed?.parentSpanContext?.spanId, edge.spanContext().spanId);
    assert.deepEqual([failed?.attributes["error.type"], failed?.status.code], ["target_refused", ERROR]);
    const [end] = named("pipe");
    assert.deepEqual([end?.attributes["error.type"], end?.status.code], ["target_refused", ERROR]);
    assert.equal(named("pipe").length, 1);
  });
});

for (const [who, end] of [
  ["target", { "error.type": "target_cut", "caisson.close_reason": "target_cut", status: ERROR }],
  ["visitor", { "error.type": undefined, "caisson.close_reason": "cancelled", status: UNSET }],
] as const) {
  test(`a raw connection that its ${who} resets says so on both sides`, async () => {
    await using target = await RawTarget.start((socket) => socket.pipe(socket), { halfOpen: true });
    await onRig(tcp(target), async (rig) => {
      const visitor = await RawClient.connect(portOf(rig));
      visitor.send("hello");
      await visitor.receive("hello");
      if (who === "visitor") visitor.reset();
      else for (const socket of target.sockets) socket.resetAndDestroy();
      await rig.quiet();
      visitor.close();
      assert.equal(named("pipe").length, 2);
      for (const { attributes, status } of named("pipe")) {
        const { "error.type": error, "caisson.close_reason": reason } = attributes;
        assert.deepEqual({ "error.type": error, "caisson.close_reason": reason, status: status.code }, end);
      }
    });
  });
}

test("of raw connections no more is recorded than of anything else", async () => {
  await using target = await RawTarget.start((socket) => socket.pipe(socket), { halfOpen: true });
  await onRig(tcp(target, { serve: none, connect: none }), async (rig) => {
    const visitor = await RawClient.connect(portOf(rig));
    visitor.send("hello");
    visitor.end();
    assert.equal(await visitor.ended(), "fin");
    visitor.close();
    await rig.quiet();
  });
  assert.equal(recorded.started, 0);
});

const refusals: readonly [what: string, head: string, status: number, reason: string, error: string][] = [
  ["a malformed field", "GET / HTTP/1.1\r\nHost: demo.localhost\r\nA : b\r\n\r\n", 400, "bad_name", "bad_request"],
  ["a long target", `GET /${"x".repeat(9_000)} HTTP/1.1\r\n`, 414, "line_too_long", "bad_request"],
  [
    "too many fields",
    `GET / HTTP/1.1\r\nHost: demo.localhost\r\n${"A: b\r\n".repeat(200)}\r\n`,
    431,
    "too_many_fields",
    "bad_request",
  ],
  [
    "a body for the server's own pages",
    "POST /_caisson/connect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
    413,
    "body_not_expected",
    "bad_request",
  ],
];

for (const [what, head, status, reason, error] of refusals) {
  test(`a refused request is a span: ${what}`, async () => {
    await onRig({}, async (rig) => {
      const visitor = await RawClient.connect(rig.port);
      visitor.send(head);
      await visitor.ended();
      visitor.close();
      assert.match(visitor.bytes.toString("latin1"), new RegExp(`^HTTP/1\\.1 ${status} `, "u"));
      await rig.quiet();
      const [refused, ...more] = named("request refuse");
      assert.deepEqual(more, []);
      assert.equal(refused?.kind, SERVER);
      assert.equal(refused?.attributes["http.response.status_code"], status);
      assert.equal(refused?.attributes["caisson.refusal"], reason);
      assert.equal(refused?.attributes["error.type"], error);
      assert.equal(refused?.status.code, UNSET);
      // What the visitor sent is nowhere.
      assert.ok(!JSON.stringify(refused?.attributes).includes("xxx"));
    });
  });
}

test("a refused request that could be read stays in its visitor's trace", async () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const lines = ["POST /_caisson/connect?secret HTTP/1.1", "Host: localhost", "Content-Length: 5"];
  const head = [...lines, `traceparent: 00-${traceId}-b7ad6b7169203331-00`, "", "hello"].join("\r\n");
  const all = { tracing: { sampling: new RatioSampling({ ratio: 1, obeysParent: true }) } };
  for (const [serve, joins] of [
    [all, true],
    [{}, false],
    [{ ...all, trustedProxies: ["127.0.0.1"] }, undefined],
  ] as const) {
    await onRig({ serve }, async (rig) => {
      const visitor = await RawClient.connect(rig.port);
      visitor.send(head);
      await visitor.ended();
      visitor.close();
      await rig.quiet();
      const [refused] = named("request refuse");
      // A trusted proxy has said that it is not recorded.
      if (joins === undefined) return assert.equal(refused, undefined);
      assert.equal(refused?.attributes["http.request.method"], "POST");
      assert.equal(refused.attributes["http.response.status_code"], 413);
      assert.ok(!JSON.stringify(refused.attributes).includes("secret"));
      // Under an agent, whose sampler must not hear of a stranger, there is a link instead.
      assert.equal(refused.parentSpanContext?.spanId, joins ? "b7ad6b7169203331" : undefined);
      assert.deepEqual(
        refused.links.map(({ context }) => context.traceId),
        joins ? [] : [traceId],
      );
    });
  }
});

test("a flood of refused requests makes fifty spans in ten seconds, and none if nothing is recorded", async () => {
  const flood = async (rig: Rig): Promise<void> => {
    for (let sent = 0; sent < 60; sent += 1) {
      const visitor = await RawClient.connect(rig.port);
      visitor.send("nonsense\r\n\r\n");
      await visitor.ended();
      visitor.close();
    }
    await rig.quiet();
  };
  await onRig({}, flood);
  const told = named("request refuse").length;
  // Ten seconds may pass on a slow machine, and then there are more of them.
  assert.ok(told >= 50 && told <= 60, String(told));
  await onRig({ serve: none, connect: none }, flood);
  assert.equal(recorded.started, 0);
});
