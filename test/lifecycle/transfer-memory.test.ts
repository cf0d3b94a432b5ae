// Memory that is lent: what one has is never another's, and what comes back is used again.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { blockBytes, leastLentBytes, TransferMemory } from "../../src/lifecycle/transfer-memory.ts";

void test("no two pieces that are out share a byte, whatever was given back before", () => {
  const size = fc.oneof(fc.nat({ max: 8192 }), fc.integer({ min: leastLentBytes, max: blockBytes }));
  const step = fc.record({ size, giveBack: fc.nat({ max: 5 }), part: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = new TransferMemory();
      const out: { piece: Buffer; fill: number }[] = [];
      for (const [at, { size: bytes, giveBack, part }] of steps.entries()) {
        const piece = memory.lend(bytes);
        assert.equal(piece.length, bytes);
        out.push({ piece: piece.fill(at), fill: at });
        const back = out[giveBack];
        if (!back) continue;
        // A part is no piece: giving it back changes nothing, and the whole stays out.
        if (part) memory.giveBack(back.piece.subarray(0, back.piece.length));
        else {
          out.splice(giveBack, 1);
          memory.giveBack(back.piece);
          memory.giveBack(back.piece);
        }
        for (const { piece: held, fill } of out) assert.ok(held.every((byte) => byte === fill));
      }
    }),
    { numRuns: 50 },
  );
});

void test("a block is used again, and no more than sixteen wait", () => {
  const memory = new TransferMemory();
  const first = memory.lend(blockBytes);
  memory.giveBack(first);
  assert.equal(memory.freeBlocks, 1);
  assert.equal(memory.lend(100_000).buffer, first.buffer);
  assert.equal(memory.freeBlocks, 0);
  const pieces = Array.from({ length: 40 }, () => memory.lend(blockBytes));
  for (const piece of pieces) memory.giveBack(piece);
  assert.equal(memory.freeBlocks, 16);
});

void test("no piece keeps more than four times its size, and about so much", () => {
  const memory = new TransferMemory();
  for (const bytes of [leastLentBytes, 16_448, 16_449, 65_600, 65_601, blockBytes, blockBytes + 1, 1_000_000]) {
    assert.ok(memory.lend(bytes).buffer.byteLength <= 4 * bytes + 64, `${bytes} bytes`);
  }
});

void test("the last part of what was divided brings the block back, and no part before it", () => {
  const memory = new TransferMemory();
  const piece = memory.lend(100_000);
  const [first, last] = [piece.subarray(0, 50_000), piece.subarray(50_010, 99_990)];
  memory.divided(piece, last);
  memory.giveBack(first);
  memory.giveBack(piece);
  assert.equal(memory.freeBlocks, 0);
  memory.giveBack(last);
  memory.giveBack(last);
  assert.equal(memory.freeBlocks, 1);
  assert.equal(memory.lend(100_000).buffer, piece.buffer);
  assert.equal(memory.madeBlocks, 1);
});

void test("what is divided and ends in a small part, or was never lent, is left alone", () => {
  const memory = new TransferMemory();
  const piece = memory.lend(100_000);
  memory.divided(piece, piece.subarray(0, leastLentBytes - 1));
  const foreign = Buffer.alloc(100_000);
  const part = foreign.subarray(1);
  memory.divided(foreign, part);
  memory.giveBack(part);
  assert.equal(memory.freeBlocks, 0);
  memory.giveBack(piece);
  assert.equal(memory.freeBlocks, 1);
});

void test("small pieces and foreign memory are not kept", () => {
  const memory = new TransferMemory();
  memory.giveBack(memory.lend(leastLentBytes - 1));
  memory.giveBack(Buffer.alloc(blockBytes));
  assert.equal(memory.freeBlocks, 0);
});

void test("a copy outlives what it was copied from", () => {
  const memory = new TransferMemory();
  for (const bytes of [0, 1, 4096, 65_535, 65_536, blockBytes]) {
    const source = Buffer.alloc(bytes, 7);
    const copy = memory.copy(source);
    source.fill(0);
    assert.ok(copy.length === bytes && copy.every((byte) => byte === 7), `${bytes} bytes`);
  }
});
