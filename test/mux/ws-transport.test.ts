// Sessions over real WebSockets: the same conversations, in any pieces and with any mask, cuts at any byte,
// and what `ws` itself must refuse.

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import type { WebSocket } from "ws";
import { encodeFrame } from "../../src/wire/encode.ts";
import { frameTypes } from "../../src/wire/frame.ts";
import type { ViolationReason } from "../../src/wire/violation.ts";
import { exchange, pipeRequest, seededChunks } from "../support/session-pair.ts";
import { until } from "../support/until.ts";
import type { WebSocketPair, WebSocketPairOptions } from "../support/ws-pair.ts";
import { webSocketPair } from "../support/ws-pair.ts";

const ok = Buffer.from("HTTP/1.1 200 OK\r\n\r\n");

/** The socket under a WebSocket. */
function rawSocket(socket: WebSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket;
}

/** A download, an upload and a few small exchanges at once, all verified. */
async function converse(pair: WebSocketPair, bytes: number): Promise<void> {
  const { server, client } = pair;
  client.owner.accept = (stream, open) => {
    const probe = client.owner.probe(stream);
    if (open.kind === "exchange") {
      stream.sendHead(ok, "more");
      stream.sendData(Buffer.from(`answer to ${stream.id}`), "end");
    }
    return probe;
  };
  const before = client.owner.probes.length;
  const pipe = server.open(pipeRequest());
  await until(() => client.owner.probes.length > before, { what: "the pipe" });
  const far = client.owner.probes[before] ?? assert.fail();
  const sent = Promise.all([pipe.send(seededChunks(1, bytes, 60_000)), far.send(seededChunks(2, bytes, 61_000))]);
  const visits = Array.from({ length: 20 }, () => server.open(exchange()));
  await until(() => visits.every((visit) => visit.ended), { what: "the exchanges" });
  for (const visit of visits) assert.ok(visit.bytes > 10);
  const hashes = await sent;
  await until(() => pipe.ended && far.ended, { what: "the pipe's ends", timeoutMs: 20_000 });
  assert.deepEqual(hashes, [far.digest, pipe.digest]);
}

describe("sessions over WebSockets", () => {
  const ways: [string, WebSocketPairOptions, number][] = [
    ["with a zero mask", {}, 3_000_000],
    ["with random masks", { mask: "random" }, 3_000_000],
    ["in pieces of 1000 bytes", { relay: { pieceBytes: 1000 } }, 1_000_000],
    ["in pieces of 8 bytes", { relay: { pieceBytes: 8 } }, 30_000],
    ["in single bytes", { relay: { pieceBytes: 1 } }, 3000],
  ];
  for (const [name, options, bytes] of ways) {
    it(`carry everything ${name}`, async () => {
      const pair = await webSocketPair(options);
      await converse(pair, bytes);
      await pair.settle();
      assert.deepEqual(pair.client.owner.closes, ["goodbye"]);
      assert.deepEqual(pair.server.owner.closes, ["transport_closed"]);
      assert.deepEqual(pair.transportEvents.closeReasons.get("session_socket")?.toSorted(), [
        "closed",
        "closed_by_peer",
      ]);
    });
  }

  it("end cleanly wherever they are cut", async () => {
    // The upgrade is some 250 bytes; then come hello, PING and the streams.
    for (let cutAfterBytes = 400; cutAfterBytes < 60_000; cutAfterBytes = Math.ceil(cutAfterBytes * 1.7)) {
      const pair = await webSocketPair({ relay: { cutAfterBytes, pieceBytes: 500 } });
      const pipe = pair.server.open(pipeRequest());
      await until(() => pair.client.owner.probes.length === 1 || pair.client.owner.closes.length === 1, {
        what: "OPEN",
      });
      const far = pair.client.owner.probes[0];
      void pipe.send(seededChunks(1, 200_000, 9000));
      void far?.send(seededChunks(2, 200_000, 9000));
      await pair.server.gone();
      await pair.client.gone();
      await pair.stop();
      assert.deepEqual(pipe.resets, ["session_lost"]);
      assert.ok(!pipe.ended);
      if (far) assert.deepEqual(far.resets, ["session_lost"]);
    }
  });

  it("are gone on both sides after terminate", async () => {
    const pair = await webSocketPair();
    pair.client.session.terminate("goodbye");
    await pair.client.gone();
    await pair.server.gone();
    await pair.stop();
    assert.deepEqual(pair.server.owner.closes, ["transport_closed"]);
  });

  it("are terminated when the peer does not answer the close", async () => {
    const pair = await webSocketPair({ closeTimeoutMs: 200, limits: { closeTimeoutMs: 200 } });
    pair.serverSocket.pause();
    pair.client.session.close("goodbye");
    await pair.client.gone();
    pair.serverSocket.resume();
    await pair.server.gone();
    await pair.stop();
  });
});

