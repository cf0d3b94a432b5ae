// A visitor and a target that read 100 KB/s from endless senders for half a minute, in one session: memory stays as it
// is on both sides, what they read is right, and the other requests of the session are answered all the while.

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { HttpTarget } from "../support/http-target.ts";
import { residentBytes } from "../support/open-files.ts";
import { ProcessPair } from "../support/processes.ts";
import { SeededBytes, seededStream } from "../support/seeded-bytes.ts";
import { until } from "../support/until.ts";
import { visit, visitText } from "../support/visitor.ts";

const lastsMs = 30_000;
const stepMs = 100;
const stepBytes = 10_000;
const endless = 1e15;
const allowedGrowth = 64 * 1024 ** 2;
/** Far above what a small request takes beside a slow one; far below any time-out that would hide a blocked session. */
const smallRequestMs = 5_000;
const onLinux = { skip: process.platform === "linux" ? false : "reads /proc" };

/** Reads `source` at 100 KB/s until `signal` aborts, and compares what it reads. Answers how many bytes came. */
async function readSlowly(source: Readable, seed: string, signal: AbortSignal): Promise<number> {
  const expected = new SeededBytes(seed);
  let bytes = 0;
  while (!signal.aborted) {
    const chunk: unknown = source.read(stepBytes);
    if (Buffer.isBuffer(chunk)) {
      assert.ok(chunk.equals(expected.take(chunk.length)), `wrong bytes after ${bytes}`);
      bytes += chunk.length;
    }
    await new Promise((resolve) => setTimeout(resolve, stepMs));
  }
  return bytes;
}

/** A download on a raw socket, so that little more than the socket's own buffer stands between it and the network. */
async function slowVisitor(port: number, signal: AbortSignal): Promise<number> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  socket.write("GET /endless HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
  let head = "";
  while (!head.endsWith("\r\n\r\n")) {
    const byte: unknown = socket.read(1);
    if (Buffer.isBuffer(byte)) head += byte.toString("latin1");
    else await new Promise((resolve) => socket.once("readable", resolve));
  }
  assert.match(head, /^HTTP\/1\.1 200 /);
  const bytes = await readSlowly(socket, "endless", signal);
  socket.destroy();
  return bytes;
}

test("slow peers hold up neither memory nor the other requests of their session", onLinux, async () => {
  const stop = new AbortController();
  const closes = { download: false, upload: false };
  let slowTargetRead = Promise.resolve(0);
  let slowRequest: IncomingMessage | undefined;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url === "/endless") {
      response.setHeader("Content-Length", endless);
      seededStream("endless", endless).pipe(response);
      response.on("close", () => void (closes.download = true));
    } else if (request.url === "/slow") {
      slowRequest = request;
      slowTargetRead = readSlowly(request, "up", stop.signal);
      request.on("close", () => void (closes.upload = true)).on("error", () => undefined);
    } else response.end("small");
  };
  await using target = await HttpTarget.start(listener);
  await using pair = await ProcessPair.start(target.port);
  for (let n = 0; n < 20; n += 1) await visitText(pair.port, "/warm");
  const idle = { server: residentBytes(pair.server.pid).now, client: residentBytes(pair.client.pid).now };

  const timer = setTimeout(() => stop.abort(), lastsMs);
  const downloaded = slowVisitor(pair.port, stop.signal);
  const upload = seededStream("up", endless);
  const uploaded = visit(pair.port, "/slow", { method: "POST", body: upload }).catch((error: unknown) => error);
  let slowestMs = 0;
  let answered = 0;
  while (!stop.signal.aborted) {
    const startedMs = performance.now();
    assert.deepEqual((await visitText(pair.port, "/small")).body, "small");
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    answered += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  clearTimeout(timer);

  const read = { visitor: await downloaded, target: await slowTargetRead };
  upload.destroy();
  // A target that does not read what it was sent cannot see the end behind it either.
  slowRequest?.resume();
  assert.ok((await uploaded) instanceof Error, "the upload has no response");
  for (const [who, bytes] of Object.entries(read)) assert.ok(bytes > 1e6, `the ${who} read ${bytes} bytes only`);
  assert.ok(slowestMs < smallRequestMs, `a small request took ${slowestMs} ms`);
  assert.ok(answered > 30, `${answered} small requests were answered`);
  for (const side of ["server", "client"] as const) {
    const grown = (residentBytes(pair[side].pid).peak - idle[side]) / 1024 ** 2;
    assert.ok(grown <= allowedGrowth / 1024 ** 2, `the ${side} grew by ${grown.toFixed(1)} MiB`);
  }
  await until(() => closes.download && closes.upload, {
    what: "the target sees both visitors leave",
    timeoutMs: 65_000,
  });
  assert.deepEqual(await pair.client.stop(), { code: 0, signal: null });
  assert.deepEqual(await pair.server.stop(), { code: 0, signal: null });
});
