// Our readers and llhttp over the same mutated conversations: on what both accept, both must see the same messages.
// scripts/fuzz-http1.ts runs millions of the same kind.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import type { Direction } from "./differential.ts";
import { compareMany } from "./differential.ts";

/** Conversations per direction; HTTP1_SEED repeats a run. */
const counts: readonly (readonly [direction: Direction, count: number])[] = [
  ["requests", 30_000],
  ["responses", 10_000],
  ["responses to HEAD", 3_000],
];
const seed = Number(process.env["HTTP1_SEED"] ?? randomInt(1, 2 ** 31));

for (const [direction, count] of counts) {
  test(`${count} mutated ${direction}: whatever both accept is the same to both`, async (context) => {
    context.diagnostic(`seed ${seed}`);
    const { shared, disagreement } = await compareMany({ direction, count, seed });
    assert.deepEqual(disagreement, undefined, `seed ${seed}`);
    // A corpus that was spoiled beyond recognition would prove nothing.
    assert.ok(shared > count / 5, `only ${shared} of ${count} held a message that both understood`);
  });
}
