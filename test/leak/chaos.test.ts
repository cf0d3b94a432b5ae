import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../bench/gate/seeded-random.ts";
import { runChaos } from "./chaos.ts";
import { nextOperation, operationNames } from "./chaos-plan.ts";

// Replay a failure with the seed that its name shows: CAISSON_CHAOS_SEED=N npm test -- chaos
const seed = Number(process.env["CAISSON_CHAOS_SEED"] ?? Date.now() % 1_000_000);

test(`5,000 random operations leave every ledger balanced (seed ${seed})`, { timeout: 300_000 }, async () => {
  const result = await runChaos({ seed, operations: 5_000 });
  assert.ok(result.answered > 500, `only ${result.answered} requests were answered: the storm tested too little`);
  assert.ok(result.echoed > 50, `only ${result.echoed} pipes said back what they heard`);
  assert.ok(result.replaced > 5, `only ${result.replaced} clients were replaced by another instance`);
  for (const name of operationNames) assert.ok((result.counts[name] ?? 0) > 0, `no ${name} in the storm`);
});

test("a seed fixes the whole sequence, and another one gives another", () => {
  const planned = (from: number): unknown[] => {
    const random = new SeededRandom(from);
    return Array.from({ length: 1_000 }, () => nextOperation(random, 8));
  };
  assert.deepEqual(planned(7), planned(7));
  assert.notDeepEqual(planned(7), planned(8));
});
