// What the live page remembers: rings that never grow, and lines that are broken where nothing was heard.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { History, keptFrames } from "../../src/page/history.ts";
import { Ring } from "../../src/page/ring.ts";
import { frameAt } from "./frames.ts";

describe("a ring", () => {
  it("behaves like the end of an array", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.option(fc.double({ noNaN: true }), { nil: null }), { maxLength: 60 }),
        (capacity, values) => {
          const ring = new Ring(capacity);
          const copy: (number | null)[] = [];
          for (const value of values) ring.push(value);
          ring.copyTo(copy);
          const expected = values.slice(-capacity);
          assert.deepEqual(copy, expected);
          assert.equal(ring.size, expected.length);
          assert.equal(ring.latest, expected.at(-1) ?? undefined);
        },
      ),
    );
  });

  it("makes what it is copied to as short as itself", () => {
    const ring = new Ring(3);
    ring.push(1);
    const copy: (number | null)[] = [7, 8, 9];
    ring.copyTo(copy);
    assert.deepEqual(copy, [1]);
    ring.clear();
    ring.copyTo(copy);
    assert.deepEqual(copy, []);
  });
});

describe("the history", () => {
  const values = (ring: Ring): (number | null)[] => {
    const copy: (number | null)[] = [];
    ring.copyTo(copy);
    return copy;
  };

  it("stays as long as it is, for days", () => {
    const history = new History();
    for (let second = 0; second < 200_000; second += 1) history.add(frameAt(second * 1_000, second));
    assert.equal(history.times.size, keptFrames);
    assert.equal(history.series.requests.latest, 199_999);
  });

  it("breaks its lines after a pause", () => {
    const history = new History();
    history.add(frameAt(1_000, 1));
    history.add(frameAt(2_000, 2));
    history.add(frameAt(60_000, 3));
    assert.deepEqual(values(history.series.requests), [1, 2, null, 3]);
    assert.deepEqual(values(history.times), [1, 2, 2.001, 60]);
  });

  it("begins anew when the clock went back", () => {
    const history = new History();
    history.add(frameAt(5_000, 1));
    history.add(frameAt(4_000, 2));
    assert.deepEqual(values(history.times), [4]);
  });
});
