// Sockets joined by pipes: a visitor's socket, a pipe, a session pair, another pipe, a target's socket.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import type { PipeCloseReason, PipeOptions } from "../../src/mux/pipe.ts";
import { Pipe } from "../../src/mux/pipe.ts";
import type { MemoryPair, SessionPairOptions } from "../support/session-pair.ts";
import { pipeRequest, seededChunks, sessionPair } from "../support/session-pair.ts";
import { socketPair } from "../support/sockets.ts";
import { until } from "../support/until.ts";

/** One joined line and what became of it. */
interface Line {
  readonly pair: MemoryPair;
  readonly visitor: Socket;
  readonly target: Socket;
  readonly closes: { server: PipeCloseReason[]; client: PipeCloseReason[] };
  readonly pipes: { server: Pipe; client: Pipe };
  /** Waits until both pipes are closed and nothing is left. */
  over(): Promise<void>;
}

async function line(
  options: SessionPairOptions & { readonly server?: Partial<PipeOptions>; readonly client?: Partial<PipeOptions> } = {},
): Promise<Line> {
  const pair = await sessionPair(options);
  const [left, right] = [await socketPair(), await socketPair()];
  const closes: Line["closes"] = { server: [], client: [] };
  const probe = pair.server.open(pipeRequest());
  await until(() => pair.client.owner.probes.length === 1, { what: "the stream" });
  const stream = probe.stream ?? assert.fail();
  const targetStream = pair.client.owner.probes[0]?.stream ?? assert.fail();
  const server = new Pipe({
    socket: left.near,
    stream,
    runtime: pair.server.runtime,
    ...options.server,
    onClosed: (_, reason) => void closes.server.push(reason),
  });
  const client = new Pipe({
    socket: right.near,
    stream: targetStream,
    runtime: pair.client.runtime,
    ...options.client,
    onClosed: (_, reason) => void closes.client.push(reason),
  });
  return {
    pair,
    visitor: left.far,
    target: right.far,
    closes,
    pipes: { server, client },
    over: async () => {
      await until(() => closes.server.length + closes.client.length === 2, {
        what: "both pipes closed",
        detail: () => closes,
      });
      await until(() => left.near.destroyed && right.near.destroyed, { what: "both sockets destroyed" });
      await until(() => pair.server.session.streamCount + pair.client.session.streamCount === 0, { what: "no stream" });
      await pair.settle();
    },
  };
}

/** Writes everything, with back-pressure, and ends. */
async function feed(socket: Socket, chunks: Iterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for (const chunk of chunks) {
    hash.update(chunk);
    if (!socket.write(chunk)) await new Promise((resolve) => socket.once("drain", resolve));
  }
  socket.end();
  return hash.digest("hex");
}

/** Reads everything. */
async function drain(socket: Socket): Promise<string> {
  const hash = createHash("sha256");
  socket.on("data", (chunk: Buffer) => hash.update(chunk));
  await new Promise((resolve) => socket.once("end", resolve));
  return hash.digest("hex");
}

