// Who is dead and who is not: silence, event-loop gaps, announced pauses, probes.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MuxLimits } from "../../src/mux/limits.ts";
import { control, frame, rawPair } from "../support/raw-peer.ts";
import type { RawPair } from "../support/raw-peer.ts";
import { exchange, sessionPair } from "../support/session-pair.ts";
import { until } from "../support/until.ts";

/** Time in which much happens, compared with the ticks of 100 ms. */
const quick: Partial<MuxLimits> = { pingMs: 300, deadAfterMs: 700, probeMs: 300 };

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The event loop stands still, as during a garbage collection or a heap snapshot. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function dead({ side, peer }: RawPair): Promise<void> {
  await until(() => side.owner.closes.length === 1, { what: "it is dead" });
  assert.deepEqual(side.owner.closes, ["dead"]);
  assert.deepEqual(side.events.violations, []);
  await side.gone();
  await until(() => peer.closed, { what: "the transport is closed" });
}

describe("a peer", () => {
  it("that says nothing is dead after the time for that, and its streams are lost", async () => {
    const pair = await rawPair("server", { limits: quick });
    const startedMs = performance.now();
    const probe = pair.side.open(exchange());
    await dead(pair);
    assert.ok(performance.now() - startedMs >= 600);
    assert.deepEqual(probe.resets, ["session_lost"]);
    assert.ok(pair.peer.seen("ping").length >= 2, "it was asked");
  });

  it("that answers lives, and its round trip is known", async () => {
    const pair = await sessionPair({ limits: quick });
    await pause(1200);
    assert.equal(pair.server.session.state, "ready");
    assert.ok(pair.server.events.heartbeats >= 3);
    assert.ok(pair.server.session.rttMs > 0);
    await pair.settle();
  });

  it("whose every byte counts lives without answering PINGs", async () => {
    const pair = await rawPair("client", { limits: quick });
    for (let n = 0; n < 10; n += 1) {
      pair.peer.send(control({ type: "later" }));
      await pause(150);
    }
    assert.equal(pair.side.session.state, "ready");
    await dead(pair);
  });

  it("that announced a pause is given it", async () => {
    const pair = await rawPair("client", { limits: quick });
    pair.peer.send(control({ type: "notice", pauseMs: 1500 }));
    await pause(1300);
    assert.equal(pair.side.session.state, "ready");
    assert.deepEqual(pair.side.owner.controls, [{ type: "notice", pauseMs: 1500 }]);
    const startedMs = performance.now();
    await dead(pair);
    assert.ok(performance.now() - startedMs >= 600);
  });

  it("that is probed and says nothing is dead soon", async () => {
    const pair = await rawPair("client", { limits: { probeMs: 300 } });
    pair.side.session.probe();
    pair.side.session.probe();
    await dead(pair);
  });

  it("that is probed and says anything lives", async () => {
    const pair = await rawPair("client", { limits: { probeMs: 300 } });
    pair.side.session.probe();
    await pair.peer.next("ping", 2);
    pair.peer.send(control({ type: "later" }));
    await pause(800);
    assert.equal(pair.side.session.state, "ready");
    pair.side.session.close("goodbye");
    await pair.side.gone();
  });

  it("answers late, early and twice without harm", async () => {
    const pair = await rawPair("client");
    pair.side.session.ping();
    pair.side.session.ping();
    const pings = [await pair.peer.next("ping"), await pair.peer.next("ping", 2), await pair.peer.next("ping", 3)];
    for (const ping of [...pings, ...pings]) pair.peer.send(frame("pong", 0, ping.payload));
    await until(() => pair.side.events.heartbeats > 0, { what: "a round trip" });
    pair.peer.send(frame("ping", 0, Buffer.alloc(8)));
    await pair.peer.next("pong");
    assert.equal(pair.side.events.heartbeats, 1, "only the last PING is timed, once");
    assert.deepEqual(pair.side.events.violations, []);
    pair.side.session.close("goodbye");
    await pair.side.gone();
  });
});

describe("an event-loop gap", () => {
  it("drops no live peer, however long it was", async () => {
    const pair = await sessionPair({ limits: quick });
    for (let n = 0; n < 2; n += 1) {
      block(1400);
      await pause(700);
      assert.equal(pair.server.session.state, "ready");
      assert.equal(pair.client.session.state, "ready");
    }
    const visit = pair.server.open(exchange());
    await until(() => pair.client.owner.probes.length === 1, { what: "it works" });
    pair.client.owner.probes[0]?.stream?.sendHead(Buffer.from("HTTP/1.1 204 No Content\r\n\r\n"), "end");
    await until(() => visit.ended, { what: "the answer" });
    await pair.settle();
  });

  it("shows within the probe's time that a peer is gone, for example after a sleep", async () => {
    const pair = await rawPair("client", { limits: { probeMs: 300 } });
    await pair.peer.next("ping");
    block(1300);
    await dead(pair);
    assert.ok(pair.peer.seen("ping").length >= 2, "a fresh PING was sent");
  });

  it("that only the wall clock saw, a sleep of hours, does not make a dead peer live on", async () => {
    const pair = await rawPair("client", { limits: { probeMs: 300 } });
    const lively = await sessionPair({ limits: { probeMs: 300 } });
    const realNow = Date.now;
    Date.now = () => realNow() + 8 * 3_600_000;
    try {
      await dead(pair);
      assert.equal(lively.server.session.state, "ready");
      assert.equal(lively.client.session.state, "ready");
    } finally {
      Date.now = realNow;
    }
    await lively.settle();
  });

  it("moves the time for the answer of a RESET", async () => {
    const pair = await rawPair("server", { limits: { resetAnswerMs: 1000 } });
    const probe = pair.side.open(exchange());
    await pair.peer.next("open");
    probe.stream?.reset("cancelled");
    await pair.peer.next("reset");
    block(1300);
    await pause(300);
    assert.deepEqual(pair.side.events.violations, []);
    pair.peer.send(frame("reset", 1, Buffer.of(0)));
    await until(() => pair.side.session.streamCount === 0, { what: "the answer" });
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });
});
