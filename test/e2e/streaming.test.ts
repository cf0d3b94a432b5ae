// Nothing is buffered whole: 1 GiB each way through real processes in constant memory, every byte compared, and small
// pieces of a response arrive one by one.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";
import { HttpTarget } from "../support/http-target.ts";
import { residentBytes } from "../support/open-files.ts";
import { ProcessPair } from "../support/processes.ts";
import type { CaissonProcess } from "../support/run.ts";
import { Rig } from "../support/rig.ts";
import { digestOf, seededDigest, seededStream } from "../support/seeded-bytes.ts";
import { bytesPath, seededTarget } from "../support/seeded-target.ts";
import { visit, visitText } from "../support/visitor.ts";

const gib = 1024 ** 3;
const allowedGrowth = 64 * 1024 ** 2;
const onLinux = { skip: process.platform === "linux" ? false : "reads /proc" };

/** Watches how far the peak of a process's resident memory is above what it has now. */
function growthOf({ pid }: CaissonProcess): () => number {
  const idle = residentBytes(pid).now;
  return () => residentBytes(pid).peak - idle;
}

test("1 GiB down and 1 GiB up arrive byte for byte, in constant memory on both sides", onLinux, async () => {
  await using target = await HttpTarget.start(seededTarget);
  await using pair = await ProcessPair.start(target.port);
  await visitText(pair.port, "/warm");
  const growth = { server: growthOf(pair.server), client: growthOf(pair.client) };

  const download = await visit(pair.port, bytesPath("down", gib));
  assert.deepEqual(await digestOf(download), await seededDigest("down", gib));

  const headers = { "content-length": String(gib) };
  const upload = await visitText(pair.port, "/", { method: "POST", headers, body: seededStream("up", gib) });
  assert.deepEqual(JSON.parse(upload.body), await seededDigest("up", gib));

  for (const [side, grown] of Object.entries(growth)) {
    assert.ok(grown() <= allowedGrowth, `the ${side} grew by ${(grown() / 1024 ** 2).toFixed(1)} MiB`);
  }
  assert.deepEqual(await pair.client.stop(), { code: 0, signal: null });
  assert.deepEqual(await pair.server.stop(), { code: 0, signal: null });
});

test("64 MiB in both directions at once, with chunked coding, come back as they were sent", async () => {
  const length = 64 * 1024 ** 2;
  await using rig = await Rig.start({ target: seededTarget });
  const echoed = await visit(rig.port, "/echo", { method: "POST", body: seededStream("echo", length) });
  assert.deepEqual(await digestOf(echoed), await seededDigest("echo", length));
});

test("server-sent events arrive one by one, each before the next is sent", async () => {
  const open: ServerResponse[] = [];
  await using rig = await Rig.start({
    target: (_, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.flushHeaders();
      open.push(response);
    },
  });
  const stream = await visit(rig.port, "/events");
  assert.equal(stream.headers["content-type"], "text/event-stream");
  const [response] = open;
  assert.ok(response);
  stream.setEncoding("utf8");
  for (let n = 0; n < 50; n += 1) {
    const arrived = once(stream, "data");
    response.write(`id: ${n}\ndata: event ${n}\n\n`);
    assert.deepEqual(await arrived, [`id: ${n}\ndata: event ${n}\n\n`]);
  }
  const gone = once(response, "close");
  stream.destroy();
  await gone;
  await rig.quiet();
});

test("each piece of an upload reaches the target before the next is sent", async () => {
  const pieces: string[] = [];
  let heard: () => void = () => undefined;
  await using rig = await Rig.start({
    target: (request, response) => {
      request.setEncoding("utf8").on("data", (text: string) => {
        pieces.push(text);
        heard();
      });
      request.on("end", () => response.end("done"));
    },
  });
  async function* talk(): AsyncGenerator<string> {
    for (let n = 0; n < 20; n += 1) {
      const arrived = new Promise<void>((resolve) => void (heard = resolve));
      yield `piece ${n};`;
      await arrived;
    }
  }
  const answer = await visitText(rig.port, "/", { method: "POST", body: Readable.from(talk(), { objectMode: false }) });
  assert.equal(answer.body, "done");
  assert.deepEqual(
    pieces,
    Array.from({ length: 20 }, (_, n) => `piece ${n};`),
  );
});
