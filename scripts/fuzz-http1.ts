// Reads millions of mutated HTTP/1.1 conversations with our readers and with llhttp, and stops at the first one that
// both accept and understand differently; prints it in its shortest form. When: nightly, and after every change of src/http1.
// Example: npm run build && node dist/scripts/fuzz-http1.js --count 5000000 --seed 7

import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import type { Direction } from "../test/http1/differential.ts";
import { compareMany } from "../test/http1/differential.ts";

/** Of each hundred conversations. */
const shares: readonly (readonly [direction: Direction, percent: number])[] = [
  ["requests", 65],
  ["responses", 25],
  ["responses to HEAD", 10],
];

const { values } = parseArgs({
  options: { count: { type: "string", default: "2000000" }, seed: { type: "string" }, tally: { type: "boolean" } },
});
const count = positive(values.count, "--count");
const seed = values.seed === undefined ? randomInt(1, 2 ** 31) : positive(values.seed, "--seed");

function positive(text: string, flag: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) {
    console.error(`${flag} takes a whole number above 0, not ${JSON.stringify(text)}.`);
    process.exit(2);
  }
  return number;
}

console.log(`seed ${seed}, node ${process.version}, llhttp ${process.versions["llhttp"] ?? "?"}`);
for (const [direction, percent] of shares) {
  const share = Math.ceil((count * percent) / 100);
  let nextReport = 500_000;
  const { tally, shared, disagreement } = await compareMany({
    direction,
    count: share,
    seed,
    onProgress: (done) => {
      if (done < nextReport) return;
      nextReport += 500_000;
      console.log(`${direction}: ${done} of ${share}`);
    },
  });
  if (values.tally === true) {
    const rows = [...tally].toSorted((a, b) => b[1] - a[1]);
    console.log(rows.map(([ends, times]) => `${String(times).padStart(9)}  ${ends}`).join("\n"));
  }
  if (disagreement !== undefined) {
    console.log(`${direction}: they disagree on ${disagreement.about}, seed ${seed}`);
    console.log(JSON.stringify(disagreement, undefined, 2));
    process.exit(1);
  }
  console.log(
    `${direction}: ${share} conversations, ${shared} of them with a message that both understood, no disagreement`,
  );
}
