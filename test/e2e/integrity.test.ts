// Many exchanges of every kind at once, over several sessions, with seeded bytes: each is compared in both directions.
// Wrong bytes fail whatever else passes.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:http";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { HttpTarget } from "../support/http-target.ts";
import { Rig } from "../support/rig.ts";
import { digestOf, SeededBytes, seededBuffer, seededDigest, seededStream } from "../support/seeded-bytes.ts";
import { bytesPath, seededTarget } from "../support/seeded-target.ts";
import { visit, visitText } from "../support/visitor.ts";

const names = ["demo", "two", "three"];
const exchanges = 600;
const atOnce = 40;

/** Numbers that are as good as random and the same in every run. */
class SeededNumbers {
  readonly #bytes: SeededBytes;

  constructor(seed: string) {
    this.#bytes = new SeededBytes(seed);
  }

  /** A whole number from 0 to just below `limit`. */
  below(limit: number): number {
    return Math.floor((this.#bytes.take(4).readUInt32LE() / 2 ** 32) * limit);
  }

  /** A body length: mostly small, sometimes at an edge of the protocol, sometimes above every window. */
  length(): number {
    const edges = [0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 131_072, 262_144];
    const kind = this.below(10);
    if (kind < 5) return this.below(2_000);
    if (kind < 8) return edges[this.below(edges.length)] ?? 0;
    return this.below(2_000_000);
  }
}

interface Visit {
  readonly port: number;
  readonly host: string;
  readonly seed: string;
  readonly length: number;
  readonly agent: Agent;
}

async function download({ port, host, seed, length }: Visit, framing: "length" | "chunked"): Promise<void> {
  const response = await visit(port, bytesPath(seed, length, framing), { headers: { host } });
  assert.deepEqual(await digestOf(response), await seededDigest(seed, length), `download ${seed}`);
}

async function upload({ port, host, seed, length }: Visit, framing: "length" | "chunked"): Promise<void> {
  const known = framing === "length" ? { "content-length": String(length) } : {};
  const headers = { host, ...known };
  const { body } = await visitText(port, "/", { method: "POST", headers, body: seededStream(seed, length) });
  assert.deepEqual(JSON.parse(body), await seededDigest(seed, length), `upload ${seed}`);
}

async function echo({ port, host, seed, length }: Visit): Promise<void> {
  const headers = { host, "content-length": String(length) };
  const response = await visit(port, "/echo", { method: "PUT", headers, body: seededStream(seed, length) });
  assert.deepEqual(await digestOf(response), await seededDigest(seed, length), `echo ${seed}`);
}

/** Over a connection that is used again. */
async function keptDownload({ port, host, seed, length, agent }: Visit): Promise<void> {
  const outgoing = request({ host: "127.0.0.1", port, path: bytesPath(seed, length), agent, headers: { host } });
  outgoing.end();
  const [response]: IncomingMessage[] = await once(outgoing, "response");
  assert.ok(response);
  assert.deepEqual(await digestOf(response), await seededDigest(seed, length), `kept ${seed}`);
}

/** A download that is broken off: it must have no consequence for any other. */
async function brokenOff({ port, host, seed }: Visit): Promise<void> {
  const response = await visit(port, bytesPath(seed, 10_000_000), { headers: { host } });
  await once(response, "data");
  response.destroy();
}

async function webSocketEcho({ port, host, seed, length }: Visit): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers: { host }, perMessageDeflate: false });
  await once(socket, "open");
  const sent = seededBuffer(seed, length);
  socket.send(sent);
  const [received]: unknown[] = await once(socket, "message");
  assert.ok(Buffer.isBuffer(received));
  const sha256 = (data: Buffer): string => createHash("sha256").update(data).digest("hex");
  assert.deepEqual([received.length, sha256(received)], [sent.length, sha256(sent)], `websocket ${seed}`);
  socket.close();
  await once(socket, "close");
}

const kinds: readonly ((visit: Visit) => Promise<void>)[] = [
  (one) => download(one, "length"),
  (one) => download(one, "chunked"),
  (one) => upload(one, "length"),
  (one) => upload(one, "chunked"),
  echo,
  keptDownload,
  keptDownload,
  brokenOff,
  webSocketEcho,
];

test("concurrent mixed traffic over three sessions arrives byte for byte", async () => {
  await using target = await HttpTarget.start(seededTarget);
  const sockets = new WebSocketServer({ server: target.server, path: "/socket", maxPayload: 4_000_000 });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, binary) => socket.send(data, { binary }));
  });
  const limits = { maxAborts: exchanges };
  await using rig = await Rig.start({ targetPort: target.port, serve: { limits } });
  for (const name of names.slice(1)) await rig.connectAnother({ name });
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });

  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < exchanges) {
      const n = next;
      next += 1;
      const seed = `exchange ${n}`;
      const numbers = new SeededNumbers(seed);
      const host = `${names[numbers.below(names.length)]}.localhost`;
      const kind = kinds[numbers.below(kinds.length)];
      await kind?.({ port: rig.port, host, seed, length: numbers.length(), agent });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  agent.destroy();
  sockets.close();
  await rig.quiet();
  assert.equal(rig.serverLedger.accounts.session.opened, names.length, "every session has lasted");
});

test("one body larger than all windows, with both ends pausing now and then", async () => {
  const length = 24 * 1024 ** 2;
  await using rig = await Rig.start({
    target: (incoming, response) => {
      incoming.resume();
      response.setHeader("Content-Length", length);
      void pipeline(seededStream("pauses", length), response).catch(() => response.destroy());
    },
  });
  const response = await visit(rig.port, "/");
  async function* withPauses(): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      yield chunk;
      bytes += chunk.length;
      if (bytes < 4 * 1024 ** 2) continue;
      bytes = 0;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  assert.deepEqual(await digestOf(withPauses()), await seededDigest("pauses", length));
});
