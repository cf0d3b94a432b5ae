import assert from "node:assert/strict";
import { constants, PerformanceObserver } from "node:perf_hooks";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { GcClock } from "../../src/leaks/gc-clock.ts";
import type { MajorGc } from "../../src/leaks/gc-clock.ts";
import { floorWindow, HeapFloor } from "../../src/leaks/heap-floor.ts";
import { HandClock, until } from "./sample.ts";

/** All collections as Node reports them, by kind. */
function countByKind(): { readonly counts: Map<unknown, number>; stop(): void } {
  const counts = new Map<unknown, number>();
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const detail: unknown = "detail" in entry ? entry.detail : undefined;
      const kind = typeof detail === "object" && detail !== null && "kind" in detail ? detail.kind : undefined;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  return { counts, stop: () => observer.disconnect() };
}

test("only major collections count", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const all = countByKind();
  t.after(() => all.stop());
  const majors = (): number => all.counts.get(constants.NODE_PERFORMANCE_GC_MAJOR) ?? 0;
  const others = (): number => [...all.counts.values()].reduce((sum, count) => sum + count, 0) - majors();
  // Short-lived garbage: minor collections, until some were reported.
  let garbage: unknown[] = [];
  await until(() => {
    for (let n = 0; n < 100_000; n += 1) garbage.push({ n });
    garbage = [];
    return others() >= 5;
  });
  await clock.force();
  await clock.force();
  await until(() => majors() >= 2 && clock.majors === majors());
});

test("a forced collection is counted when it resolves, tells the memory, and is shared by those who ask meanwhile", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const heard: MajorGc[] = [];
  const stop = clock.onMajor((gc) => heard.push(gc));
  const asked = performance.now();
  const [first, second] = await Promise.all([clock.force(), clock.force()]);
  assert.equal(first, second);
  assert.equal(clock.forced, 1);
  assert.ok(clock.majors >= 1);
  assert.ok(first.before.heapUsed > 0 && first.after.heapUsed > 0 && first.tookMs > 0);
  assert.ok(heard.some((gc) => gc.startedAtMs >= asked && gc.turns >= 1));
  stop();
  assert.equal(clock.listeners, 0);
  const before = heard.length;
  await clock.force();
  assert.equal(heard.length, before);
});

test("collections of one blocked turn are one turn for those who wait for callbacks", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  await clock.force();
  const { majors, turns } = clock;
  // Forcing is asynchronous, so a blocked turn needs V8's own synchronous function.
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  assert.ok(typeof collect === "function");
  for (let n = 0; n < 3; n += 1) Reflect.apply(collect, undefined, []);
  await until(() => clock.majors >= majors + 3);
  assert.equal(clock.turns, turns + 1);
});

test("a disposed clock hears nothing", async () => {
  const clock = new GcClock();
  let heard = 0;
  clock.onMajor(() => {
    heard += 1;
  });
  clock.dispose();
  clock.dispose();
  await clock.force();
  assert.equal(heard, 0);
  assert.equal(clock.majors, 0);
  assert.equal(clock.listeners, 0);
});

test("the heap's floor is the lowest after the latest collections, and rises when they rise", () => {
  const clock = new HandClock();
  let used = 50;
  const floor = new HeapFloor(clock, () => used);
  assert.equal(floor.bytes, undefined);
  clock.strike(0);
  used = 70;
  clock.strike(0);
  assert.equal(floor.bytes, 50);
  for (let n = 0; n < floorWindow; n += 1) clock.strike(0);
  assert.equal(floor.bytes, 70);
  floor.dispose();
  assert.equal(clock.listeners.size, 0);
});

test("the floor of the real heap is read after each collection", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const floor = new HeapFloor(clock);
  await clock.force();
  assert.ok((floor.bytes ?? 0) > 1_000_000);
  floor.dispose();
});
