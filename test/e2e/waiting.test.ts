// Requests that have to wait, within bounds: for a client that vanished, for a place in a full session, and for the end of
// a drain. Who waits in vain is told when to try again.

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { RawClient } from "../support/raw-client.ts";
import type { Answer } from "../support/rig.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

const get = "GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n";
const watchful = { pingMs: 200, deadAfterMs: 600, probeMs: 300 };

function outcome({ status, headers }: Answer): unknown[] {
  return [status, headers["caisson-error"], headers["retry-after"]];
}

/** Cuts the client off and keeps it from coming back before `thaw`. */
async function cutOff(rig: Rig): Promise<void> {
  rig.relay.freeze();
  rig.relay.cut();
  await until(() => rig.server.inventory().probes["names.held"] === 1, { what: "the name is held" });
}

/** A target that keeps its responses until the test ends them. */
function collector(): { waiting: ServerResponse[]; listener: (_: unknown, response: ServerResponse) => void } {
  const waiting: ServerResponse[] = [];
  return { waiting, listener: (_, response) => void waiting.push(response) };
}

test("requests wait for a vanished client, and are answered when it is back", async () => {
  await using rig = await Rig.start({ relay: {}, connect: { limits: watchful } });
  await cutOff(rig);
  const waiting = Array.from({ length: 20 }, (_, n) => rig.fetch(`/${n}`, { method: "POST", body: `body ${n}` }));
  await until(() => rig.server.inventory().probes["names.waiting"] === 20, { what: "all of them wait" });
  rig.relay.thaw();
  for (const [n, answer] of (await Promise.all(waiting)).entries()) {
    assert.deepEqual([answer.status, answer.body], [200, `POST /${n}`]);
  }
  assert.equal(rig.server.inventory().probes["names.waiting"], 0);
});

test("who waits too long for a vanished client gets 503 and when to come back", async () => {
  const limits = { nameWaitMs: 500 };
  await using rig = await Rig.start({ relay: {}, serve: { limits }, connect: { limits: watchful } });
  await cutOff(rig);
  const startedMs = performance.now();
  assert.deepEqual(outcome(await rig.fetch("/")), [503, "reconnecting", "2"]);
  assert.ok(performance.now() - startedMs >= 400, "it was waited for");
  rig.relay.thaw();
});

test("only so many wait for one name; the next is turned away at once", async () => {
  const limits = { maxNameWaiters: 3 };
  await using rig = await Rig.start({ relay: {}, serve: { limits }, connect: { limits: watchful } });
  await cutOff(rig);
  const waiting = [1, 2, 3].map((n) => rig.fetch(`/${n}`));
  await until(() => rig.server.inventory().probes["names.waiting"] === 3, { what: "three wait" });
  assert.deepEqual(outcome(await rig.fetch("/4")), [503, "reconnecting", "2"]);
  assert.equal(rig.server.inventory().probes["names.waiting"], 3);
  rig.relay.thaw();
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ status }) => status),
    [200, 200, 200],
  );
});

test("a visitor that leaves while it waits leaves nothing behind", async () => {
  await using rig = await Rig.start({ relay: {}, connect: { limits: watchful } });
  await cutOff(rig);
  for (const leave of ["reset", "end"] as const) {
    const visitor = await RawClient.connect(rig.port);
    visitor.send(get);
    await until(() => rig.server.inventory().probes["names.waiting"] === 1, { what: "it waits" });
    visitor[leave]();
    await until(() => rig.server.inventory().probes["names.waiting"] === 0, { what: "it is forgotten" });
    visitor.close();
  }
  assert.equal(rig.serverLedger.live("exchange"), 0);
  rig.relay.thaw();
});

test("a name is released when nobody came back for it: waiting requests are told, later ones find no tunnel", async () => {
  const limits = { nameHoldMs: 500 };
  await using rig = await Rig.start({ relay: {}, serve: { limits, catchAll: "other" }, connect: { limits: watchful } });
  await cutOff(rig);
  assert.deepEqual(outcome(await rig.fetch("/")), [503, "reconnecting", "2"]);
  assert.deepEqual(outcome(await rig.fetch("/")), [404, "no_tunnel", undefined]);
  rig.relay.thaw();
});

test("a client that says goodbye releases its name at once", async () => {
  await using rig = await Rig.start();
  await rig.tunnel.close();
  await until(() => rig.server.inventory().probes["names.live"] === 0, { what: "the name is free" });
  assert.equal(rig.server.inventory().probes["names.held"], 0);
  assert.deepEqual(outcome(await rig.fetch("/")), [404, "no_tunnel", undefined]);
});

test("a full session makes requests wait for a place, a second at most", async () => {
  const { waiting, listener } = collector();
  await using rig = await Rig.start({ target: listener, serve: { limits: { maxStreams: 2 } } });
  const first = [rig.fetch("/1"), rig.fetch("/2")];
  await until(() => waiting.length === 2, { what: "the session is full" });
  const third = rig.fetch("/3");
  await until(() => rig.server.inventory().probes["rooms.waiting"] === 1, { what: "the third waits" });
  waiting.shift()?.end("one");
  await until(() => waiting.length === 2, { what: "the third has a place" });
  assert.deepEqual(outcome(await rig.fetch("/4")), [503, "overloaded", "1"]);
  assert.equal(rig.server.inventory().probes["rooms.waiting"], 0);
  for (const response of waiting) response.end("rest");
  const answers = await Promise.all([...first, third]);
  assert.ok(answers.every(({ status }) => status === 200));
  // Which of the first two came first is anyone's guess.
  assert.deepEqual(answers.map(({ body }) => body).toSorted(), ["one", "rest", "rest"]);
});

