// The long line of bench:wan: its delay, its rate, its bounds, and that every byte arrives as it was.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { portOf } from "../../../bench/gate/network/port-of.ts";
import { DelayLine } from "../../../bench/wan/delay-line.ts";
import type { LongLineOptions } from "../../../bench/wan/long-line.ts";
import { LongLine } from "../../../bench/wan/long-line.ts";
import { PatternCheck, patternPiece } from "../../../bench/targets/pattern.ts";
import { until } from "../../support/until.ts";

const mib = 1_048_576;

/** A line whose far end does with each socket what `serve` does. */
async function behindLine(
  options: Omit<LongLineOptions, "port">,
  serve: (socket: Socket) => void,
): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => socket.destroy());
    serve(socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const line = await LongLine.start({ ...options, port: portOf(server) });
  return {
    port: line.port,
    [Symbol.asyncDispose]: async () => {
      await line.close();
      for (const socket of sockets) socket.destroy();
      await closed(server);
    },
  };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}

test("a byte takes the round trip there and back, and the end comes after it", async () => {
  await using line = await behindLine({ roundTripMs: 200 }, (socket) => socket.pipe(socket));
  const socket = connect(line.port, "127.0.0.1");
  await once(socket, "connect");
  const startedMs = performance.now();
  socket.end("x");
  const ended = once(socket, "end");
  const [chunk] = (await once(socket, "data")) as [Buffer];
  assert.equal(chunk.toString(), "x");
  assert.ok(performance.now() - startedMs >= 199, `${performance.now() - startedMs} ms`);
  await ended;
  socket.destroy();
});

test("megabytes arrive as they were, and no faster than the rate", async () => {
  const times = 8;
  const bytes = times * patternPiece.length;
  await using line = await behindLine({ roundTripMs: 20, bytesPerSecond: 8 * mib }, (socket) => {
    for (let n = 0; n < times; n += 1) socket.write(patternPiece);
    socket.end();
  });
  const startedMs = performance.now();
  const socket = connect(line.port, "127.0.0.1");
  const check = new PatternCheck();
  socket.on("data", (chunk: Buffer) => check.add(chunk));
  await once(socket, "end");
  assert.equal(check.right, true);
  assert.equal(check.bytes, bytes);
  const leastMs = (bytes / (8 * mib)) * 1_000;
  assert.ok(performance.now() - startedMs >= leastMs, `${performance.now() - startedMs} of ${leastMs} ms`);
  socket.destroy();
});

test("a far end that takes nothing stops the near one, and what is on the way is bounded", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const pairOf = async (): Promise<{ near: Socket; far: Socket }> => {
    const near = connect(portOf(server), "127.0.0.1");
    const [far] = (await once(server, "connection")) as [Socket];
    return { near, far };
  };
  const [input, output] = [await pairOf(), await pairOf()];
  const line = new DelayLine({ from: input.far, to: output.far }, { delayMs: 1, bytesPerSecond: 1_000 * mib });
  output.near.pause();
  // Far more than the line and all buffers of the system hold.
  const pieces = Array.from({ length: 400 }, () => patternPiece);
  for (const piece of pieces) input.near.write(piece);
  await until(() => input.far.isPaused(), { what: "the line is full" });
  const most = (1_000 * mib * 101) / 1_000;
  assert.ok(line.bytes >= most && line.bytes < most + mib, String(line.bytes));
  const check = new PatternCheck();
  output.near.on("data", (chunk: Buffer) => check.add(chunk));
  output.near.resume();
  await until(() => check.bytes === pieces.length * patternPiece.length, { what: "everything arrives" });
  assert.equal(check.right, true);
  assert.equal(line.bytes, 0);
  line.close();
  for (const { near, far } of [input, output]) for (const socket of [near, far]) socket.destroy();
  await closed(server);
});
