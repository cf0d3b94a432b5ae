// A network that dies without a word: both ends keep their sockets and nothing arrives. Each side finds out in its time,
// a newer login under the same name wins before that, and nothing of the dead sessions stays behind.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaissonTunnel } from "../../src/assemble/connect.ts";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

/** Finds a dead peer within a second. */
const watchful = { pingMs: 200, deadAfterMs: 1_000, probeMs: 500 };
/** Would take a minute to find it. */
const patient = { pingMs: 500, deadAfterMs: 60_000 };

function losses(tunnel: CaissonTunnel): string[] {
  const reasons: string[] = [];
  tunnel.on("disconnected", ({ reason }) => void reasons.push(reason));
  return reasons;
}

test("both sides find a half-open link dead in time, and the name comes back with its client", async () => {
  await using rig = await Rig.start({ relay: {}, serve: { limits: watchful }, connect: { limits: watchful } });
  const reasons = losses(rig.tunnel);
  assert.equal((await rig.fetch("/")).status, 200);
  const frozenAtMs = performance.now();
  rig.relay.freeze();
  await until(() => rig.serverLedger.live("session") === 0 && rig.clientLedger.live("session") === 0, {
    what: "both sides call the session dead",
    detail: () => ({ server: rig.serverLedger.outstanding, client: rig.clientLedger.outstanding }),
  });
  assert.ok(performance.now() - frozenAtMs >= 500, "not before its time");
  assert.equal(reasons[0], "dead");
  assert.equal(rig.serverLedger.accounts.session.reasons.get("dead"), 1);
  assert.equal(rig.server.inventory().probes["names.held"], 1);
  const waiting = rig.fetch("/waits");
  rig.relay.thaw();
  assert.equal((await waiting).body, "GET /waits");
  assert.equal(rig.server.inventory().probes["names.held"], 0);
});

test("requests in flight on a half-open link end with it: 502 before a head, a reset behind it", async () => {
  await using rig = await Rig.start({
    relay: {},
    serve: { limits: watchful },
    connect: { limits: watchful },
    target: (request, response) => {
      if (request.url === "/partial") response.writeHead(200, { "Content-Length": 100 }).write("some bytes");
    },
  });
  const silent = await RawClient.connect(rig.port);
  silent.send("GET /silent HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
  const partial = await RawClient.connect(rig.port);
  partial.send("GET /partial HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
  await partial.receive("some bytes");
  rig.relay.freeze();
  assert.match(await silent.receive("Caisson-Error: client_lost"), /^HTTP\/1\.1 502 /);
  assert.equal(await partial.ended(), "reset");
  silent.close();
  partial.close();
  await rig.quiet();
  await until(() => rig.targetConnections === 0, { what: "the target's connections are closed" });
});

test("a newer login wins over a half-open session at once, three times in a row, and nothing stays parked", async () => {
  await using rig = await Rig.start({ relay: {}, serve: { limits: patient }, connect: { limits: watchful } });
  for (let round = 1; round <= 3; round += 1) {
    rig.relay.freeze();
    await until(() => rig.clientLedger.accounts.session.closed === round, { what: "the client finds its link dead" });
    rig.relay.thaw();
    await until(() => rig.serverLedger.accounts.tunnel.opened === round + 1, {
      what: "the client has logged in again",
    });
    // The server has not called the older session dead, and yet this request goes through the newer one.
    assert.equal((await rig.fetch(`/${round}`)).body, `GET /${round}`);
    assert.equal(rig.serverLedger.live("tunnel"), 1);
  }
  await until(() => rig.serverLedger.live("session") === 1, {
    what: "exactly one session is left",
    detail: () => rig.serverLedger.outstanding,
  });
  const { held, probes } = rig.server.inventory();
  assert.deepEqual([held.session, held.tunnel, held.session_socket], [1, 1, 1]);
  assert.deepEqual([probes["names.live"], probes["names.held"], probes["own.pending"]], [1, 0, 0]);
  assert.equal(rig.serverLedger.accounts.session.reasons.get("dead"), undefined);
});

test("a newer login takes the new requests while those of the half-open session end in their time", async () => {
  const limits = { ...patient, deadAfterMs: 3_000 };
  await using rig = await Rig.start({
    relay: {},
    serve: { limits },
    connect: { limits: watchful },
    target: (request, response) => {
      if (request.url !== "/silent") response.end("answered");
    },
  });
  const silent = await RawClient.connect(rig.port);
  silent.send("GET /silent HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
  await until(() => rig.clientLedger.live("exchange") === 1, { what: "the request is at the target" });
  rig.relay.freeze();
  await until(() => rig.clientLedger.live("session") === 0, { what: "the client finds its link dead" });
  rig.relay.thaw();
  await until(() => rig.serverLedger.accounts.tunnel.opened === 2, { what: "the client has logged in again" });
  assert.equal((await rig.fetch("/")).body, "answered");
  assert.match(await silent.receive("Caisson-Error: client_lost"), /^HTTP\/1\.1 502 /);
  silent.close();
  await until(() => rig.serverLedger.live("session") === 1, { what: "one session is left" });
});

test("after a sleep of the machine a dead link is found by a probe, not after the length of the sleep", async () => {
  const sleepMs = 3_600_000;
  // A quarter of a minute without bytes would be fine; the probe is what finds the loss.
  const limits = { pingMs: 5_000, deadAfterMs: 15_000, probeMs: 1_000 };
  await using rig = await Rig.start({ relay: {}, serve: { limits }, connect: { limits } });
  const reasons = losses(rig.tunnel);
  rig.relay.freeze();
  const wallClock = Date.now;
  // On Linux and macOS the monotonic clock stands still in a sleep; the wall clock tells of it.
  Date.now = () => wallClock() + sleepMs;
  try {
    await until(() => reasons.includes("dead"), { what: "the client finds its link dead", timeoutMs: 8_000 });
    rig.relay.thaw();
    await until(() => rig.serverLedger.live("session") === 1 && rig.clientLedger.live("tunnel") === 1, {
      what: "it is back",
    });
  } finally {
    Date.now = wallClock;
  }
  assert.equal((await rig.fetch("/")).status, 200);
});

test("a jump of the wall clock, either way, costs no live session anything", async () => {
  await using rig = await Rig.start({ serve: { limits: watchful }, connect: { limits: watchful } });
  const wallClock = Date.now;
  try {
    for (const jumpMs of [86_400_000, -86_400_000, 0]) {
      Date.now = () => wallClock() + jumpMs;
      const startedMs = performance.now();
      await until(() => performance.now() - startedMs > 1_500, { what: "more than the dead-after passes" });
      assert.equal((await rig.fetch("/")).status, 200);
    }
  } finally {
    Date.now = wallClock;
  }
  assert.equal(rig.clientLedger.accounts.session.opened, 1);
  assert.equal(rig.serverLedger.accounts.session.opened, 1);
});
