import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ageStepMs, OpenAges } from "../../src/leaks/open-ages.ts";

test("the oldest age is that of the oldest open one, and at most a step too high", () => {
  const events = fc.array(fc.record({ afterMs: fc.double({ min: 0, max: 2000, noNaN: true }), closes: fc.nat() }), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(events, (steps) => {
      const ages = new OpenAges();
      const open: number[] = [];
      let now = 0;
      for (const { afterMs, closes } of steps) {
        now += afterMs;
        if (closes % 3 === 0 && open.length > 0) {
          const [closed = 0] = open.splice(closes % open.length, 1);
          ages.closed(closed);
        } else {
          open.push(now);
          ages.opened(now);
        }
        const oldest = open.length === 0 ? 0 : now - Math.min(...open);
        const told = ages.oldestMs(now);
        assert.ok(told >= oldest && told <= oldest + ageStepMs, `${told} for ${oldest}`);
        assert.ok(ages.size <= open.length, `${ages.size} steps for ${open.length} open`);
      }
    }),
  );
});

test("one that was opened earlier than it was told of is still the oldest", () => {
  const ages = new OpenAges();
  ages.opened(9000);
  ages.opened(5000);
  assert.equal(ages.oldestMs(10_000), 5000);
  ages.closed(5000);
  assert.equal(ages.oldestMs(10_000), 1000);
});

test("a close without an open changes nothing", () => {
  const ages = new OpenAges();
  ages.closed(100);
  ages.opened(5000);
  ages.closed(100);
  assert.equal(ages.oldestMs(6000), 1000);
  ages.closed(5000);
  ages.closed(5000);
  assert.equal(ages.size, 0);
  assert.equal(ages.oldestMs(6000), 0);
});
