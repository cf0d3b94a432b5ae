// The schedule, the clock and the watcher together, as a role has them, with the real collector and short intervals: a leak
// is found although nobody asks for a collection, and then the collector is left alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "../../src/lifecycle/deadlines.ts";
import type { TunnelEvents } from "../../src/lifecycle/events.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import { GcClock } from "../../src/leaks/gc-clock.ts";
import { GcSchedule } from "../../src/leaks/gc-schedule.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import { CollectionWatcher } from "../../src/leaks/watcher.ts";
import { SampleResource, until } from "./sample.ts";

/** A five-hundredth of what roles have, and the grace of ws's close timeout likewise. */
const everyMs = 600;
const followUpMs = 30;
const graceMs = 70;

/** 2,000 sessions come and go. Answers the twenty that somebody keeps; the frame of a test would keep another. */
function churn(events: TunnelEvents): readonly SampleResource[] {
  const kept: SampleResource[] = [];
  for (let n = 0; n < 2_000; n += 1) {
    const resource = new SampleResource("session");
    events.opened(resource);
    events.closed(resource, "done");
    if (n % 100 === 0) kept.push(resource);
  }
  return kept;
}

test("a leak of one in a hundred is retained by itself, as exactly that number", async (t) => {
  const clock = new GcClock();
  const found: string[] = [];
  const watcher = new CollectionWatcher({ clock, graceMs, onRetained: ({ label }) => found.push(label) });
  const events = fanout(new Ledger(), watcher);
  const deadlines = new Deadlines({ events, tickMs: 10 });
  const times = { everyMs, followUpMs, lookMs: 20 };
  // A test machine is seldom calm.
  const schedule = new GcSchedule({ clock, deadlines, events, subjects: [watcher], calmBelow: 2, ...times });
  t.after(() => {
    schedule.dispose();
    watcher.dispose();
    clock.dispose();
  });
  const kept = churn(events);
  assert.equal(watcher.reading("session").retained, 0);
  await until(() => watcher.reading("session").retained > 0, 60_000);
  const { retained, uncollected, collectedUnclosed } = watcher.reading("session");
  assert.deepEqual([retained, uncollected, collectedUnclosed], [kept.length, kept.length, 0]);
  assert.equal(new Set(found).size, kept.length);
  // What is decided needs no further collection.
  assert.equal(watcher.awaiting, false);
});
