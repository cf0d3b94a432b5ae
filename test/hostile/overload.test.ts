// A server that is short of memory: what is new is turned away with its reason, what runs goes on, and the server's own
// pages and its private listener answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/assemble/connect.ts";
import { serve } from "../../src/assemble/serve.ts";
import type { TunnelEvents } from "../../src/lifecycle/events.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

/** Less than any process uses, and more. */
const [always, never] = [0.000_001, 100];

void test("requests get 503 and their reason; the session stays, and the private listener answers", async () => {
  const refusals: string[] = [];
  const words: TunnelEvents = { ...noEvents, refused: (reason) => void refusals.push(reason) };
  const limits = { busyMemoryPercent: always, fullMemoryPercent: never };
  await using rig = await Rig.start({ serve: { limits, admin: "127.0.0.1:0" }, serverSubscribers: [words] });
  for (let n = 0; n < 3; n += 1) {
    const { status, headers } = await rig.fetch("/", { method: "POST", body: "x" });
    assert.deepEqual([status, headers["caisson-error"], headers["retry-after"]], [503, "overloaded", "1"]);
  }
  assert.deepEqual(refusals, ["overload_memory", "overload_memory", "overload_memory"]);
  const { held } = rig.server.inventory();
  assert.deepEqual([held.session, held.tunnel, held.stream], [1, 1, 0]);
  assert.equal((await fetch(new URL("/readyz", rig.server.admin))).status, 200);
  const metrics = await (await fetch(new URL("/metrics", rig.server.admin))).text();
  assert.match(metrics, /^caisson_refused_total\{reason="overload_memory"\} 3$/m);
});

void test("visitors of a TCP tunnel are reset", async () => {
  const limits = { busyMemoryPercent: always };
  await using server = await serve({ listen: "127.0.0.1:0", tcpPorts: "23500-23700", limits });
  await using tunnel = await connect({ server: server.url.replace("http", "ws"), type: "tcp", target: 9 });
  const port = Number(new URL(tunnel.url.replace("tcp:", "http:")).port);
  const ending = await RawClient.connect(port).then(
    (visitor) => visitor.ended().finally(() => visitor.close()),
    () => "reset",
  );
  assert.equal(ending, "reset");
  assert.equal(server.inventory().held.pipe, 0);
});

void test("clients are told to come back later", async () => {
  await using server = await serve({ listen: "127.0.0.1:0", limits: { fullMemoryPercent: always } });
  const port = Number(new URL(server.url).port);
  const client = await RawClient.connect(port);
  client.send(
    `GET /_caisson/connect HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
      "Sec-WebSocket-Protocol: caisson.v1\r\n\r\n",
  );
  const answer = await client.receive("short of memory");
  assert.match(answer, /^HTTP\/1\.1 503 [^]*\r\nRetry-After: 10\r\n/);
  client.close();
  assert.equal(server.inventory().held.session, 0);
  assert.equal((await fetch(server.url)).status, 200);
});

void test("an event loop that is late again and again turns requests away by default, and takes them again", async () => {
  const refusals: string[] = [];
  const words: TunnelEvents = { ...noEvents, refused: (reason) => void refusals.push(reason) };
  await using rig = await Rig.start({ serve: { admin: "127.0.0.1:0" }, serverSubscribers: [words] });
  assert.equal((await rig.fetch("/")).status, 200);
  await until(
    async () => {
      standStill(600);
      const { status, headers } = await rig.fetch("/");
      if (status === 200) return false;
      assert.deepEqual([status, headers["caisson-error"], headers["retry-after"]], [503, "overloaded", "1"]);
      return true;
    },
    { what: "the server is overloaded", timeoutMs: 60_000 },
  );
  await until(async () => (await rig.fetch("/")).status === 200, { what: "it recovers", timeoutMs: 60_000 });
  assert.deepEqual([...new Set(refusals)], ["overload_loop"]);
  const metrics = await (await fetch(new URL("/metrics", rig.server.admin))).text();
  assert.match(metrics, /^caisson_refused_total\{reason="overload_loop"\} [1-9]/m);
});

void test("one standstill turns nobody away", async () => {
  await using rig = await Rig.start();
  for (const ms of [10, 4_000]) {
    assert.equal((await rig.fetch("/")).status, 200);
    standStill(ms);
  }
  // A reading serves for a quarter of a second.
  for (let n = 0; n < 10; n += 1) {
    assert.equal((await rig.fetch("/")).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

function standStill(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}
