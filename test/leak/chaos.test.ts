import assert from "node:assert/strict";
import { test } from "node:test";
import { runChaos } from "./chaos.ts";

// Replay a failure with the seed that its name shows: CAISSON_CHAOS_SEED=N npm test -- chaos
const seed = Number(process.env["CAISSON_CHAOS_SEED"] ?? Date.now() % 1_000_000);

test(`5,000 random operations leave every ledger balanced (seed ${seed})`, { timeout: 300_000 }, async () => {
  const result = await runChaos({ seed, operations: 5_000 });
  assert.ok(result.answered > 500, `only ${result.answered} requests were answered: the storm tested too little`);
});
