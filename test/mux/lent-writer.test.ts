// Lent memory comes back when the socket has taken it, not before, and stays away from a socket that was cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { blockBytes, TransferMemory } from "../../src/lifecycle/transfer-memory.ts";
import { LentWriter } from "../../src/mux/lent-writer.ts";
import { socketPair } from "../support/sockets.ts";
import { until } from "../support/until.ts";

void test("pieces are free as soon as the socket has taken them", async () => {
  const memory = new TransferMemory();
  const { near, far } = await socketPair();
  let written = 0;
  const writer = new LentWriter(near, { memory, onWritten: () => (written += 1) });
  const small = memory.lend(10);
  writer.write(small, small);
  const piece = memory.lend(20_000).fill(1);
  writer.write(piece.subarray(5), piece);
  assert.equal(near.writableLength, 0);
  assert.equal(memory.freeBlocks, 1);
  await until(() => written === 2, { what: "both calls" });
  // Not given back twice. (A full collection may have taken it.)
  assert.ok(memory.freeBlocks <= 1);
  near.destroy();
  far.destroy();
});

void test("pieces that wait are not written over, and come back one by one", async () => {
  const memory = new TransferMemory();
  const { near, far } = await socketPair();
  far.pause();
  let written = 0;
  const writer = new LentWriter(near, { memory, onWritten: () => (written += 1) });
  let sent = 0;
  const count = 200;
  for (; sent < count; sent += 1) {
    const piece = memory.lend(blockBytes).fill(sent % 251);
    writer.write(piece, piece);
  }
  assert.ok(near.writableLength > 0);
  const read: Buffer[] = [];
  far.on("data", (chunk: Buffer) => void read.push(chunk));
  far.resume();
  await until(() => written === count, { what: "all writes" });
  await until(() => read.reduce((sum, { length }) => sum + length, 0) === count * blockBytes, { what: "all bytes" });
  const bytes = Buffer.concat(read);
  for (let at = 0; at < count; at += 1) {
    assert.ok(bytes.subarray(at * blockBytes, (at + 1) * blockBytes).every((byte) => byte === at % 251));
  }
  near.destroy();
  far.destroy();
});

void test("a socket that is cut keeps what it held", async () => {
  const memory = new TransferMemory();
  const { near, far } = await socketPair();
  far.pause();
  let written = 0;
  const writer = new LentWriter(near, { memory, onWritten: () => (written += 1) });
  for (let at = 0; at < 100; at += 1) {
    const piece = memory.lend(blockBytes);
    writer.write(piece, piece);
  }
  const free = memory.freeBlocks;
  near.on("error", () => undefined);
  near.destroy();
  await until(() => near.closed, { what: "the close" });
  await until(() => written === 100, { what: "all calls" });
  assert.ok(memory.freeBlocks <= free);
  far.destroy();
});
