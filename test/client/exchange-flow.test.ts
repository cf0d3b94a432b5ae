// Large bodies: bounded memory whoever is slow, no byte lost or changed, and a slow side does not stop others.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { until } from "../support/until.ts";
import { RawTarget } from "./targets.ts";
import { Uplink } from "./uplink.ts";

const get = "GET / HTTP/1.1\nHost: demo.test";
const mebibyte = 1024 * 1024;

/** Random-looking data whose hash is known. */
function* blocks(count: number, size: number, hash: ReturnType<typeof createHash>): Generator<Buffer> {
  for (let n = 0; n < count; n += 1) {
    const block = randomBytes(size);
    hash.update(block);
    yield block;
  }
}

void test("a download arrives whole, by length and chunked", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  for (const coding of ["length", "chunked"] as const) {
    const visit = uplink.visit(get);
    visit.counts = true;
    const received = createHash("sha256");
    visit.onChunk = (chunk) => void received.update(chunk);
    const connection = await target.next();
    await connection.head();
    const sent = createHash("sha256");
    connection.write(
      coding === "length"
        ? `HTTP/1.1 200 OK\nConnection: close\nContent-Length: ${160 * 100_000}\n\n`
        : "HTTP/1.1 200 OK\nConnection: close\nTransfer-Encoding: chunked\n\n",
    );
    for (const block of blocks(160, 100_000, sent)) {
      const framed =
        coding === "length"
          ? block
          : Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from("\r\n")]);
      if (!connection.socket.write(framed)) await new Promise((resolve) => connection.socket.once("drain", resolve));
    }
    if (coding === "chunked") connection.write("0\n\n");
    await visit.over(30_000);
    assert.equal(visit.reset, undefined);
    assert.equal(visit.bodyBytes, 160 * 100_000);
    assert.equal(received.digest("hex"), sent.digest("hex"));
    await connection.gone();
  }
});

void test("an upload arrives whole, by length and chunked", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  for (const coding of ["length", "chunked"] as const) {
    const size = 100_000;
    const count = 100;
    const fields = coding === "length" ? `Content-Length: ${size * count}` : "Transfer-Encoding: chunked";
    const visit = uplink.visit(`POST / HTTP/1.1\nHost: demo.test\n${fields}`, { body: coding });
    const connection = await target.next();
    await connection.head();
    const received: Buffer[] = [];
    connection.socket.removeAllListeners("data");
    connection.socket.on("data", (chunk) => void received.push(chunk));
    const sent = createHash("sha256");
    const whole: Buffer[] = [];
    await visit.send(
      (function* () {
        for (const block of blocks(count, size, sent)) {
          whole.push(block);
          yield block;
        }
      })(),
    );
    const expected = Buffer.concat(whole);
    const complete = () => received.reduce((sum, { length }) => sum + length, 0) >= expected.length;
    await until(complete, { what: "the upload has arrived", timeoutMs: 30_000 });
    if (coding === "length")
      assert.ok(Buffer.concat([Buffer.from(connection.received, "latin1"), ...received]).equals(expected));
    else {
      const ended = () => Buffer.concat(received).subarray(-5).equals(Buffer.from("0\r\n\r\n"));
      await until(ended, { what: "the last chunk has arrived" });
      assert.ok(dechunk(Buffer.concat([Buffer.from(connection.received, "latin1"), ...received])).equals(expected));
    }
    connection.write("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 0\n\n");
    await visit.over();
  }
});

void test("a visitor that does not read pauses the target, and only that one", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const slow = uplink.visit(get);
  slow.holds = true;
  slow.counts = true;
  const connection = await target.next();
  await connection.head();
  connection.write("HTTP/1.1 200 OK\n\n");
  let written = 0;
  const block = Buffer.alloc(64 * 1024, "x");
  const stuck = async (): Promise<boolean> => {
    for (let n = 0; n < 400; n += 1) {
      written += block.length;
      if (connection.socket.write(block)) continue;
      const drained = await Promise.race([
        new Promise<true>((resolve) => connection.socket.once("drain", () => resolve(true))),
        new Promise<false>((resolve) => setTimeout(() => resolve(false), 300)),
      ]);
      if (!drained) return true;
    }
    return false;
  };
  assert.equal(await stuck(), true, "the target can write for ever");
  assert.ok(uplink.pauses.includes("target"));
  assert.ok(slow.bodyBytes <= 64 * 1024);
  // Another one passes by.
  const quick = uplink.visit(get);
  const second = await target.next();
  await second.head();
  second.write("HTTP/1.1 200 OK\nContent-Length: 5\n\nquick");
  await quick.over();
  assert.equal(quick.body, "quick");
  // And the slow one goes on where it was.
  slow.takeAll();
  connection.socket.end();
  await slow.over(30_000);
  assert.equal(slow.bodyBytes, written);
});

void test("a target that does not read gets no more than a window, and the upload goes on when it does", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit("POST / HTTP/1.1\nHost: demo.test\nTransfer-Encoding: chunked", { body: "chunked" });
  const connection = await target.next();
  await connection.head();
  connection.socket.pause();
  let given = 0;
  const sending = visit.send(
    (function* () {
      for (let n = 0; n < 512; n += 1) {
        given += 64 * 1024;
        yield Buffer.alloc(64 * 1024, "y");
      }
    })(),
  );
  let last = -1;
  await until(
    async () => {
      const still = given === last;
      last = given;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return still && last === given;
    },
    { what: "the upload stands still", timeoutMs: 20_000 },
  );
  assert.ok(given < 32 * mebibyte, `${given} bytes were taken`);
  let received = connection.received.length;
  connection.socket.removeAllListeners("data");
  connection.socket.on("data", (chunk) => (received += chunk.length));
  connection.socket.resume();
  await sending;
  await until(() => received > 512 * 64 * 1024, { what: "everything has arrived", timeoutMs: 30_000 });
  connection.write("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 0\n\n");
  await visit.over();
});

void test("a visitor that leaves while the target is paused: the connection goes at once", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit(get);
  visit.holds = true;
  const connection = await target.next();
  await connection.head();
  connection.write("HTTP/1.1 200 OK\n\n");
  connection.socket.write(Buffer.alloc(8 * mebibyte));
  await until(() => uplink.pauses.includes("target"), { what: "the target is paused" });
  visit.stream?.reset("cancelled");
  await connection.gone();
  await until(() => uplink.pool.live.size === 0, { what: "nothing is left" });
});

/** Takes chunk framing away, for bodies of which every chunk is known to be complete. */
function dechunk(framed: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = framed.indexOf("\r\n", at);
    const size = Number.parseInt(framed.toString("latin1", at, lineEnd), 16);
    if (size === 0) return Buffer.concat(parts);
    parts.push(framed.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
