// Response times in cells, and the percentiles that are read from them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { LatencyCells, percentileMs } from "../../src/observe/latency-cells.ts";

const within = 1.126;

describe("latency cells", () => {
  it("tell nothing without observations", () => {
    assert.equal(percentileMs(new LatencyCells().counts, 0.5), undefined);
  });

  it("put one observation within an eighth above its value", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.008, max: 2_000_000, noNaN: true }), (ms) => {
        const cells = new LatencyCells();
        cells.observe(ms);
        const read = percentileMs(cells.counts, 0.99) ?? 0;
        // A whole microsecond is the finest step.
        assert.ok(read + 0.001 >= ms && read <= ms * within + 0.001, `${ms} was read as ${read}`);
      }),
    );
  });

  it("order percentiles as the values are", () => {
    const cells = new LatencyCells();
    for (let ms = 1; ms <= 100; ms += 1) cells.observe(ms);
    const p50 = percentileMs(cells.counts, 0.5) ?? 0;
    const p99 = percentileMs(cells.counts, 0.99) ?? 0;
    assert.ok(p50 >= 50 && p50 <= 50 * within, String(p50));
    assert.ok(p99 >= 99 && p99 <= 99 * within, String(p99));
  });

  it("take nonsense for zero and eternity for the longest", () => {
    const cells = new LatencyCells();
    for (const nonsense of [-1, Number.NaN, -Infinity]) cells.observe(nonsense);
    assert.equal(percentileMs(cells.counts, 1), 0.001);
    cells.observe(Infinity);
    assert.ok((percentileMs(cells.counts, 1) ?? 0) > 2_000_000);
    assert.equal(
      cells.counts.reduce((sum, count) => sum + count, 0),
      4,
    );
  });
});
