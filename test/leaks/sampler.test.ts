import assert from "node:assert/strict";
import { test } from "node:test";
import { Sampler } from "../../src/leaks/sampler.ts";

function picks(oneIn: number, tries: number): number {
  const sampler = new Sampler(oneIn);
  let count = 0;
  for (let n = 0; n < tries; n += 1) if (sampler.pick()) count += 1;
  return count;
}

test("one in 1 is all, one in 0 is none", () => {
  assert.equal(picks(1, 1000), 1000);
  assert.equal(picks(0, 1000), 0);
});

test("one in 100 picks about a hundredth", () => {
  const count = picks(100, 100_000);
  // 1,000 on average with a standard deviation of about 18.
  assert.ok(count > 850 && count < 1150, `${count} of 100,000`);
});

test("a fault that strikes every hundredth time is seen at its own rate", () => {
  const sampler = new Sampler(100);
  let seen = 0;
  for (let n = 0; n < 400_000; n += 1) if (sampler.pick() && n % 100 === 0) seen += 1;
  // 40 on average; without random gaps it would be 4,000 or none.
  assert.ok(seen > 8 && seen < 100, `${seen} of 4,000 faults`);
});
