import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "../../src/lifecycle/deadlines.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import type { ForcedGc } from "../../src/leaks/gc-clock.ts";
import { GcSchedule } from "../../src/leaks/gc-schedule.ts";
import { until } from "./sample.ts";

/** Counts what it is asked for. */
class CountingClock {
  majors = 0;
  forcedAtMs: number[] = [];
  failure: Error | undefined;

  force(): Promise<ForcedGc> {
    this.forcedAtMs.push(performance.now());
    if (this.failure) return Promise.reject(this.failure);
    const memory = process.memoryUsage();
    return Promise.resolve({ tookMs: 1, before: memory, after: memory });
  }
}

interface Rig {
  readonly clock: CountingClock;
  readonly subject: { awaiting: boolean; activity: number };
  readonly faults: string[];
  readonly deadlines: Deadlines;
  readonly schedule: GcSchedule;
}

const everyMs = 600;
const followUpMs = 60;

function rig(calmBelow: number): Rig {
  const clock = new CountingClock();
  const subject = { awaiting: false, activity: 0 };
  const faults: string[] = [];
  const events = { ...noEvents, faulted: (where: string) => void faults.push(where) };
  const deadlines = new Deadlines({ events, tickMs: 10 });
  const subjects = [subject];
  const times = { everyMs, followUpMs, lookMs: 20 };
  const schedule = new GcSchedule({ clock, deadlines, events, subjects, calmBelow, ...times });
  return { clock, subject, faults, deadlines, schedule };
}

/** Waits on the same wheel, so that what was due before has run. */
function pause(deadlines: Deadlines, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const deadline = deadlines.create(() => {
      deadline.dispose();
      resolve();
    });
    deadline.arm(ms);
  });
}

test("new resources lead to one collection per interval, and none while nothing is new", async () => {
  const { clock, subject, deadlines, schedule } = rig(2);
  subject.activity = 1;
  await until(() => clock.forcedAtMs.length === 1);
  // The second interval finds the news that came before the first collection only once.
  await pause(deadlines, 2.5 * everyMs);
  assert.equal(clock.forcedAtMs.length, 1);
  subject.activity = 2;
  await until(() => clock.forcedAtMs.length === 2);
  const [first = 0, second = 0] = clock.forcedAtMs;
  assert.ok(second - first >= everyMs);
  schedule.dispose();
  assert.equal(deadlines.size, 0);
  assert.equal(deadlines.armed, 0);
});

test("while something is awaited, four more follow, and then the interval is kept", async () => {
  const { clock, subject, deadlines, schedule } = rig(2);
  subject.awaiting = true;
  await until(() => clock.forcedAtMs.length === 6);
  const gaps = clock.forcedAtMs.slice(1).map((atMs, index) => atMs - (clock.forcedAtMs[index] ?? 0));
  for (const gap of gaps.slice(0, 4)) assert.ok(gap >= followUpMs, `${gap} ms`);
  const [first = 0, , , , , sixth = 0] = clock.forcedAtMs;
  assert.ok(sixth - first >= everyMs, `${sixth - first} ms between two rounds`);
  schedule.dispose();
  assert.equal(deadlines.size, 0);
});

test("a round ends as soon as nothing is awaited", async () => {
  const { clock, subject, deadlines, schedule } = rig(2);
  subject.awaiting = true;
  await until(() => clock.forcedAtMs.length === 2);
  subject.awaiting = false;
  await pause(deadlines, 4 * followUpMs);
  assert.equal(clock.forcedAtMs.length, 2);
  schedule.dispose();
});

test("a busy event loop is left alone", async () => {
  const { clock, subject, deadlines, schedule } = rig(0);
  subject.awaiting = true;
  await pause(deadlines, 2 * everyMs);
  assert.equal(clock.forcedAtMs.length, 0);
  schedule.dispose();
});

test("where the program collects often enough by itself, nothing is forced", async () => {
  const { clock, subject, deadlines, schedule } = rig(2);
  subject.awaiting = true;
  clock.majors = 5;
  await pause(deadlines, 1.5 * everyMs);
  assert.equal(clock.forcedAtMs.length, 0);
  schedule.dispose();
});

test("a collection that fails is reported, and the next interval tries again", async () => {
  const { clock, subject, faults, schedule } = rig(2);
  clock.failure = new Error("no collector");
  subject.awaiting = true;
  await until(() => clock.forcedAtMs.length === 2);
  assert.deepEqual(faults.slice(0, 1), ["gc"]);
  schedule.dispose();
  schedule.dispose();
});
