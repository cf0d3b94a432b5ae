// What leaves first, how much may wait, and who is paused.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { frame, numberOf, rawPair, u32 } from "../support/raw-peer.ts";
import type { RawPair } from "../support/raw-peer.ts";
import type { StreamProbe } from "../support/session-pair.ts";
import { exchange, pipeRequest, seededChunks, sessionPair } from "../support/session-pair.ts";
import { until } from "../support/until.ts";

const kib = 1024;
const nothing = Buffer.alloc(0);

/** A server whose peer takes nothing until it is released, with `count` pipes whose OPENs have left and much credit. */
async function backedUp(count: number): Promise<RawPair & { readonly probes: StreamProbe[] }> {
  const pair = await rawPair("server");
  const probes = Array.from({ length: count }, () => pair.side.open(pipeRequest()));
  await pair.peer.next("open", count);
  for (let id = 1; id <= count; id += 1) pair.peer.send(frame("credit", id, u32(10_000_000)));
  await until(() => probes.every((probe) => (probe.stream?._sendCredit ?? 0) > 10_000_000), { what: "credit" });
  pair.peer.end.holdPeer();
  pair.peer.frames.length = 0;
  return { ...pair, probes };
}

/** Payload bytes of DATA frames. */
function dataBytes({ peer }: RawPair): number {
  return peer.seen("data").reduce((sum, seen) => sum + seen.payload.length, 0);
}

describe("the outbox", () => {
  it("keeps unsent bytes below 64 KiB when nothing moves, and pauses the sources", async () => {
    const pair = await backedUp(5);
    for (const { stream } of pair.probes) assert.equal(stream?.sendData(Buffer.alloc(60 * kib), "more"), true);
    for (const { stream } of pair.probes) assert.equal(stream?.sendData(Buffer.alloc(60 * kib), "more"), false);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const unsent = pair.side.session.bufferedBytes - pair.side.session._outbox.queuedBytes;
    assert.ok(unsent > 32 * kib && unsent <= 64 * kib, `${unsent}`);
    assert.ok(pair.side.events.pauses.includes("session"));
    assert.ok(pair.probes.every(({ writable }) => writable === 0));
    pair.peer.end.releasePeer();
    await until(() => pair.probes.every(({ writable }) => writable === 1), { what: "the sources go on" });
    await until(() => dataBytes(pair) === 5 * 120 * kib, { what: "everything arrives" });
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });

  it("lets streams take turns of 16 KiB, and a new one go between two old ones", async () => {
    const pair = await backedUp(3);
    const [first, second, third] = pair.probes.map(({ stream }) => stream ?? assert.fail());
    // 64 KiB each make bulk transfers of the first two.
    for (const stream of [first, second]) stream?.sendData(Buffer.alloc(256 * kib), "more");
    await new Promise(setImmediate);
    third?.sendData(Buffer.alloc(1000), "end");
    pair.peer.end.releasePeer();
    await until(() => dataBytes(pair) === 512 * kib + 1000, { what: "everything" });
    const data = pair.peer.seen("data");
    assert.ok(
      data.every(({ payload }) => payload.length <= 16 * kib),
      "while more than one waits",
    );
    const position = data.findIndex(({ stream }) => stream === third?.id);
    assert.ok(position <= 8, `the small one left as number ${position}`);
    // Turns alternate: neither is ever more than two turns ahead.
    let ahead = 0;
    for (const { stream, payload } of data) {
      if (stream === first?.id) ahead += payload.length;
      else if (stream === second?.id) ahead -= payload.length;
      assert.ok(Math.abs(ahead) <= 64 * kib);
    }
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });

  it("lets a stream that begins pass all that was not given to the transport", async () => {
    const pair = await backedUp(2);
    const [bulk, small] = pair.probes.map(({ stream }) => stream ?? assert.fail());
    bulk?.sendData(Buffer.alloc(1024 * kib), "more");
    await new Promise(setImmediate);
    small?.sendData(Buffer.alloc(500), "end");
    pair.peer.end.releasePeer();
    await until(() => dataBytes(pair) === 1024 * kib + 500, { what: "everything" });
    const data = pair.peer.seen("data");
    const before = data.slice(
      0,
      data.findIndex(({ stream }) => stream === small?.id),
    );
    const bytes = before.reduce((sum, { payload }) => sum + payload.length, 0);
    assert.ok(bytes <= 64 * kib + 16 * kib, `${bytes}: what was unsent, and one turn`);
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });

  it("uses large frames for a stream that is alone", async () => {
    const pair = await backedUp(1);
    pair.probes[0]?.stream?.sendData(Buffer.alloc(200 * kib), "end");
    pair.peer.end.releasePeer();
    await until(() => dataBytes(pair) === 200 * kib, { what: "everything" });
    assert.ok(pair.peer.seen("data").length <= 8);
    assert.deepEqual(
      pair.peer
        .seen("data")
        .map(({ end }) => end)
        .lastIndexOf(true),
      pair.peer.seen("data").length - 1,
    );
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });

  it("sends control frames first, and also while data waits", async () => {
    const pair = await backedUp(2);
    pair.probes[0]?.stream?.sendData(Buffer.alloc(256 * kib), "more");
    await new Promise(setImmediate);
    pair.side.session.sendControl({ type: "closed", id: 1, reason: "test" });
    pair.peer.send(frame("ping", 0, Buffer.from("abcdefgh")));
    await until(() => pair.side.session._outbox.control.size === 0, { what: "they left" });
    pair.peer.end.releasePeer();
    await until(() => dataBytes(pair) === 256 * kib, { what: "everything" });
    const order = pair.peer.frames.map(({ type }) => type);
    assert.ok(order.indexOf("control") < order.lastIndexOf("data"));
    assert.ok(order.indexOf("pong") < order.lastIndexOf("data"));
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });

  it("bounds what a source can queue that does not listen", async () => {
    const pair = await backedUp(1);
    const stream = pair.probes[0]?.stream ?? assert.fail();
    let told = 0;
    while (stream.sendData(Buffer.alloc(64 * kib), "more")) told += 1;
    assert.ok(told <= 2);
    assert.ok(stream.queuedBytes <= 128 * kib);
    pair.side.session.terminate("dead");
    await pair.side.gone();
  });

  it("lets RESET overtake data, but neither its own OPEN nor its own HEAD", async () => {
    const pair = await backedUp(2);
    const [bulk, small] = pair.probes.map(({ stream }) => stream ?? assert.fail());
    bulk?.sendData(Buffer.alloc(256 * kib), "more");
    small?.sendData(Buffer.alloc(10 * kib), "more");
    small?.reset("cancelled");
    const opening = pair.side.open(exchange({ body: "length" }));
    await new Promise(setImmediate);
    opening.stream?.reset("idle");
    pair.peer.end.releasePeer();
    await until(() => dataBytes(pair) === 256 * kib, { what: "everything" });
    const resets = pair.peer.seen("reset").map(({ stream, payload }) => [stream, payload[0]]);
    assert.deepEqual(
      pair.peer.seen("data").filter(({ stream }) => stream === small?.id),
      [],
    );
    assert.deepEqual(resets[0], [small?.id, 0]);
    const order = pair.peer.frames.map(({ type, stream }) => `${type} ${stream}`);
    const opened = order.indexOf("open 3");
    if (opened >= 0) assert.ok(order.indexOf("reset 3") > opened);
    else assert.equal(order.indexOf("reset 3"), -1);
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });
});

