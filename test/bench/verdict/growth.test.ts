import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "../../../bench/gate/seeded-random.ts";
import { floorToCome, growthOf, type GrowthShape } from "../../../bench/gate/verdict/growth.ts";
import { gaussian } from "./synthetic.ts";

const rounds = 41;
const xs = Array.from({ length: rounds }, (_, index) => 600 + index * 100);
const random = new SeededRandom(11);

const cases: Record<string, { count: (index: number) => number; shape: GrowthShape }> = {
  "nothing moves": { count: () => 5, shape: "flat" },
  "one for each connection": { count: (index) => index * 100, shape: "growing" },
  "one in a hundred": { count: (index) => index, shape: "growing" },
  "one in a thousand, never falling: four single rises": { count: (index) => Math.floor(index / 10), shape: "unclear" },
  "one in 400, the least that counts": { count: (index) => Math.floor(index / 4), shape: "growing" },
  "one in 300": { count: (index) => Math.floor(index / 3), shape: "growing" },
  "only in every tenth round": { count: (index) => Math.floor((index + 5) / 10) * 30, shape: "growing" },
  "it sets in half way": { count: (index) => Math.max(0, index - 20) * 10, shape: "growing" },
  "a saw-tooth": { count: (index) => (index % 5) * 40, shape: "flat" },
  "noise around a level": { count: () => Math.round(200 + 6 * gaussian(random)), shape: "flat" },
  "growth under noise": { count: (index) => Math.round(index * 5 + 3 * gaussian(random)), shape: "growing" },
  "a pool that reached its ceiling": { count: (index) => Math.min(16, index * 2), shape: "stopped" },
  "a cache that reached its cap": { count: (index) => Math.min(1000, index * 100), shape: "stopped" },
  "a ring that was full after four fifths of the run": {
    count: (index) => Math.min(3200, index * 100),
    shape: "stopped",
  },
  "what rested for the last few samples": { count: (index) => Math.min(3800, index * 100), shape: "growing" },
  "what rested for some more": { count: (index) => Math.min(3600, index * 100), shape: "stopped" },
  "one thing more, once": { count: (index) => (index > 8 ? 1 : 0), shape: "stopped" },
  "a burst that went away": { count: (index) => (index > 10 && index < 14 ? 500 : 0), shape: "flat" },
  "it drains": { count: (index) => 4000 - index * 100, shape: "flat" },
  "one thing more at the very end": { count: (index) => (index > 38 ? 1 : 0), shape: "unclear" },
};

for (const [name, { count, shape }] of Object.entries(cases)) {
  test(`${name}: ${shape}`, () => {
    const ys = xs.map((_, index) => count(index));
    assert.equal(growthOf(xs, ys).shape, shape);
  });
}

test("the rate is counts per connection", () => {
  const growth = growthOf(
    xs,
    xs.map((x) => x / 50),
  );
  assert.ok(Math.abs(growth.perUnit - 0.02) < 1e-9);
  assert.equal(growth.since, 1);
  assert.equal(growth.rise, 80);
});

test("what is rare is growth when it rises in most rounds of a long run", () => {
  const long = Array.from({ length: 101 }, (_, index) => 4_000 + index * 1_000);
  const growth = growthOf(
    long,
    long.map((_, index) => index),
  );
  assert.equal(growth.shape, "growing");
  assert.ok(Math.abs(growth.perUnit - 0.001) < 1e-9);
});

test("a handful of single rises anywhere is never growth", () => {
  const places = new SeededRandom(5);
  for (let trial = 0; trial < 500; trial++) {
    const rises = Array.from({ length: 4 + places.below(4) }, () => 1 + places.below(rounds - 1));
    const ys = xs.map((_, index) => 7 + rises.filter((at) => at <= index).length);
    assert.notEqual(growthOf(xs, ys).shape, "growing", ys.join(" "));
  }
});

test("noise without a trend is never growth", () => {
  const noise = new SeededRandom(3);
  for (let trial = 0; trial < 500; trial++) {
    const scale = 1 + noise.below(20);
    const ys = xs.map(() => Math.round(100 + scale * gaussian(noise)));
    assert.notEqual(growthOf(xs, ys).shape, "growing", ys.join(" "));
  }
});

test("the floor to come never falls and is never above the series", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 50 }), (ys) => {
      const floor = floorToCome(ys);
      assert.equal(floor.at(-1), ys.at(-1));
      for (const [index, value] of floor.entries()) {
        assert.ok(value <= (ys[index] ?? Infinity));
        assert.ok(value >= (floor[index - 1] ?? -Infinity));
      }
    }),
  );
});

test("in a short series one thing on its way out is no rest of the growth", () => {
  const few = [600, 660, 720, 780, 840, 900];
  const sockets = [11, 13, 15, 17, 19, 18];
  assert.equal(growthOf(few, sockets).shape, "stopped");
  assert.equal(growthOf(few, sockets, { leastRest: 3 }).shape, "unclear");
  assert.equal(growthOf(few, [11, 13, 16, 16, 16, 16], { leastRest: 3 }).shape, "stopped");
});
