// What every transport must carry, told once and run over each: a pair in memory, TCP and TLS; whole, delayed, and in
// pieces of 8 bytes. A transport that is cut after byte N must end both sessions cleanly, wherever N is.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SessionPair } from "../support/session-pair.ts";
import { exchange, pipeRequest, seededChunks, sessionPair } from "../support/session-pair.ts";
import { until } from "../support/until.ts";
import { webSocketPair } from "../support/ws-pair.ts";

interface Way {
  readonly name: string;
  /** How many bytes a bulk transfer has, so that slow ways do not take long. */
  readonly bulkBytes: number;
  /** `cutAfterBytes`: of what the client sends. */
  join(cutAfterBytes?: number): Promise<SessionPair & { settle(): Promise<void>; stop?(): Promise<void> }>;
}

const cutOf = (cutAfterBytes: number | undefined): { cutAfterBytes?: number } =>
  cutAfterBytes === undefined ? {} : { cutAfterBytes };

const ways: readonly Way[] = [
  { name: "memory", bulkBytes: 2_000_000, join: (cut) => sessionPair(cutOf(cut)) },
  { name: "memory, 3 ms late", bulkBytes: 300_000, join: (cut) => sessionPair({ latencyMs: 3, ...cutOf(cut) }) },
  { name: "TCP", bulkBytes: 2_000_000, join: (cut) => webSocketPair({ relay: cutOf(cut) }) },
  {
    name: "TCP in 8-byte pieces",
    bulkBytes: 20_000,
    join: (cut) => webSocketPair({ relay: { pieceBytes: 8, ...cutOf(cut) } }),
  },
  { name: "TLS", bulkBytes: 2_000_000, join: (cut) => webSocketPair({ tls: true, relay: cutOf(cut) }) },
  {
    name: "TLS in 8-byte pieces",
    bulkBytes: 20_000,
    join: (cut) => webSocketPair({ tls: true, relay: { pieceBytes: 8, ...cutOf(cut) } }),
  },
];

interface Rule {
  readonly name: string;
  run(pair: SessionPair, bulkBytes: number): Promise<void>;
}

const head = Buffer.from("HTTP/1.1 200 OK\r\n\r\n");
const early = Buffer.from("HTTP/1.1 103 Early Hints\r\n\r\n");

/** Answers every exchange with 103, 200, its own id and a trailer. */
function answerAll({ client }: SessionPair): void {
  client.owner.accept = (stream, open) => {
    const probe = client.owner.probe(stream);
    if (open.kind !== "exchange") return probe;
    stream.sendHead(early, "more");
    stream.sendHead(head, "more");
    stream.sendData(Buffer.from(`answer to ${stream.id}`), "more");
    stream.sendTrailers(Buffer.from("X-Sum: 1\r\n"));
    return probe;
  };
}

