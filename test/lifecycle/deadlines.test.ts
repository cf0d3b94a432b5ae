import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines, gapThresholdMs } from "../../src/lifecycle/deadlines.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import { Ledger } from "../../src/leaks/ledger.ts";

const tickMs = 10;

function wheel(events = noEvents): Deadlines {
  return new Deadlines({ events, tickMs });
}

/** Blocks the event loop, as a long computation or a stopped process does. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function fired(deadlines: Deadlines, afterMs: number): Promise<number> {
  return new Promise((resolve) => {
    const startedMs = performance.now();
    const deadline = deadlines.create(() => {
      deadline.dispose();
      resolve(performance.now() - startedMs);
    });
    deadline.arm(afterMs);
  });
}

test("never fires early", async () => {
  const deadlines = wheel();
  for (const afterMs of [1, 15, 40, 95]) assert.ok((await fired(deadlines, afterMs)) >= afterMs);
  assert.equal(deadlines.size, 0);
  assert.equal(deadlines.armed, 0);
});

test("fires in the order of due times, also beyond one turn of the wheel", async () => {
  const deadlines = wheel();
  const order: number[] = [];
  const afters = [30, 10, 2_700, 20];
  await Promise.all(afters.map((afterMs) => fired(deadlines, afterMs).then(() => order.push(afterMs))));
  assert.deepEqual(order, [10, 20, 30, 2_700]);
});

test("arming again moves it later and earlier, disarming stops it", async () => {
  const deadlines = wheel();
  let calls = 0;
  const deadline = deadlines.create(() => void (calls += 1));
  deadline.arm(20);
  deadline.arm(10_000);
  await fired(deadlines, 80);
  assert.equal(calls, 0, "moved later");
  deadline.arm(20);
  await fired(deadlines, 80);
  assert.equal(calls, 1, "moved earlier");
  deadline.arm(20);
  deadline.disarm();
  await fired(deadlines, 80);
  assert.equal(calls, 1, "disarmed");
  deadline.dispose();
  deadline.arm(1);
  assert.equal(deadlines.armed, 0, "a disposed deadline stays dead");
});

test("a callback may arm itself and dispose of others", async () => {
  const deadlines = wheel();
  let rounds = 0;
  const victim = deadlines.create(() => assert.fail("was disposed of"));
  await new Promise<void>((resolve) => {
    const again = deadlines.create(() => {
      victim.dispose();
      rounds += 1;
      if (rounds === 3) {
        again.dispose();
        resolve();
      } else again.arm(10);
    });
    again.arm(10);
    victim.arm(10);
  });
  assert.equal(deadlines.size, 0);
});

test("time during which the event loop stood still does not count", async () => {
  const deadlines = wheel();
  const gaps: number[] = [];
  const remove = deadlines.onGap((gapMs) => gaps.push(gapMs));
  const waited = fired(deadlines, 300);
  await fired(deadlines, 50);
  block(gapThresholdMs + 500);
  assert.ok((await waited) >= gapThresholdMs + 500 + 200);
  assert.equal(gaps.length, 1);
  assert.ok((gaps[0] ?? 0) >= gapThresholdMs);
  remove();
  assert.equal(deadlines.gapListeners, 0);
});

test("a callback that throws is reported and stops nothing", async () => {
  const faults: string[] = [];
  const deadlines = wheel({ ...noEvents, faulted: (where) => void faults.push(where) });
  const bad = deadlines.create(() => {
    throw new Error("bug");
  });
  bad.arm(10);
  await fired(deadlines, 40);
  bad.dispose();
  assert.deepEqual(faults, ["deadline"]);
});

test("each deadline is accounted for", () => {
  const ledger = new Ledger();
  const deadlines = wheel(ledger);
  const some = Array.from({ length: 5 }, () => deadlines.create(() => undefined));
  assert.equal(ledger.live("deadline"), 5);
  for (const deadline of some) {
    deadline.arm(1_000);
    deadline.dispose();
    deadline.dispose();
  }
  assert.deepEqual(ledger.outstanding, {});
  assert.equal(deadlines.size, 0);
});
