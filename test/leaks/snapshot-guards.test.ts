import assert from "node:assert/strict";
import { test } from "node:test";
import { diskRefusal, diskReserveBytes, expectedStallMs, memoryRefusal } from "../../src/leaks/snapshot-guards.ts";

const megabyte = 1024 * 1024;

test("a snapshot needs seven times the heap in free memory", () => {
  const facts = { heapUsed: 50 * megabyte, expectedStallMs: 1000, maxStallMs: 30_000 };
  assert.equal(memoryRefusal({ ...facts, headroom: 350 * megabyte }), undefined);
  const refusal = memoryRefusal({ ...facts, headroom: 350 * megabyte - 1 });
  assert.equal(refusal?.code, "memory");
  assert.equal(refusal.message, "a snapshot of 50 MB of heap needs 350 MB of free memory, and 349 MB are free");
});

test("a stall that is expected to be too long is refused", () => {
  const facts = { heapUsed: 50 * megabyte, headroom: Infinity, maxStallMs: 4000 };
  assert.equal(memoryRefusal({ ...facts, expectedStallMs: 4000 }), undefined);
  const refusal = memoryRefusal({ ...facts, expectedStallMs: 4001 });
  assert.equal(refusal?.code, "stall");
  assert.match(refusal.message, /4\.0 s allowed$/);
});

test("the stall is expected from the last one, and before that from the version of Node", () => {
  assert.equal(expectedStallMs(100 * megabyte, 20), 2000);
  assert.equal(expectedStallMs(megabyte, 1), 100);
  const first = expectedStallMs(100 * megabyte, undefined);
  assert.ok(first === 10_000 || first === 6000);
});

test("the disk needs three times the heap and a reserve", () => {
  const needed = 30 * megabyte + diskReserveBytes;
  assert.equal(diskRefusal(10 * megabyte, needed), undefined);
  assert.equal(diskRefusal(10 * megabyte, needed - 1)?.code, "disk");
});
