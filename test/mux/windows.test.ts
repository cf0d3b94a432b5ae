// Credit: nobody ever sends more than the window, everything arrives all the same, and windows grow and shrink
// within their budgets. Random interleavings, several streams, both directions.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { GrowthBudget } from "../../src/mux/growth-budget.ts";
import type { Session } from "../../src/mux/session.ts";
import type { Stream } from "../../src/mux/stream.ts";
import { initialWindowBytes } from "../../src/wire/limits.ts";
import type { MemoryPair, StreamProbe } from "../support/session-pair.ts";
import { pipeRequest, seededChunks, sessionPair } from "../support/session-pair.ts";
import { until } from "../support/until.ts";

/** What always holds for the receiving side of an open stream. */
function checkWindow(stream: Stream): void {
  if (stream.closed) return;
  // Behind the end nothing is granted any more, so nothing is owed either.
  if (!stream.receivedEnd) assert.equal(stream._window, stream._receiveCredit + stream._unconsumed + stream._owed);
  assert.ok(stream._window >= initialWindowBytes);
  assert.ok(stream._receiveCredit >= 0);
  assert.ok(stream.unconsumedBytes <= stream._window);
}

/** What always holds for a session. */
function checkBudget(session: Session): void {
  const { _budget: budget, _limits: limits } = session;
  assert.ok(session._windows.grownBytes <= limits.sessionGrowthBytes);
  assert.ok(budget.grantedBytes <= budget.limitBytes);
  assert.ok(budget.unconsumedBytes >= 0);
}

/** Opens `count` pipes; answers both ends of each. */
async function pipes(pair: MemoryPair, count: number): Promise<[StreamProbe, StreamProbe][]> {
  const before = pair.client.owner.probes.length;
  const near = Array.from({ length: count }, () => pair.server.open(pipeRequest()));
  await until(() => pair.client.owner.probes.length === before + count, { what: "the streams" });
  return near.map((probe, index) => [probe, pair.client.owner.probes[before + index] ?? assert.fail()]);
}

describe("credit", () => {
  it("is never exceeded, and everything arrives in order, under random interleavings", async () => {
    const size = fc.integer({ min: 1, max: 300_000 });
    const plan = fc.record({
      streams: fc.array(fc.record({ up: size, down: size, chunk: fc.integer({ min: 1000, max: 70_000 }) }), {
        minLength: 1,
        maxLength: 4,
      }),
      // How eager the readers are: bytes per look, 0 for none this time.
      bites: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 500, max: 100_000 })), { minLength: 1, maxLength: 8 }),
      bytesPerMs: fc.constantFrom(undefined, 20_000, 100_000),
      sessionGrowthBytes: fc.constantFrom(0, 50_000, 16_000_000),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ streams, bites, bytesPerMs, sessionGrowthBytes }) => {
        const pair = await sessionPair({
          limits: { sessionGrowthBytes },
          ...(bytesPerMs === undefined ? {} : { bytesPerMs }),
        });
        const ends = await pipes(pair, streams.length);
        const all = ends.flat();
        for (const probe of all) probe.holds = true;
        const sent = Promise.all(
          streams.map(async ({ up, down, chunk }, index) => {
            const [near, far] = ends[index] ?? assert.fail();
            return Promise.all([near.send(seededChunks(up, up, chunk)), far.send(seededChunks(down, down, chunk))]);
          }),
        );
        for (let look = 0; !all.every((probe) => probe.ended && probe.owed === 0); look += 1) {
          assert.ok(look < 50_000, "it moves");
          for (const [index, probe] of all.entries()) {
            const bite = bites[(look + index) % bites.length] ?? 0;
            // Whoever never bites would wait for ever.
            const bytes = Math.min(probe.owed, bite === 0 && look % 16 === 15 ? 30_000 : bite);
            if (bytes > 0) probe.consume(bytes);
            if (probe.stream) checkWindow(probe.stream);
          }
          checkBudget(pair.server.session);
          checkBudget(pair.client.session);
          await new Promise(setImmediate);
        }
        for (const [index, hashes] of (await sent).entries()) {
          const [near, far] = ends[index] ?? assert.fail();
          assert.deepEqual(hashes, [far.digest, near.digest]);
        }
        await pair.settle();
      }),
      { numRuns: 30 },
    );
  });

  it("is 64 KiB for each stream, whatever others have taken", async () => {
    const pair = await sessionPair();
    const ends = await pipes(pair, 50);
    for (const [near, far] of ends) {
      far.holds = true;
      void near.send(seededChunks(1, 200_000, 50_000));
    }
    await until(() => ends.every(([, far]) => far.bytes === initialWindowBytes), { what: "every window is full" });
    const [first] = ends;
    first?.[1].consume();
    await until(() => first?.[1].bytes === 2 * initialWindowBytes, { what: "the one that is read goes on" });
    assert.ok(ends.slice(1).every(([, far]) => far.bytes === initialWindowBytes));
    await pair.settle();
  });
});

