// When a server counts as overloaded: by thresholds of its memory, and by an event loop that is late again and again.

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { LoopLateness, OverloadGuard, processReadings } from "../../src/server/overload.ts";
import { until } from "../support/until.ts";

const limits = { busyMemoryPercent: 85, fullMemoryPercent: 92, maxLoopDelayMs: 200 };

/** What a guard says of streams and of sessions, for one reading. */
function verdict(reading: { readonly memory?: number; readonly late?: number }): readonly (string | undefined)[] {
  const guard = new OverloadGuard(limits, {
    memoryShare: () => reading.memory ?? 0,
    loopLateMs: () => reading.late ?? 0,
    dispose: () => undefined,
  });
  return [guard.refusesStreams(performance.now()), guard.refusesSessions()];
}

void test("memory refuses streams first, then sessions; a late loop refuses streams alone", () => {
  assert.deepEqual(verdict({ memory: 0.85, late: 200 }), [undefined, undefined]);
  assert.deepEqual(verdict({ memory: 0.86 }), ["overload_memory", undefined]);
  assert.deepEqual(verdict({ memory: 0.93 }), ["overload_memory", "overload_memory"]);
  assert.deepEqual(verdict({ late: 201 }), ["overload_loop", undefined]);
  assert.deepEqual(verdict({ memory: 0.93, late: 500 }), ["overload_memory", "overload_memory"]);
});

void test("a reading serves for a while, and then there is another", async () => {
  let reads = 0;
  let share = 1;
  const readings = { memoryShare: () => ((reads += 1), share), loopLateMs: () => 0, dispose: () => undefined };
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

function standStill(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

void test("three standstills are a late loop, one or two are not", async () => {
  const lateness = new LoopLateness();
  // The monitor has to have begun before the first.
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (let n = 0; n < 3; n += 1) {
    standStill(1000);
    await new Promise((resolve) => setTimeout(resolve, 60));
    if (n === 1) assert.ok(lateness.lateMs() < 950, `after two: ${lateness.lateMs()} ms`);
  }
  await turn();
  assert.ok(lateness.lateMs() >= 950, `after three: ${lateness.lateMs()} ms`);
  lateness.dispose();
});