describe("what only `ws` reads", () => {
  it("is followed by messages as before: a ping, a pong, a message in fragments", async () => {
    const others: ((pair: WebSocketPair) => void)[] = [
      (pair) => pair.clientSocket.ping("x"),
      (pair) => pair.serverSocket.ping("x"),
      (pair) => pair.clientSocket.pong(),
      (pair) => {
        const notice = encodeFrame(frameTypes.control, 0, 0, Buffer.from('{"type":"notice","pauseMs":1}'));
        pair.clientSocket.send(notice.subarray(0, 12), { fin: false });
        pair.clientSocket.send(notice.subarray(12), { fin: true });
      },
    ];
    for (const other of others) {
      for (const options of [{}, { relay: { pieceBytes: 7 } }, { mask: "random" }] as const) {
        const pair = await webSocketPair(options);
        await converse(pair, 5000);
        other(pair);
        await converse(pair, 5000);
        await pair.settle();
        assert.deepEqual([...pair.server.events.violations, ...pair.client.events.violations], []);
        assert.deepEqual(pair.server.owner.closes, ["transport_closed"]);
      }
    }
  });

  it("is all but messages, and nothing of ours stays on a socket", async () => {
    const pair = await webSocketPair();
    const readers = [pair.serverSocket, pair.clientSocket].map((socket) => ({
      socket: rawSocket(socket),
      listeners: rawSocket(socket).listeners("data"),
    }));
    await converse(pair, 5000);
    let readByWs = 0;
    for (const socket of [pair.serverSocket, pair.clientSocket]) socket.on("message", () => (readByWs += 1));
    await converse(pair, 100_000);
    assert.equal(readByWs, 0);
    for (const { socket, listeners } of readers) assert.deepEqual(socket.listeners("data"), listeners);
    await pair.settle();
    for (const { socket } of readers) assert.equal(socket.listenerCount("data"), 0);
  });
});

describe("what WebSocket allows and caisson.v1 does not", () => {
  const breaches: [ViolationReason, number, (pair: WebSocketPair) => void][] = [
    ["text_message", 1008, (pair) => pair.clientSocket.send("hello")],
    ["message_too_large", 1009, (pair) => pair.clientSocket.send(Buffer.alloc(128 * 1024 + 1))],
    ["message_too_large", 1009, (pair) => pair.clientSocket.send(Buffer.alloc(10_000_000))],
    [
      "fragments",
      1008,
      (pair) => {
        for (let n = 0; n < 17; n += 1) pair.clientSocket.send(Buffer.alloc(1), { fin: n === 16, binary: true });
      },
    ],
    ["empty_message", 1008, (pair) => pair.clientSocket.send(Buffer.alloc(0))],
  ];
  for (const [reason, code, breach] of breaches) {
    it(`is refused: ${reason}`, async () => {
      const pair = await webSocketPair();
      const visit = pair.server.open(exchange());
      await until(() => visit.opened, { what: "a stream" });
      let seenCode = 0;
      pair.clientSocket.on("close", (closeCode) => (seenCode = closeCode));
      breach(pair);
      await pair.server.gone();
      await pair.client.gone();
      await pair.stop();
      assert.deepEqual(pair.server.events.violations, [reason]);
      assert.deepEqual(pair.server.owner.closes, ["violation"]);
      assert.deepEqual(visit.resets, ["session_lost"]);
      assert.equal(seenCode, code);
    });
  }

  it("is refused by the client too", async () => {
    const pair = await webSocketPair();
    pair.serverSocket.send("hello");
    await pair.client.gone();
    await pair.server.gone();
    await pair.stop();
    assert.deepEqual(pair.client.events.violations, ["text_message"]);
  });

  it("includes raw bytes that are no WebSocket", async () => {
    const pair = await webSocketPair();
    // The socket under the WebSocket, as a broken proxy would see it.
    rawSocket(pair.clientSocket).write(Buffer.alloc(100, 0xff));
    await pair.server.gone();
    await pair.client.gone();
    await pair.stop();
    assert.deepEqual(pair.server.events.violations, ["websocket"]);
  });

  it("pings of WebSocket are answered, a flood of them without reading is not", async () => {
    const pair = await webSocketPair();
    const pong = new Promise((resolve) => pair.clientSocket.once("pong", resolve));
    pair.clientSocket.ping("x");
    await pong;
    assert.deepEqual(pair.server.events.violations, []);
    pair.clientSocket.pause();
    const flood = setInterval(() => {
      if (pair.clientSocket.readyState === 1 && pair.clientSocket.bufferedAmount < 1_000_000) {
        for (let n = 0; n < 5000; n += 1) pair.clientSocket.ping(Buffer.alloc(125));
      }
    }, 5);
    try {
      await until(() => pair.server.owner.closes.length === 1, { what: "the server cuts it", timeoutMs: 20_000 });
    } finally {
      clearInterval(flood);
    }
    pair.clientSocket.terminate();
    await pair.server.gone();
    await pair.client.gone();
    await pair.stop();
  });
});