describe("windows", () => {
  /** A reader far away that reads at once. */
  const far = { latencyMs: 15, bytesPerMs: 30_000 };

  it("grow with what the line carries, and give the growth back with the stream's end", async () => {
    const pair = await sessionPair(far);
    await until(() => pair.client.session.rttMs > 0, { what: "the round trip" });
    const [ends] = await pipes(pair, 1);
    const [near, reader] = ends ?? assert.fail();
    let widest = 0;
    reader.onBytes = () => {
      widest = Math.max(widest, reader.stream?._window ?? 0);
      if (reader.stream) checkWindow(reader.stream);
    };
    const hash = await near.send(seededChunks(1, 6_000_000, 60_000));
    await until(() => reader.ended, { what: "all of it" });
    assert.equal(reader.digest, hash);
    // 30,000 bytes a millisecond and 30 ms there and back: 900,000 bytes are on their way.
    assert.ok(widest > 400_000, `${widest}`);
    assert.ok(widest <= pair.client.session._limits.maxWindowBytes);
    near.stream?.reset("cancelled");
    await until(() => pair.client.session.streamCount === 0, { what: "the end" });
    assert.equal(pair.client.session._windows.grownBytes, 0);
    await pair.settle();
  });

  it("stop growing at the limit of one window, of the session and of the role", async () => {
    const limits = { maxWindowBytes: 200_000, sessionGrowthBytes: 250_000 };
    const budget = new GrowthBudget(180_000);
    for (const shared of [undefined, budget]) {
      // The server is the one that reads.
      const pair = await sessionPair({ ...far, limits, ...(shared ? { budget: shared } : {}) });
      await until(() => pair.server.session.rttMs > 0, { what: "the round trip" });
      const ends = await pipes(pair, 4);
      let widest = 0;
      for (const [near] of ends) {
        near.onBytes = () => {
          widest = Math.max(widest, near.stream?._window ?? 0);
          checkBudget(pair.server.session);
        };
      }
      await Promise.all(ends.map(([, source]) => source.send(seededChunks(1, 1_500_000, 60_000))));
      await until(() => ends.every(([near]) => near.ended), { what: "all of it" });
      assert.ok(widest > initialWindowBytes && widest <= 200_000);
      await pair.settle();
    }
    assert.equal(budget.grantedBytes, 0);
  });

  it("shrink when the reader has stalled", async () => {
    const pair = await sessionPair({ ...far, limits: { stallMs: 1_500 } });
    await until(() => pair.client.session.rttMs > 0, { what: "the round trip" });
    const [ends] = await pipes(pair, 1);
    const [near, reader] = ends ?? assert.fail();
    const sent = near.send(seededChunks(1, 8_000_000, 60_000));
    await until(() => (reader.stream?._window ?? 0) > 300_000, { what: "it has grown" });
    reader.holds = true;
    await until(() => (reader.stream?._receiveCredit ?? 1) === 0, { what: "it is full" });
    await new Promise((resolve) => setTimeout(resolve, 1_700));
    reader.consume();
    assert.equal(reader.stream?._window, initialWindowBytes);
    assert.equal(pair.client.session._windows.grownBytes, 0);
    reader.holds = false;
    await sent;
    await until(() => reader.ended, { what: "all of it" });
    await pair.settle();
  });

  it("do not grow for a reader that is slow from the start", async () => {
    const pair = await sessionPair({ latencyMs: 5 });
    const [ends] = await pipes(pair, 1);
    const [near, reader] = ends ?? assert.fail();
    reader.holds = true;
    const sent = near.send(seededChunks(1, 400_000, 60_000));
    while (!reader.ended || reader.owed > 0) {
      reader.consume(Math.min(reader.owed, 2000));
      assert.ok((reader.stream?._window ?? 0) < 2 * initialWindowBytes);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await sent;
    await pair.settle();
  });
});

describe("a role's budget", () => {
  it("refuses new streams while too much is unconsumed, and takes them again afterwards", async () => {
    const budget = new GrowthBudget(100_000);
    const pair = await sessionPair({ budget });
    const ends = await pipes(pair, 2);
    for (const [near, source] of ends) {
      near.holds = true;
      void source.send(seededChunks(1, initialWindowBytes, 20_000));
    }
    await until(() => budget.unconsumedBytes === 2 * initialWindowBytes, { what: "the budget is exhausted" });
    assert.ok(budget.exhausted);
    assert.ok(!pair.server.session.hasRoom);
    assert.throws(() => pair.server.open(pipeRequest()), { code: "E_CLOSED" });
    ends[0]?.[0].consume();
    assert.ok(pair.server.session.hasRoom);
    ends[1]?.[0].stream?.reset("cancelled");
    assert.equal(budget.unconsumedBytes, 0);
    await pair.settle();
  });
});
