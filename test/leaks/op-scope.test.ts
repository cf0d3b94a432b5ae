import assert from "node:assert/strict";
import { test } from "node:test";
import { GcClock } from "../../src/leaks/gc-clock.ts";
import { Operations } from "../../src/leaks/op-scope.ts";
import { collectUntil } from "./sample.ts";

/** Starts `count` operations that wait for promises; what `keep` is given can still settle them. */
function start(
  operations: Operations,
  name: string,
  options: { readonly count: number; readonly keep?: (settle: () => void) => void },
): Promise<void>[] {
  return Array.from({ length: options.count }, () =>
    operations.run(name, async () => {
      await new Promise<void>((resolve) => options.keep?.(resolve));
    }),
  );
}

test("100 of 100 abandoned awaits are found by name, and none of 50 that may still settle", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const operations = new Operations();
  const settlers: (() => void)[] = [];
  const waiting = start(operations, "drain", { count: 50, keep: (settle) => settlers.push(settle) });
  // Those who wait for an operation do not keep it from being found.
  const abandoned = start(operations, "connect", { count: 100 });
  assert.equal(operations.readings()["connect"]?.pending, 100);
  await collectUntil(clock, () => (operations.readings()["connect"]?.abandoned ?? 0) > 0);
  await clock.force();
  const { connect, drain } = operations.readings();
  assert.deepEqual(connect, { started: 100, settled: 0, abandoned: 100, pending: 0, oldestMs: 0 });
  assert.equal(drain?.abandoned, 0);
  assert.equal(drain.pending, 50);
  assert.ok(drain.oldestMs > 0);
  for (const settle of settlers) settle();
  await Promise.all(waiting);
  await clock.force();
  const settled = operations.readings()["drain"];
  assert.deepEqual(settled, { started: 50, settled: 50, abandoned: 0, pending: 0, oldestMs: 0 });
  assert.equal(operations.pending, 0);
  assert.equal(abandoned.length, 100);
});

test("an abandoned await below other awaits is found once, at the operation's name", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const operations = new Operations();
  const inner = async (): Promise<void> => {
    await new Promise<void>(() => {});
  };
  void operations.run("certificate", async () => {
    await inner();
    await inner();
  });
  await collectUntil(clock, () => operations.readings()["certificate"]?.abandoned === 1);
});

test("what settles by a timer, a socket or the file system is never counted", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const operations = new Operations();
  const { readFile } = await import("node:fs/promises");
  const done = Array.from({ length: 50 }, (_, n) =>
    operations.run("read", async () => {
      if (n % 2 === 0) await readFile(new URL(import.meta.url));
      else await new Promise((resolve) => setTimeout(resolve, 50));
      return n;
    }),
  );
  await clock.force();
  await clock.force();
  assert.deepEqual(
    await Promise.all(done),
    done.map((_, n) => n),
  );
  assert.equal(operations.readings()["read"]?.abandoned, 0);
  assert.equal(operations.readings()["read"]?.settled, 50);
});

test("results, rejections and synchronous throws pass through", async () => {
  const operations = new Operations();
  assert.equal(await operations.run("a", () => Promise.resolve(7)), 7);
  await assert.rejects(
    operations.run("a", () => Promise.reject(new Error("late"))),
    /late/,
  );
  await assert.rejects(
    operations.run("a", () => {
      throw new Error("early");
    }),
    /early/,
  );
  assert.deepEqual(operations.readings()["a"], { started: 3, settled: 3, abandoned: 0, pending: 0, oldestMs: 0 });
  assert.equal(operations.activity, 3);
});

test("after dispose() operations still run and nothing is counted", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const operations = new Operations();
  void start(operations, "connect", { count: 10 });
  operations.dispose();
  for (let n = 0; n < 3; n += 1) await clock.force();
  assert.equal(operations.readings()["connect"]?.abandoned, 0);
  assert.equal(await operations.run("connect", () => Promise.resolve(1)), 1);
  assert.equal(operations.pending, 0);
});