const rules: readonly Rule[] = [
  {
    name: "exchanges keep their parts, their order and their ids",
    async run(pair) {
      answerAll(pair);
      const visits = Array.from({ length: 40 }, () => pair.server.open(exchange()));
      await until(() => visits.every((visit) => visit.ended), { what: "all answers came" });
      for (const [index, visit] of visits.entries()) {
        assert.deepEqual(visit.heads, [early.toString(), head.toString()]);
        assert.equal(visit.trailers, "X-Sum: 1\r\n");
        assert.equal(visit.stream?.id, index + 1);
        assert.equal(visit.bytes, `answer to ${index + 1}`.length);
      }
    },
  },
  {
    name: "bulk goes both ways at once, byte for byte, beside small exchanges",
    async run(pair, bulkBytes) {
      answerAll(pair);
      const near = pair.server.open(pipeRequest());
      await until(() => pair.client.owner.probes.length === 1, { what: "the pipe is open" });
      const far = pair.client.owner.probes[0] ?? assert.fail();
      const sent = Promise.all([
        near.send(seededChunks(1, bulkBytes, 50_000)),
        far.send(seededChunks(2, bulkBytes, 50_000)),
      ]);
      const visits = Array.from({ length: 10 }, () => pair.server.open(exchange()));
      await until(() => visits.every((visit) => visit.ended), { what: "the small ones are done", timeoutMs: 20_000 });
      const hashes = await sent;
      await until(() => near.ended && far.ended, { what: "the bulk is done", timeoutMs: 20_000 });
      assert.deepEqual([far.digest, near.digest], hashes);
    },
  },
  {
    name: "a reader that takes nothing holds one window and nobody else",
    async run(pair) {
      answerAll(pair);
      const near = pair.server.open(pipeRequest());
      await until(() => pair.client.owner.probes.length === 1, { what: "the pipe is open" });
      const far = pair.client.owner.probes[0] ?? assert.fail();
      far.holds = true;
      // Never done: its own side cuts it in the end, and hears nothing more.
      void near.send(seededChunks(3, 300_000, 16_000));
      await until(() => far.bytes >= 64 * 1024, { what: "the window is full", timeoutMs: 20_000 });
      const visit = pair.server.open(exchange());
      await until(() => visit.ended, { what: "another stream goes on" });
      assert.ok(far.bytes <= 64 * 1024, `${far.bytes} bytes came without credit`);
      near.stream?.reset("cancelled");
      await until(() => far.resets.length === 1, { what: "the cut arrives" });
    },
  },
  {
    name: "cuts from either side reach the other",
    async run(pair) {
      const near = pair.server.open(pipeRequest());
      const second = pair.server.open(pipeRequest());
      await until(() => pair.client.owner.probes.length === 2, { what: "both are open" });
      near.stream?.reset("cancelled");
      pair.client.owner.probes[1]?.stream?.reset("target_cut");
      await until(() => second.resets.length === 1, { what: "the client's cut arrives" });
      await until(() => pair.client.owner.probes[0]?.resets.length === 1, { what: "the server's cut arrives" });
      assert.deepEqual(second.resets, ["target_cut"]);
      assert.deepEqual(pair.client.owner.probes[0]?.resets, ["cancelled"]);
    },
  },
  {
    name: "a drain lets streams in flight finish and takes no new ones",
    async run(pair) {
      const near = pair.server.open(pipeRequest());
      await until(() => pair.client.owner.probes.length === 1, { what: "the pipe is open" });
      pair.server.session.drain("shutdown");
      await until(() => pair.client.owner.goAways.length === 1, { what: "GOAWAY arrives" });
      assert.equal(pair.server.session.hasRoom, false);
      const far = pair.client.owner.probes[0] ?? assert.fail();
      await Promise.all([near.send(seededChunks(4, 10_000, 1_000)), far.send(seededChunks(5, 10_000, 1_000))]);
      await until(() => near.ended && far.ended, { what: "the stream in flight ends by itself" });
      assert.deepEqual([near.resets, far.resets], [[], []]);
    },
  },
];

for (const way of ways) {
  describe(`over ${way.name}`, () => {
    for (const rule of rules) {
      it(rule.name, async () => {
        const pair = await way.join();
        await rule.run(pair, way.bulkBytes);
        await pair.settle();
      });
    }

    it("a cut after any byte ends both sessions, and every stream is told", async () => {
      // Beyond the upgrade and the TLS handshake, which a login may not survive either. A client's first flight with
      // post-quantum keys, as newer versions of Node send it, is some 2 KB.
      for (let bytes = 4_000; bytes < 11_000; bytes += 700) {
        const pair = await way.join(bytes);
        const near = pair.server.open(pipeRequest());
        await until(() => near.over || pair.client.owner.probes.length === 1, { what: "the pipe is open, or lost" });
        const far = pair.client.owner.probes[0];
        void far?.send(seededChunks(6, 100_000, 500));
        await until(() => near.over, { what: "the near end is told" });
        assert.deepEqual(near.resets, ["session_lost"]);
        await Promise.all([pair.server.gone(), pair.client.gone()]);
        await pair.stop?.();
      }
    });
  });
}