test("a client's own limit of streams is kept as well", async () => {
  const { waiting, listener } = collector();
  await using rig = await Rig.start({ target: listener, connect: { limits: { maxStreams: 1 } } });
  const first = rig.fetch("/1");
  await until(() => waiting.length === 1, { what: "the first is at the target" });
  assert.deepEqual(outcome(await rig.fetch("/2")), [503, "overloaded", "1"]);
  waiting[0]?.end();
  assert.equal((await first).status, 200);
});

test("requests that wait for a place are told when the client vanishes", async () => {
  const { waiting, listener } = collector();
  await using rig = await Rig.start({ relay: {}, target: listener, serve: { limits: { maxStreams: 1 } } });
  const first = rig.fetch("/1");
  await until(() => waiting.length === 1, { what: "the session is full" });
  const second = rig.fetch("/2");
  await until(() => rig.server.inventory().probes["rooms.waiting"] === 1, { what: "the second waits" });
  rig.relay.cut();
  assert.equal((await first).headers["caisson-error"], "client_lost");
  assert.deepEqual(outcome(await second), [503, "reconnecting", "2"]);
});

test("a server drains: what is in flight finishes, new visitors find nobody, kept connections end", async () => {
  const { waiting, listener } = collector();
  await using rig = await Rig.start({ target: listener });
  const idle = await RawClient.connect(rig.port);
  const silent = await RawClient.connect(rig.port);
  idle.send("GET / HTTP/1.1\r\nHost: nobody.localhost\r\nConnection: keep-alive\r\n\r\n");
  // One after the other: at the target they would arrive on two connections, in any order.
  await until(() => waiting.length === 1, { what: "the first request is at the target" });
  const inFlight = await RawClient.connect(rig.port);
  inFlight.send(get);
  await until(() => waiting.length === 2, { what: "the second is there, too" });
  waiting[0]?.end("idle from now on");
  await idle.receive("idle from now on");
  const closing = rig.server.close();
  assert.equal(await idle.ended(), "fin");
  assert.equal(await silent.ended(), "fin");
  await assert.rejects(RawClient.connect(rig.port), /ECONNREFUSED/);
  inFlight.send(get);
  waiting[1]?.writeHead(200, { "Content-Length": 8 });
  waiting[1]?.write("half");
  await inFlight.receive("half");
  waiting[1]?.end("done");
  await inFlight.receive("halfdone");
  assert.equal(await inFlight.ended(), "fin");
  for (const visitor of [idle, silent, inFlight]) visitor.close();
  const startedMs = performance.now();
  await closing;
  assert.ok(performance.now() - startedMs < 10_000, "long before the drain deadline");
});

test("a drain without work ends at once", async () => {
  await using rig = await Rig.start();
  assert.equal((await rig.fetch("/")).status, 200);
  const startedMs = performance.now();
  await rig.server.close();
  assert.ok(performance.now() - startedMs < 5_000);
});

test("what outlasts the drain is cut, and looks cut", async () => {
  const { waiting, listener } = collector();
  await using rig = await Rig.start({ target: listener, serve: { drainMs: 300 } });
  const partial = await RawClient.connect(rig.port);
  partial.send(get);
  await until(() => waiting.length === 1, { what: "the first is at the target" });
  waiting[0]?.write("half");
  await partial.receive("half");
  const silent = await RawClient.connect(rig.port);
  silent.send(get);
  await until(() => waiting.length === 2, { what: "the second is at the target" });
  await rig.server.close();
  assert.equal(await partial.ended(), "reset");
  await silent.ended();
  for (const visitor of [silent, partial]) visitor.close();
  await until(() => rig.targetConnections === 0, { what: "the target sees it" });
});

test("a second close forces the first", async () => {
  const { waiting, listener } = collector();
  await using rig = await Rig.start({ target: listener });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(get);
  await until(() => waiting.length === 1, { what: "the request is at the target" });
  const draining = rig.server.close();
  const startedMs = performance.now();
  await rig.server.close({ force: true });
  await draining;
  assert.ok(performance.now() - startedMs < 10_000);
  visitor.close();
});

test("a client drains: what is in flight finishes, and its name is free for others meanwhile", async () => {
  const { waiting, listener } = collector();
  await using rig = await Rig.start({ target: listener, serve: { catchAll: "other" } });
  const inFlight = rig.fetch("/");
  await until(() => waiting.length === 1, { what: "the request is at the target" });
  const closing = rig.tunnel.close();
  await until(() => rig.server.inventory().probes["names.live"] === 0, { what: "the name is free" });
  assert.deepEqual(outcome(await rig.fetch("/")), [404, "no_tunnel", undefined]);
  waiting[0]?.end("finished");
  assert.deepEqual([(await inFlight).status, (await inFlight).body], [200, "finished"]);
  await closing;
  assert.deepEqual(rig.clientLedger.outstanding, {});
});
