// What: the model-based storm of test/leak/chaos.ts at length: 100,000 random operations, replayable by seed.
// When: before a release, and after any change to ownership. It takes about eight minutes and ends by itself.
// Example: npm run build && node dist/scripts/chaos.js --operations 100000 --seed 7

import { parseArgs } from "node:util";
import { runChaos } from "../test/leak/chaos.ts";

const { values } = parseArgs({ options: { operations: { type: "string" }, seed: { type: "string" } } });
const operations = Number(values.operations ?? 100_000);
const seed = Number(values.seed ?? Date.now() % 1_000_000);

process.stdout.write(`seed ${seed}, ${operations} operations\n`);
const result = await runChaos({
  seed,
  operations,
  between: 1_000,
  onQuiet: (done) => void process.stdout.write(`${done} operations: every ledger balances\n`),
});
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
