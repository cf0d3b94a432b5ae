// The small parts of the mux, each by itself: rates, round trips, budgets, queues.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ControlQueue } from "../../src/mux/control-queue.ts";
import { GrowthBudget } from "../../src/mux/growth-budget.ts";
import { defaultMuxLimits, muxLimits } from "../../src/mux/limits.ts";
import { RateGuard } from "../../src/mux/rate-guard.ts";
import { RoundTrip } from "../../src/mux/round-trip.ts";
import { SendLimit } from "../../src/mux/send-limit.ts";
import { decodeFrames } from "../../src/wire/decode.ts";
import { frameTypes } from "../../src/wire/frame.ts";

const kib = 1024;

describe("the limit of unsent bytes", () => {
  it("is 64 KiB until a rate is known, then 20 ms of it, at most 1 MiB", () => {
    const limit = new SendLimit(defaultMuxLimits);
    assert.equal(limit.bytes, 64 * kib);
    limit.progressed(1e9, 5);
    assert.equal(limit.bytes, 64 * kib, "nothing is measured while nothing waits");
    limit.blocked(0, 100);
    limit.blocked(5e6, 105);
    limit.progressed(100_000, 105);
    assert.equal(limit.bytes, 64 * kib, "too short to tell");
    limit.progressed(200_000, 120);
    assert.equal(limit.bytes, 200_000);
    limit.progressed(200_000 + 20_000, 140);
    assert.equal(limit.bytes, 64 * kib, "a slow line");
    limit.progressed(1e9, 160);
    assert.equal(limit.bytes, 1024 * kib, "a fast one");
    limit.unblocked();
    limit.progressed(1e9 + 1, 1000);
    assert.equal(limit.bytes, 1024 * kib, "idle time says nothing of the line");
  });
});

describe("the lowest round trip", () => {
  it("is that of about ten seconds, and stays when nothing is measured", () => {
    const trips = new RoundTrip();
    assert.equal(trips.lowestMs, 0);
    trips.sample(40, 1000);
    trips.sample(10, 2000);
    trips.sample(30, 3000);
    assert.equal(trips.lowestMs, 10);
    trips.sample(50, 7500);
    assert.equal(trips.lowestMs, 10, "five seconds ago");
    trips.sample(60, 13_000);
    assert.equal(trips.lowestMs, 50);
    trips.sample(90, 60_000);
    assert.equal(trips.lowestMs, 90);
  });

  it("does not follow the queue of the data that flows, but another line", () => {
    const trips = new RoundTrip();
    trips.sample(10, 1000);
    for (let ms = 2000; ms < 60_000; ms += 1000) trips.sample(15, ms, "flowing");
    assert.equal(trips.lowestMs, 10);
    trips.sample(9, 60_000, "flowing");
    assert.equal(trips.lowestMs, 9);
    for (let ms = 61_000; ms < 80_000; ms += 1000) trips.sample(25, ms, "flowing");
    assert.equal(trips.lowestMs, 25, "twice as long for ten seconds");
    for (let ms = 80_000; ms < 95_000; ms += 1000) trips.sample(30, ms, "flowing");
    assert.equal(trips.lowestMs, 25);
    for (let ms = 95_000; ms < 120_000; ms += 10_000) trips.sample(30, ms);
    assert.equal(trips.lowestMs, 30, "nothing flows any more");
  });

  it("is measured quickly when data begins to flow, then once a second", () => {
    const trips = new RoundTrip();
    trips.sample(10, 1000);
    let nowMs = 1000;
    for (; trips.freshenMs < 1000; nowMs += trips.freshenMs) trips.sample(10, nowMs, "flowing");
    assert.ok(nowMs > 1200 && nowMs < 3000, `${nowMs}`);
    trips.sample(10, 20_000);
    assert.ok(trips.freshenMs < 1000);
  });
});

describe("a rate guard", () => {
  it("counts within fixed periods", () => {
    const guard = new RateGuard(10, 1000);
    assert.equal(guard.exceeded(10, 5), false);
    assert.equal(guard.exceeded(1, 1004), true);
    assert.equal(guard.exceeded(10, 1005), false);
    assert.equal(guard.exceeded(0, 1006), false);
    assert.equal(guard.exceeded(1, 1007), true);
  });
});

describe("a growth budget", () => {
  it("never grants more than its limit, and nothing while it is exhausted", () => {
    const budget = new GrowthBudget(100);
    assert.equal(budget.grant(60), 60);
    assert.equal(budget.grant(60), 40);
    assert.equal(budget.grant(1), 0);
    budget.giveBack(100);
    budget._received(100);
    assert.ok(budget.exhausted);
    assert.equal(budget.grant(1), 0);
    budget._consumed(1);
    assert.equal(budget.grant(1), 1);
  });
});

describe("limits", () => {
  it("are shared when they are complete", () => {
    assert.equal(muxLimits(defaultMuxLimits), defaultMuxLimits);
    const changed = muxLimits({ maxStreams: 3 });
    assert.deepEqual(changed, { ...defaultMuxLimits, maxStreams: 3 });
    assert.equal(muxLimits(changed), changed);
  });
});

describe("a control queue", () => {
  it("writes what fits, in order, and keeps the rest", () => {
    const queue = new ControlQueue();
    queue.ping(1, 0xffffffff);
    queue.control(Buffer.from("{}"));
    queue.credit(7, 0x7fffffff);
    queue.reset(8, 3);
    queue.goAway(9, 2);
    queue.pong(0xdeadbeef, 2);
    const sizes = { ping: 17, control: 11, credit: 13, reset: 10, goaway: 14, pong: 17 };
    assert.equal(queue.bytes, 82);
    assert.equal(queue.size, 6);
    const names: string[] = [];
    const payloads: string[] = [];
    for (const size of [20, 20, 27, 100]) {
      const message = Buffer.alloc(size);
      const end = queue.write(message, 0);
      if (end === 0) continue;
      decodeFrames(message.subarray(0, end), {
        onFrame: (type, _, stream, bytes, start, to) => {
          names.push(Object.entries(frameTypes).find(([, number]) => number === type)?.[0] ?? "");
          payloads.push(`${stream}:${bytes.toString("hex", start, to)}`);
        },
      });
    }
    assert.deepEqual(names, Object.keys(sizes));
    assert.deepEqual(payloads, [
      "0:00000001ffffffff",
      "0:7b7d",
      "7:7fffffff",
      "8:03",
      "0:0000000902",
      "0:deadbeef00000002",
    ]);
    assert.equal(queue.bytes, 0);
    assert.equal(queue.size, 0);
    queue.ping(0, 1);
    queue.clear();
    assert.equal(queue.write(Buffer.alloc(100), 0), 0);
  });
});
