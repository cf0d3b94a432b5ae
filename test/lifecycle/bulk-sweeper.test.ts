// The sweeper runs one minor collection per step of new memory, and none without.

import assert from "node:assert/strict";
import { constants, PerformanceObserver } from "node:perf_hooks";
import { test } from "node:test";
import { BulkSweeper, bytesPerSweep } from "../../src/lifecycle/bulk-sweeper.ts";
import { until } from "../support/until.ts";

function isForcedScavenge(entry: object): boolean {
  const detail: unknown = "detail" in entry ? entry.detail : undefined;
  if (typeof detail !== "object" || detail === null || !("kind" in detail) || !("flags" in detail)) return false;
  const forced = constants.NODE_PERFORMANCE_GC_FLAGS_FORCED;
  return detail.kind === constants.NODE_PERFORMANCE_GC_MINOR && (Number(detail.flags) & forced) !== 0;
}

test("one scavenge per step of traffic, none before", async () => {
  let scavenges = 0;
  const observer = new PerformanceObserver((list) => {
    scavenges += list.getEntries().filter(isForcedScavenge).length;
  });
  observer.observe({ entryTypes: ["gc"] });
  const sweeper = new BulkSweeper();
  sweeper.allocated(bytesPerSweep - 1);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.equal(scavenges, 0);
  for (let n = 1; n <= 3; n += 1) {
    sweeper.allocated(bytesPerSweep);
    await until(() => scavenges === n, { what: `scavenge ${n}`, detail: () => scavenges });
  }
  observer.disconnect();
});