describe("a pipe", () => {
  it("carries megabytes both ways at once, and ends when both sides have", async () => {
    const joined = await line();
    const { visitor, target } = joined;
    const [up, down, upSeen, downSeen] = await Promise.all([
      feed(visitor, seededChunks(1, 5_000_000, 50_000)),
      feed(target, seededChunks(2, 7_000_000, 9000)),
      drain(target),
      drain(visitor),
    ]);
    assert.equal(upSeen, up);
    assert.equal(downSeen, down);
    await joined.over();
    assert.deepEqual(joined.closes, { server: ["ended"], client: ["ended"] });
    assert.equal(joined.pipes.server.bytesIn, 5_000_000);
    assert.equal(joined.pipes.server.bytesOut, 7_000_000);
    assert.equal(joined.pipes.client.bytesIn, 5_000_000);
  });

  it("keeps half-closes: an answer after the visitor's end arrives whole", async () => {
    const joined = await line();
    const { visitor, target } = joined;
    const asked = drain(target);
    visitor.end("question");
    assert.equal(await asked, createHash("sha256").update("question").digest("hex"));
    assert.deepEqual(joined.closes, { server: [], client: [] });
    const answered = drain(visitor);
    const sent = await feed(target, seededChunks(3, 1_000_000, 60_000));
    assert.equal(await answered, sent);
    await joined.over();
    assert.deepEqual(joined.closes, { server: ["ended"], client: ["ended"] });
  });

  it("passes on what was read before it began", async () => {
    const joined = await line({ server: { initial: Buffer.from("early ") } });
    const text: Buffer[] = [];
    joined.target.on("data", (chunk: Buffer) => text.push(chunk));
    joined.visitor.end("late");
    await until(() => Buffer.concat(text).toString() === "early late", { what: "both parts, in order" });
    joined.target.end();
    joined.visitor.resume();
    await joined.over();
  });

  it("pauses an endless source while the other side reads nothing, within bounds", async () => {
    const joined = await line();
    const { visitor, target, pair } = joined;
    visitor.on("close", () => {});
    let written = 0;
    const chunk = Buffer.alloc(60_000, 7);
    const push = (): void => {
      while (!visitor.destroyed && visitor.write(chunk)) written += chunk.length;
    };
    visitor.on("drain", push);
    push();
    let before = -1;
    await until(
      async () => {
        const stalled = written === before;
        before = written;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return stalled && pair.server.events.pauses.includes("visitor");
      },
      { what: "the source stalls" },
    );
    // Kernel buffers aside, only the window and one read are held on either side.
    assert.ok(pair.server.session.bufferedBytes <= 64 * 1024 + 128 * 1024);
    assert.ok(pair.client.session._budget.unconsumedBytes <= 64 * 1024 + pair.client.session._budget.grantedBytes);
    // Other streams of the session go on.
    const other = pair.server.open(pipeRequest());
    await until(() => pair.client.owner.probes.length === 2, { what: "another stream" });
    const hash = await other.send(seededChunks(4, 500_000, 20_000));
    await until(() => pair.client.owner.probes[1]?.ended === true, { what: "the other stream's bytes" });
    assert.equal(pair.client.owner.probes[1]?.digest, hash);
    other.stream?.reset("cancelled");
    // And the stalled one goes on as soon as it is read.
    visitor.off("drain", push);
    let read = 0;
    target.on("data", (bytes: Buffer) => (read += bytes.length));
    visitor.end();
    await new Promise((resolve) => target.once("end", resolve));
    assert.ok(read >= written);
    target.end();
    visitor.resume();
    await joined.over();
  });

  it("is cut on both sides when the visitor resets", async () => {
    const joined = await line();
    let error = "";
    joined.target.on("error", (thrown: NodeJS.ErrnoException) => (error = thrown.code ?? ""));
    joined.target.on("data", () => {});
    joined.visitor.write("x");
    await until(() => joined.pipes.client.bytesIn === 1, { what: "a byte" });
    joined.visitor.resetAndDestroy();
    await joined.over();
    await until(() => joined.target.destroyed, { what: "the target hears of it" });
    assert.equal(error, "ECONNRESET");
    assert.deepEqual(joined.closes, { server: ["cancelled"], client: ["cancelled"] });
  });

  it("is cut on both sides when the target resets, by the given way to cut", async () => {
    let cuts = 0;
    const joined: Line = await line({
      server: {
        cut: () => {
          cuts += 1;
          // What a TLS edge would do to the socket below.
          joined.pipes.server satisfies Pipe;
        },
      },
    });
    joined.target.resetAndDestroy();
    await until(() => joined.closes.server.length === 1, { what: "the server's pipe" });
    assert.equal(cuts, 1);
    joined.visitor.destroy();
    await until(() => joined.closes.client.length === 1, { what: "the client's pipe" });
    assert.deepEqual(joined.closes, { server: ["target_cut"], client: ["target_cut"] });
    await joined.pair.settle();
  });

  it("does not blame a target that had said everything before it reset", async () => {
    const joined = await line();
    joined.visitor.resume();
    joined.target.end("bye");
    await until(() => joined.pipes.server.bytesOut === 3, { what: "the last word" });
    await until(() => joined.visitor.readableEnded, { what: "the end" });
    joined.target.resetAndDestroy();
    // A socket that has read the end hears of the reset when it is written to.
    joined.visitor.write("too late");
    await joined.over();
    assert.deepEqual(joined.closes, { server: ["cancelled"], client: ["cancelled"] });
  });

  it("is cut when the session is lost", async () => {
    const joined = await line();
    let error = "";
    joined.visitor.on("error", (thrown: NodeJS.ErrnoException) => (error = thrown.code ?? ""));
    joined.visitor.resume();
    joined.target.resume();
    joined.pair.serverEnd.cut();
    await until(() => joined.visitor.destroyed && joined.target.destroyed, { what: "both ends hear of it" });
    assert.equal(error, "ECONNRESET", "a cut never looks like a clean end");
    assert.deepEqual(joined.closes, { server: ["session_lost"], client: ["session_lost"] });
    await joined.pair.server.gone();
    await joined.pair.client.gone();
  });

  it("is cut after it was idle for too long, and not before", async () => {
    const joined = await line({ server: { idleMs: 400 } });
    joined.visitor.resume();
    joined.target.resume();
    for (let n = 0; n < 6; n += 1) {
      joined.target.write("x");
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    assert.deepEqual(joined.closes.server, []);
    await joined.over();
    assert.deepEqual(joined.closes, { server: ["idle"], client: ["idle"] });
  });

  it("is cut by its owner, once", async () => {
    const joined = await line();
    joined.pipes.client.close("shutdown");
    joined.pipes.client.close("shutdown");
    joined.visitor.resume();
    await joined.over();
    assert.deepEqual(joined.closes, { server: ["cancelled"], client: ["shutdown"] });
  });

  it("notices a socket that had ended or was destroyed before it began", async () => {
    const pair = await sessionPair();
    const { near, far } = await socketPair();
    far.end();
    near.resume();
    await new Promise((resolve) => near.once("end", resolve));
    const probe = pair.server.open(pipeRequest());
    await until(() => pair.client.owner.probes.length === 1, { what: "the stream" });
    const closes: PipeCloseReason[] = [];
    const runtime = pair.server.runtime;
    const onClosed: PipeOptions["onClosed"] = (_, reason) => void closes.push(reason);
    void new Pipe({ socket: near, stream: probe.stream ?? assert.fail(), runtime, onClosed });
    await until(() => pair.client.owner.probes[0]?.ended === true, { what: "the end is passed on" });
    far.resume();
    pair.client.owner.probes[0]?.stream?.sendData(Buffer.from("bye"), "end");
    await until(() => closes.length === 1, { what: "the pipe ends" });
    const second = pair.server.open(pipeRequest());
    void new Pipe({ socket: near, stream: second.stream ?? assert.fail(), runtime, onClosed });
    assert.deepEqual(closes, ["ended", "socket_closed"]);
    await pair.settle();
  });
});