describe("a big download", () => {
  it("leaves room for small exchanges beside it", async () => {
    // 5 MB/s: a download of 4 MB takes most of a second.
    const pair = await sessionPair({ bytesPerMs: 5000, latencyMs: 2 });
    pair.client.owner.accept = (stream) => {
      const probe = pair.client.owner.probe(stream);
      stream.sendHead(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), "more");
      if (stream.id === 1) void probe.send(seededChunks(1, 4_000_000, 60_000));
      else stream.sendData(Buffer.alloc(500), "end");
      return probe;
    };
    const download = pair.server.open(exchange());
    const passed: number[] = [];
    // Begun and read where the bytes come, so that it does not matter when this process runs.
    const visitBeside = (): void => {
      const before = download.bytes;
      pair.server.open(exchange()).onBytes = (_chunk, end) => {
        if (!end) return;
        passed.push(download.bytes - before);
        if (!download.ended) visitBeside();
      };
    };
    download.onBytes = () => {
      if (download.bytes < 300_000) return;
      download.onBytes = undefined;
      visitBeside();
    };
    await until(() => download.ended, { what: "the download" });
    passed.sort((a, b) => a - b);
    // What is unsent (20 ms of the line, in whole messages), and what leaves while the request and its answer are on their way.
    const typical = passed[Math.floor(passed.length / 2)] ?? Infinity;
    assert.ok(typical < 600_000, `${typical} bytes of the download passed a small exchange`);
    await pair.settle();
  });

  it("ends with its last byte even when its owner ends it late", async () => {
    const pair = await sessionPair();
    const visit = pair.server.open(exchange());
    await until(() => pair.client.owner.probes.length === 1, { what: "the stream" });
    const stream = pair.client.owner.probes[0]?.stream ?? assert.fail();
    stream.sendHead(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), "more");
    stream.sendData(Buffer.alloc(100), "more");
    await until(() => visit.bytes === 100, { what: "the bytes" });
    stream.sendData(nothing, "more");
    stream.sendData(nothing, "end");
    await until(() => visit.ended, { what: "the end" });
    await pair.settle();
  });
});

describe("GOAWAY", () => {
  it("names the last stream that was taken", async () => {
    const pair = await rawPair("server");
    for (let n = 0; n < 3; n += 1) pair.side.open(exchange());
    await pair.peer.next("open", 3);
    pair.side.session.drain("superseded");
    const goAway = await pair.peer.next("goaway");
    assert.equal(numberOf(goAway), 3);
    assert.equal(goAway.payload[4], 3);
    pair.side.session.close("shutdown");
    await pair.side.gone();
  });
});

describe("flush", () => {
  it("sends a notice before the process stands still", async () => {
    const pair = await rawPair("server");
    pair.peer.end.holdPeer();
    pair.side.session.sendControl({ type: "notice", pauseMs: 5000 });
    const before = pair.side.session.bufferedBytes - pair.side.session._outbox.queuedBytes;
    pair.side.session.flush();
    assert.equal(pair.side.session._outbox.queuedBytes, 0);
    assert.ok(pair.side.session.bufferedBytes > before);
    pair.peer.end.releasePeer();
    await until(() => pair.peer.seen("control").length === 2, { what: "the notice" });
    pair.side.session.close("shutdown");
    pair.side.session.flush();
    await pair.side.gone();
  });
});
