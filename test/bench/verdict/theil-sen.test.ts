import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "../../../bench/gate/seeded-random.ts";
import { equivalence, tolerancesOf } from "../../../bench/gate/verdict/equivalence.ts";
import { theilSen } from "../../../bench/gate/verdict/theil-sen.ts";
import { gaussian } from "./synthetic.ts";

const xs = Array.from({ length: 30 }, (_, index) => index * 100);

test("a straight line has its slope and an interval of no width", () => {
  const fitted = theilSen(
    xs,
    xs.map((x) => 3 + 0.5 * x),
  );
  assert.deepEqual(fitted, { slope: 0.5, interval: [0.5, 0.5] });
});

test("too few points give nothing", () => {
  assert.equal(theilSen([], []), undefined);
  assert.equal(theilSen([1, 2], [1, 2]), undefined);
  assert.equal(theilSen([5, 5, 5, 5], [1, 2, 3, 4]), undefined);
});

test("a quarter of wild points does not move the slope far", () => {
  const fitted = theilSen(
    xs,
    xs.map((x, index) => (index % 4 === 1 ? 1e9 : 2 * x)),
  );
  assert.ok(fitted !== undefined);
  assert.equal(fitted.slope, 2);
});

test("the interval holds the true slope about 95 times in 100", () => {
  const random = new SeededRandom(5);
  let inside = 0;
  for (let trial = 0; trial < 400; trial++) {
    const fitted = theilSen(
      xs,
      xs.map((x) => 7 * x + 500 * gaussian(random)),
    );
    assert.ok(fitted !== undefined);
    if (fitted.interval[0] <= 7 && fitted.interval[1] >= 7) inside++;
  }
  assert.ok(inside >= 368 && inside <= 396, `${inside} of 400`);
});

test("shifting and scaling the values shifts nothing and scales the slope", () => {
  const values = fc.array(fc.integer({ min: -10_000, max: 10_000 }), { minLength: 5, maxLength: 40 });
  fc.assert(
    fc.property(values, fc.integer({ min: -1000, max: 1000 }), (ys, shift) => {
      const at = ys.map((_, index) => index);
      const plain = theilSen(at, ys);
      const moved = theilSen(
        at,
        ys.map((y) => 2 * y + shift),
      );
      assert.ok(plain !== undefined && moved !== undefined);
      assert.ok(plain.interval[0] <= plain.slope && plain.slope <= plain.interval[1]);
      assert.ok(Math.abs(moved.slope - 2 * plain.slope) < 1e-6);
    }),
  );
});

test("an interval is below, above or around a tolerance", () => {
  assert.equal(equivalence([-1, 3.9], 4), "below");
  assert.equal(equivalence([4.1, 9], 4), "above");
  assert.equal(equivalence([3, 5], 4), "undecided");
  assert.equal(equivalence([4, 4], 4), "undecided");
  assert.equal(tolerancesOf(20).heap, 6);
  assert.equal(tolerancesOf(22).heap, 4);
  assert.equal(tolerancesOf(26).heap, 4);
});
