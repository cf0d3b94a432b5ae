// What is retained at the end of a run: nothing is waited for where the collector took everything, and all of the grace where
// it did not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decideRetained } from "../../../bench/gate/readings/retained.ts";
import type { KindSample } from "../../../bench/gate/verdict/sample.ts";

const graceMs = 40;
/** Timers may fire a moment before their time. */
const timerMs = 2;
const kind = (uncollected: number): KindSample => ({
  opened: 5,
  closed: 5,
  live: 0,
  held: 0,
  uncollected,
  retained: 0,
  collectedUnclosed: 0,
  oldestSeconds: 0,
});

/** What was done, in order. */
interface Done {
  /** Collections before the ledgers were looked at. */
  readonly before: number;
  /** Collections afterwards. */
  readonly after: number;
  /** Milliseconds between that look and the first collection afterwards. */
  readonly waitedMs: number | undefined;
}

async function decided(kinds: Readonly<Record<string, KindSample>> | undefined): Promise<Done> {
  const counts = { before: 0, after: 0 };
  let lookedAtMs: number | undefined;
  let waitedMs: number | undefined;
  await decideRetained({
    graceMs,
    collect: async (times) => {
      if (lookedAtMs === undefined) counts.before += times;
      else {
        waitedMs ??= performance.now() - lookedAtMs;
        counts.after += times;
      }
    },
    kinds: async () => {
      lookedAtMs ??= performance.now();
      return kinds;
    },
  });
  return { ...counts, waitedMs };
}

test("what was collected cannot be retained, so nobody waits for it", async () => {
  const { before, after } = await decided({ session: kind(0), stream: kind(0) });
  assert.ok(before > 0);
  assert.equal(after, 0);
});

test("what is still there has the whole grace, and then as many collections as decide", async () => {
  for (const kinds of [{ session: kind(0), stream: kind(1) }, undefined]) {
    const { before, after, waitedMs = 0 } = await decided(kinds);
    assert.ok(before > 0);
    assert.ok(after >= 4, `${after} collections`);
    assert.ok(waitedMs >= graceMs - timerMs, `${waitedMs} ms`);
  }
});
