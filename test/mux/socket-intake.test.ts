// Reading into shared memory: every chunk stays what it was, whoever reads next, and a socket can be given back to those
// who listen for `data`.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { TransferMemory } from "../../src/lifecycle/transfer-memory.ts";
import { readAsStream, readInto } from "../../src/mux/direct-reading.ts";
import { takeBytes } from "../../src/mux/socket-intake.ts";
import { socketPair } from "../support/sockets.ts";
import { until } from "../support/until.ts";

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function collect(socket: Socket, memory: TransferMemory): Buffer[] {
  const chunks: Buffer[] = [];
  const onBytes = (chunk: Buffer): void => void chunks.push(chunk);
  takeBytes(socket, memory, onBytes);
  socket.resume();
  return chunks;
}

const bytesIn = (chunks: readonly Buffer[]): number => chunks.reduce((sum, chunk) => sum + chunk.length, 0);

describe("reading into shared memory", () => {
  it("keeps the chunks of many sockets apart, small ones and bulk", async () => {
    const memory = new TransferMemory();
    const pairs = await Promise.all(Array.from({ length: 4 }, () => socketPair()));
    const sent = pairs.map((_, at) => Buffer.alloc(at % 2 === 0 ? 3_000_000 : 3_000, at + 1));
    const read = pairs.map(({ near }) => collect(near, memory));
    for (const [at, { far }] of pairs.entries()) {
      const bytes = sent[at] ?? assert.fail();
      for (let from = 0; from < bytes.length; from += 100_003) far.write(bytes.subarray(from, from + 100_003));
    }
    await until(() => read.every((chunks, at) => bytesIn(chunks) === sent[at]?.length), { what: "all bytes" });
    for (const [at, chunks] of read.entries())
      assert.equal(sha256(Buffer.concat(chunks)), sha256(sent[at] ?? assert.fail()));
    for (const { near, far } of pairs) {
      near.destroy();
      far.destroy();
    }
  });

  it("is how Node reads here: no data event tells of it", async () => {
    const { near, far } = await socketPair();
    let events = 0;
    let length = 0;
    near.on("data", () => (events += 1));
    assert.ok(readInto(near, Buffer.alloc(1024), (bytes) => (length += bytes) > 0));
    near.resume();
    far.write("hello");
    await until(() => length === 5, { what: "the bytes" });
    assert.equal(events, 0);
    near.destroy();
    far.destroy();
  });

  it("brings what was put back, pauses at once, and tells of the end", async () => {
    const { near, far } = await socketPair();
    const memory = new TransferMemory();
    near.unshift(Buffer.from("first "));
    const chunks = collect(near, memory);
    far.write("second ");
    await until(() => Buffer.concat(chunks).toString() === "first second ", { what: "both" });
    near.pause();
    far.end("third");
    let ended = false;
    near.on("end", () => (ended = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(Buffer.concat(chunks).toString(), "first second ");
    near.resume();
    await until(() => ended, { what: "the end" });
    assert.equal(Buffer.concat(chunks).toString(), "first second third");
    near.destroy();
    far.destroy();
  });

  it("is given back to whoever listens for data, with copies", async () => {
    const { near, far } = await socketPair();
    const memory = new TransferMemory();
    const mine = collect(near, memory);
    far.write("mine");
    await until(() => bytesIn(mine) === 4, { what: "my bytes" });
    near.removeAllListeners("data");
    readAsStream(near);
    const theirs: Buffer[] = [];
    near.on("data", (chunk: Buffer) => void theirs.push(chunk));
    const bulk = Buffer.alloc(1_000_000, 3);
    far.write(bulk);
    await until(() => bytesIn(theirs) === bulk.length, { what: "their bytes" });
    assert.equal(sha256(Buffer.concat(theirs)), sha256(bulk));
    assert.equal(bytesIn(mine), 4);
    const again = collect(near, memory);
    far.write("mine again");
    await until(() => bytesIn(again) === 10, { what: "my bytes again" });
    near.destroy();
    far.destroy();
  });

  it("leaves a socket that is closed alone", async () => {
    const { near, far } = await socketPair();
    near.destroy();
    far.destroy();
    await until(() => near.closed, { what: "the close" });
    assert.equal(
      readInto(near, Buffer.alloc(16), () => true),
      false,
    );
  });
});
