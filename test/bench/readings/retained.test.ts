// What is retained at the end of a run: nothing is waited for where the collector took everything, and all of the grace where
// it did not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decideRetained } from "../../../bench/gate/readings/retained.ts";
import type { KindSample } from "../../../bench/gate/verdict/sample.ts";

const graceMs = 120;
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

/** How often it collected before and after the grace. */
async function collections(kinds: Readonly<Record<string, KindSample>> | undefined): Promise<number[]> {
  const startedAtMs = performance.now();
  const counts = [0, 0];
  await decideRetained({
    graceMs,
    collect: async (times) => {
      const phase = performance.now() - startedAtMs < graceMs ? 0 : 1;
      counts[phase] = (counts[phase] ?? 0) + times;
    },
    kinds: async () => kinds,
  });
  return counts;
}

test("what was collected cannot be retained, so nobody waits for it", async () => {
  const [before = 0, after] = await collections({ session: kind(0), stream: kind(0) });
  assert.ok(before > 0);
  assert.equal(after, 0);
});

test("what is still there has the whole grace, and then as many collections as decide", async () => {
  for (const kinds of [{ session: kind(0), stream: kind(1) }, undefined]) {
    const [before = 0, after = 0] = await collections(kinds);
    assert.ok(before > 0);
    assert.ok(after >= 4, `${after} collections`);
  }
});
