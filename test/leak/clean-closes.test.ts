import assert from "node:assert/strict";
import { test } from "node:test";
import { runCleanCloses } from "./clean-closes.ts";

test("clean closes raise no alarm, and are collected", { timeout: 120_000 }, async () => {
  const result = await runCleanCloses({ closes: 3_000 });
  assert.ok(result.closes >= 3_000);
  assert.equal(result.mostRetained, 0);
  assert.deepEqual(result.uncollected, {});
  const seen = Object.values(result.delays).reduce((sum, count) => sum + count, 0);
  assert.ok(seen >= 3_000, JSON.stringify(result.delays));
});
