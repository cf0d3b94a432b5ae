// When a server counts as overloaded: by thresholds of its memory, and by an event loop that is late again and again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LateTime, LoopLateness } from "../../src/server/loop-lateness.ts";
import { OverloadGuard, processReadings } from "../../src/server/overload.ts";
import { until } from "../support/until.ts";

const limits = { busyMemoryPercent: 85, fullMemoryPercent: 92, maxLoopDelayMs: 200 };

/** What a guard says of streams and of sessions, for one reading. */
function verdict(reading: { readonly memory?: number; readonly late?: boolean }): readonly (string | undefined)[] {
  const guard = new OverloadGuard(limits, {
    memoryShare: () => reading.memory ?? 0,
    loopIsLate: () => reading.late ?? false,
    dispose: () => undefined,
  });
  return [guard.refusesStreams(performance.now()), guard.refusesSessions()];
}

void test("memory refuses streams first, then sessions; a late loop refuses streams alone", () => {
  assert.deepEqual(verdict({ memory: 0.85, late: false }), [undefined, undefined]);
  assert.deepEqual(verdict({ memory: 0.86 }), ["overload_memory", undefined]);
  assert.deepEqual(verdict({ memory: 0.93 }), ["overload_memory", "overload_memory"]);
  assert.deepEqual(verdict({ late: true }), ["overload_loop", undefined]);
  assert.deepEqual(verdict({ memory: 0.93, late: true }), ["overload_memory", "overload_memory"]);
});

void test("a reading serves for a while, and then there is another", async () => {
  let reads = 0;
  let share = 1;
  const readings = { memoryShare: () => ((reads += 1), share), loopIsLate: () => false, dispose: () => undefined };
  const guard = new OverloadGuard(limits, readings);
  for (let n = 0; n < 10_000; n += 1) guard.refusesStreams(performance.now());
  assert.ok(reads < 100, `${reads} readings`);
  share = 0.1;
  await until(() => guard.refusesStreams(performance.now()) === undefined && guard.refusesSessions() === undefined, {
    what: "it ends",
  });
});

void test("this process is read: its heap, and its resident memory where that has a limit", () => {
  const free = processReadings(limits, Infinity);
  const share = free.memoryShare();
  assert.ok(share > 0 && share < 0.85, String(share));
  const tight = processReadings(limits, process.memoryUsage.rss() / 2);
  assert.ok(tight.memoryShare() > 1);
  const roomy = processReadings(limits, 2 ** 50);
  assert.ok(Math.abs(roomy.memoryShare() - share) < 0.1);
  for (const readings of [free, tight, roomy]) readings.dispose();
});

/** What a figure says after periods of half a second with so much late time in each, in milliseconds. */
function lateAfter(...periods: readonly number[]): boolean {
  const time = new LateTime();
  for (const wholeMs of periods) time.add({ elapsedMs: 500, wholeMs, countedMs: wholeMs });
  return time.late;
}

/** The same period, so many times. */
function times(number: number, late: number): number[] {
  return Array.from({ length: number }, () => late);
}

void test("a loop is late when it was for more than half of the time, and for some seconds", () => {
  assert.ok(lateAfter(...times(5, 500)));
  assert.ok(!lateAfter(...times(4, 500)), "two seconds are too few");
  assert.ok(lateAfter(...times(40, 300)), "60 % of the time");
  assert.ok(!lateAfter(...times(400, 240)), "48 % of the time");
  assert.ok(!lateAfter(...times(400, 0)), "busy, but on time");
  assert.ok(lateAfter(...times(400, 500), ...times(5, 0)));
  assert.ok(!lateAfter(...times(400, 500), ...times(6, 0)), "it is over");
});

void test("a standstill counts for a second, however long it was", () => {
  const time = new LateTime();
  const stall = { elapsedMs: 20_000, wholeMs: 20_000, countedMs: 1_000 };
  const verdicts = Array.from({ length: 3 }, () => (time.add(stall), time.late));
  assert.deepEqual(verdicts, [false, false, true]);
});

void test("standstills of this loop are a late loop when there are many, and one is none", async () => {
  const lateness = new LoopLateness(200);
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  // The monitor has to have begun before the first.
  await pause(100);
  standStill(3_000);
  assert.ok(!lateness.read());
  await pause(60);
  assert.ok(!lateness.read(), "one is none");
  await until(
    async () => {
      standStill(600);
      // It is asked within the turn that is late, as by a request.
      const late = lateness.read();
      await pause(1);
      return late;
    },
    { what: "many are a late loop", timeoutMs: 60_000 },
  );
  await until(() => !lateness.read(), { what: "it ends", timeoutMs: 60_000 });
  lateness.dispose();
});

function standStill(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}
