// What a stream received goes into a socket: in few writes, with credit only for what was taken.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { TransferMemory } from "../../src/lifecycle/transfer-memory.ts";
import { SocketOutlet } from "../../src/mux/socket-outlet.ts";
import type { Stream } from "../../src/mux/stream.ts";
import type { MemoryPair } from "../support/session-pair.ts";
import { exchange, pipeRequest, seededChunks, sessionPair } from "../support/session-pair.ts";
import { socketPair } from "../support/sockets.ts";
import { until } from "../support/until.ts";

const head = Buffer.from("HTTP/1.1 200 OK\r\n\r\n");

/** A stream whose bytes the server writes into `outlet`; answers the client's stream. */
async function pouring(pair: MemoryPair, outlet: SocketOutlet): Promise<{ source: Stream; sink: Stream }> {
  const count = pair.client.owner.probes.length;
  const probe = pair.server.open(pipeRequest());
  probe.holds = true;
  const sink = probe.stream ?? assert.fail();
  outlet.attach(sink);
  probe.onBytes = (chunk) => {
    if (chunk.length > 0) outlet.write(chunk, chunk.length);
  };
  await until(() => pair.client.owner.probes.length > count, { what: "the stream" });
  return { source: pair.client.owner.probes[count]?.stream ?? assert.fail(), sink };
}

describe("a socket outlet", () => {
  it("joins the writes of one message, without credit for framing", async () => {
    const pair = await sessionPair();
    const { near, far } = await socketPair();
    const outlet = new SocketOutlet(near, new TransferMemory());
    const writes: number[] = [];
    const write = near.write.bind(near);
    near.write = ((chunk: Buffer, done: () => void) => {
      writes.push(chunk.length);
      return write(chunk, done);
    }) as typeof near.write;
    const visit = pair.server.open(exchange());
    visit.holds = true;
    outlet.attach(visit.stream ?? assert.fail());
    visit.onHead = () => outlet.write(Buffer.from("head "), 0);
    visit.onBytes = (chunk) => {
      outlet.write(Buffer.from("4\r\n"), 0);
      outlet.write(chunk, chunk.length);
      outlet.write(Buffer.from("\r\n"), 0);
    };
    await until(() => pair.client.owner.probes.length === 1, { what: "the stream" });
    const source = pair.client.owner.probes[0]?.stream;
    source?.sendHead(head, "more");
    source?.sendData(Buffer.from("body"), "end");
    let text = "";
    far.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await until(() => text === "head 4\r\nbody\r\n", { what: "all of it" });
    assert.deepEqual(writes, [14]);
    await until(() => visit.stream?.closed === true, { what: "the stream is done" });
    assert.equal(outlet.pendingBytes, 0);
    near.destroy();
    far.destroy();
    await pair.settle();
  });

  it("writes at once when it has no stream, and ends after what was written", async () => {
    const { near, far } = await socketPair();
    const outlet = new SocketOutlet(near, new TransferMemory());
    let text = "";
    far.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const over = new Promise((resolve) => far.once("end", resolve));
    outlet.write(Buffer.from("a"), 0);
    outlet.write(Buffer.from("b"), 0);
    outlet.end();
    await over;
    assert.equal(text, "ab");
    near.destroy();
    far.destroy();
  });

  it("gives no credit while the socket takes nothing, and all of it afterwards", async () => {
    const pair = await sessionPair();
    const { near, far } = await socketPair();
    const outlet = new SocketOutlet(near, new TransferMemory());
    const { source, sink } = await pouring(pair, outlet);
    const target = pair.client.owner.probes[0] ?? assert.fail();
    const total = 12_000_000;
    const sent = target.send(seededChunks(9, total, 50_000));
    await until(() => near.writableLength > 0 && sink.unconsumedBytes >= near.writableLength / 2, {
      what: "it is full",
    });
    await until(() => source.queuedBytes > 0, { what: "the source is paused" });
    assert.ok(outlet.pendingBytes <= 64 * 1024 + pair.server.session._budget.grantedBytes + 64 * 1024);
    const hash = createHash("sha256");
    let read = 0;
    far.on("data", (chunk: Buffer) => {
      hash.update(chunk);
      read += chunk.length;
    });
    const digest = await sent;
    await until(() => read === total, { what: "everything" });
    assert.equal(hash.digest("hex"), digest);
    assert.equal(sink.unconsumedBytes, 0);
    assert.equal(outlet.pendingBytes, 0);
    near.destroy();
    far.destroy();
    sink.reset("cancelled");
    await pair.settle();
  });

  it("keeps small pieces from pinning large buffers once the socket is backed up", async () => {
    const { near, far } = await socketPair();
    const outlet = new SocketOutlet(near, new TransferMemory());
    while (near.writableLength === 0) outlet.write(Buffer.alloc(1_000_000), 0);
    const slab = Buffer.allocUnsafeSlow(100_000).fill(1);
    outlet.write(slab.subarray(0, 1000), 0);
    slab.fill(2);
    let last = 0;
    let length = 0;
    far.on("data", (chunk: Buffer) => {
      last = chunk.at(-1) ?? 0;
      length += chunk.length;
    });
    await until(() => outlet.pendingBytes === 0 && length % 1_000_000 === 1000, { what: "everything is read" });
    assert.equal(last, 1, "what waited was a copy");
    near.destroy();
    far.destroy();
  });

  it("settles what it owes when the socket is destroyed, also after detach", async () => {
    const pair = await sessionPair();
    const { near, far } = await socketPair();
    near.on("error", () => {});
    const outlet = new SocketOutlet(near, new TransferMemory());
    while (near.writableLength === 0) outlet.write(Buffer.alloc(1_000_000), 0);
    const { source, sink } = await pouring(pair, outlet);
    source.sendData(Buffer.alloc(5000), "end");
    sink.sendData(Buffer.alloc(0), "end");
    await until(() => sink.receivedEnd, { what: "the bytes" });
    outlet.detach();
    await new Promise(setImmediate);
    assert.equal(sink.unconsumedBytes, 5000);
    assert.ok(!sink.closed);
    near.destroy();
    await until(() => sink.closed, { what: "the stream is done" });
    far.destroy();
    await pair.settle();
  });

  it("serves one stream after the other, each with its own credit", async () => {
    const pair = await sessionPair();
    const { near, far } = await socketPair();
    const outlet = new SocketOutlet(near, new TransferMemory());
    let read = 0;
    far.on("data", (chunk: Buffer) => (read += chunk.length));
    for (let round = 1; round <= 5; round += 1) {
      const { source, sink } = await pouring(pair, outlet);
      sink.sendData(Buffer.alloc(0), "end");
      source.sendData(Buffer.alloc(1000 * round), "end");
      await until(() => sink.closed, { what: "the stream is done" });
      outlet.detach();
    }
    await until(() => read === 15_000, { what: "all bytes" });
    near.destroy();
    far.destroy();
    await pair.settle();
  });
});
