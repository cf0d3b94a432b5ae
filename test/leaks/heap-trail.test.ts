// The heap after collections: bounded for ever, and a slope that noise does not move.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MajorGcListener } from "../../src/leaks/gc-clock.ts";
import { HeapTrail, slopeOf, trailPoints } from "../../src/leaks/heap-trail.ts";
import type { HeapPoint } from "../../src/leaks/heap-trail.ts";

const minute = 60_000;

function trail(): { readonly trail: HeapTrail; readonly collect: () => void } {
  let listener: MajorGcListener | undefined;
  const clock = {
    onMajor: (added: MajorGcListener) => {
      listener = added;
      return () => {
        listener = undefined;
      };
    },
  };
  return { trail: new HeapTrail(clock, () => 42), collect: () => listener?.({ startedAtMs: 0, tookMs: 1, turns: 1 }) };
}

describe("a heap trail", () => {
  it("adds a point per major collection until it is disposed of", () => {
    const { trail: followed, collect } = trail();
    collect();
    collect();
    assert.deepEqual(
      followed.points.map(({ bytes }) => bytes),
      [42, 42],
    );
    followed.dispose();
    collect();
    assert.equal(followed.added, 2);
  });

  it("keeps the span and the floor when it is full", () => {
    const { trail: followed } = trail();
    for (let n = 0; n < 10_000; n += 1) followed.add({ atMs: n * 1_000, bytes: n % 2 === 0 ? 100 : 200 });
    assert.ok(followed.points.length <= trailPoints);
    assert.ok((followed.points[0]?.atMs ?? Infinity) < 200_000, "the beginning is still there");
    const times = followed.points.map(({ atMs }) => atMs);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.ok(followed.points.slice(0, -1).every(({ bytes }) => bytes === 100));
  });

  it("looks back one hour for its slope", () => {
    const { trail: followed } = trail();
    // A steep start long ago, and a flat hour.
    for (let n = 0; n < 10; n += 1) followed.add({ atMs: n * minute, bytes: n * 1_000_000 });
    for (let n = 0; n < 20; n += 1) followed.add({ atMs: 100 * minute + n * minute, bytes: 9_000_000 });
    assert.equal(followed.slope(120 * minute)?.bytesPerHour, 0);
  });
});

describe("the slope", () => {
  const line = (count: number, bytesPerMinute: number): HeapPoint[] =>
    Array.from({ length: count }, (_, n) => ({ atMs: n * minute, bytes: 1e7 + n * bytesPerMinute }));

  it("is unknown for few points or a short time", () => {
    assert.equal(slopeOf([]), undefined);
    assert.equal(slopeOf(line(7, 1)), undefined);
    const close = Array.from({ length: 20 }, (_, n) => ({ atMs: n * 1_000, bytes: n }));
    assert.equal(slopeOf(close), undefined);
  });

  it("is the line's", () => {
    assert.equal(slopeOf(line(20, 1_000))?.bytesPerHour, 60_000);
    assert.equal(slopeOf(line(21, -1_000))?.bytesPerHour, -60_000);
  });

  it("is not moved by a few outliers", () => {
    const points = line(30, 1_000);
    points[5] = { atMs: 5 * minute, bytes: 9e8 };
    points[20] = { atMs: 20 * minute, bytes: 9e8 };
    const slope = slopeOf(points);
    assert.ok(Math.abs((slope?.bytesPerHour ?? 0) - 60_000) < 6_000, JSON.stringify(slope));
    assert.deepEqual([slope?.points, slope?.overMs], [30, 29 * minute]);
  });
});
