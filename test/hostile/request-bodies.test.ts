// Bodies that break their framing, end early or exceed the limit: the visitor is told, and no target ever sees a whole
// request that its visitor did not send whole.

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { RawClient } from "../support/raw-client.ts";
import { RawTarget } from "../support/raw-target.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { GuardedRig } from "./guarded-rig.ts";

const host = "Host: demo.localhost\r\n";
const chunkedHead = `POST /hostile HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`;

/** Chunked bodies that are none. All but the first begin with a chunk that is fine. */
const malformed: readonly (readonly [what: string, body: string])[] = [
  ["no size at all", "\r\nhello\r\n0\r\n\r\n"],
  ["a size of letters", "5\r\nhello\r\nxyz\r\nhello\r\n0\r\n\r\n"],
  ["a negative size", "5\r\nhello\r\n-1\r\nhello\r\n0\r\n\r\n"],
  ["a size with 0x", "5\r\nhello\r\n0x5\r\nhello\r\n0\r\n\r\n"],
  ["a size of 16 digits", "5\r\nhello\r\n0000000000000005\r\nhello\r\n0\r\n\r\n"],
  ["a size above 2^53", "5\r\nhello\r\nfffffffffffffff\r\nhello\r\n0\r\n\r\n"],
  ["a blank before the size", "5\r\nhello\r\n 5\r\nhello\r\n0\r\n\r\n"],
  ["a size line that ends in LF", "5\r\nhello\r\n5\nhello\r\n0\r\n\r\n"],
  ["a size line that ends in CR", "5\r\nhello\r\n5\rhello\r\n0\r\n\r\n"],
  ["a blank behind the size and nothing else", "5\r\nhello\r\n5 \r\nhello\r\n0\r\n\r\n"],
  ["an extension above 256 bytes", `5\r\nhello\r\n5;${"a".repeat(300)}\r\nhello\r\n0\r\n\r\n`],
  ["an extension with a control byte", "5\r\nhello\r\n5;a\x01\r\nhello\r\n0\r\n\r\n"],
  ["an extension with a bare LF", "5\r\nhello\r\n5;a\nGET /smuggled HTTP/1.1\r\n\r\n"],
  ["more data than the size", "5\r\nhello!\r\n0\r\n\r\n"],
  ["LF behind the data", "5\r\nhello\n0\r\n\r\n"],
  ["nothing behind the data", "5\r\nhello0\r\n\r\n"],
  ["a last chunk that ends in LF", "5\r\nhello\r\n0\n\r\n"],
  ["a trailer that ends in LF", "5\r\nhello\r\n0\r\nX: y\n\r\n"],
  ["a folded trailer", "5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n"],
  ["a trailer with a blank before its colon", "5\r\nhello\r\n0\r\nX : y\r\n\r\n"],
  ["a trailer without a colon", "5\r\nhello\r\n0\r\nnonsense\r\n\r\n"],
  ["a trailer without an end", `5\r\nhello\r\n0\r\nX: ${"a".repeat(17_000)}`],
  ["101 trailers", `5\r\nhello\r\n0\r\n${"X: y\r\n".repeat(101)}\r\n`],
];

/** A target that answers nothing, and keeps what each connection brought. */
class SilentTarget {
  readonly texts: string[] = [];

  readonly behaviour = (socket: Socket): void => {
    const index = this.texts.push("") - 1;
    socket.on("data", (chunk: Buffer) => {
      this.texts[index] += chunk.toString("latin1");
    });
  };
}

void test("a chunked body that is none is refused, and its target never sees an end", async (t) => {
  const silent = new SilentTarget();
  await using target = await RawTarget.start(silent.behaviour);
  await using rig = await Rig.start({ targetPort: target.port });
  for (const [what, body] of malformed) {
    for (const cut of [body.length, 9, body.length - 1]) {
      await t.test(`${what}, cut at ${cut}`, async () => {
        const visitor = await RawClient.connect(rig.port);
        visitor.send(chunkedHead + body.slice(0, cut));
        if (cut < body.length) {
          await until(() => target.sockets.size > 0 || visitor.ending !== "open", { what: "the request began" });
          visitor.send(body.slice(cut));
        }
        assert.equal(await visitor.ended(), "fin");
        assert.match(visitor.text, /^HTTP\/1\.1 400 [^]*\r\nCaisson-Error: bad_request\r\n[^]*Connection: close\r\n/);
        visitor.close();
        await rig.quiet();
        await until(() => target.sockets.size === 0, { what: "the target's connection is cut" });
        for (const text of silent.texts) {
          assert.doesNotMatch(text, /\r\n0\r\n/, "the end of a body");
          assert.doesNotMatch(text, /smuggled|X: y/, "what came behind");
        }
      });
    }
  }
});

void test("a body that ends before its length never arrives as a whole request", async () => {
  await using guarded = await GuardedRig.start();
  const heads = [
    "Content-Length: 10\r\n\r\nfive!",
    "Transfer-Encoding: chunked\r\n\r\n5\r\nfive!\r\n",
    "Content-Length: 10\r\n\r\n",
  ];
  for (const rest of heads) {
    for (const leave of ["end", "reset"] as const) {
      const visitor = await RawClient.connect(guarded.port);
      const begun = guarded.begun.length;
      visitor.send(`POST /cut HTTP/1.1\r\n${host}${rest}`);
      await until(() => guarded.begun.length > begun, { what: "the request is at the target" });
      visitor[leave]();
      await guarded.rig.quiet();
      visitor.close();
    }
  }
  await until(() => guarded.rig.targetConnections === 0, { what: "the connections to the target are cut" });
  assert.deepEqual(guarded.complete, []);
  await guarded.servesOn();
});

void test("a body above the limit is refused: by its length before anything is opened, by its chunks when they exceed it", async () => {
  const limits = { maxBodyBytes: 100 };
  await using guarded = await GuardedRig.start({ limits });
  await guarded.refuses([`POST / HTTP/1.1\r\n${host}Content-Length: 101\r\n\r\n${"a".repeat(101)}`], {
    status: 413,
    reason: "body_too_large",
  });
  const fits = await guarded.rig.fetch("/fits", { method: "POST", body: "a".repeat(100) });
  assert.equal(fits.status, 200);
  const piece = `32\r\n${"a".repeat(50)}\r\n`;
  const whole = [`${chunkedHead}${piece}${piece}1\r\na\r\n0\r\n\r\n`];
  // The end and its trailers in the same read as what is too much: the target must not take the part for the whole.
  const withTrailers = [`${chunkedHead}${piece}${piece}${piece}0\r\nX-End: yes\r\n\r\n`];
  const inPieces = [chunkedHead, piece, piece, piece];
  for (const pieces of [whole, withTrailers, inPieces]) {
    const visitor = await RawClient.connect(guarded.port);
    for (const bytes of pieces) {
      visitor.send(bytes);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await visitor.ended(), "fin");
    assert.match(visitor.text, /^HTTP\/1\.1 413 [^]*\r\nCaisson-Error: bad_request\r\n[^]*Connection: close\r\n/);
    visitor.close();
    await guarded.rig.quiet();
  }
  assert.deepEqual(guarded.complete, ["/fits"]);
  await guarded.servesOn();
});

void test("trailers arrive as trailers, without those that would mean something in a head", async () => {
  const seen: Record<string, unknown>[] = [];
  await using rig = await Rig.start({
    target: (request, response) => {
      request.resume().on("end", () => {
        seen.push({
          trailers: request.rawTrailers,
          length: request.headers["content-length"],
          x: request.headers["x-end"],
        });
        response.end("done");
      });
    },
  });
  const forbidden = [
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Host: other.localhost",
    "Authorization: Basic x",
    "X-Forwarded-For: 6.6.6.6",
    "X-Forwarded-Anything: 6",
    "X_Forwarded_For: 6.6.6.6",
    "Cookie: a=b",
    "Connection: X-End",
    "Caisson-Error: forged",
  ];
  const visitor = await RawClient.connect(rig.port);
  visitor.send(`${chunkedHead}0\r\n${forbidden.join("\r\n")}\r\nX-End: yes\r\n\r\n`);
  await visitor.receive("done");
  visitor.close();
  assert.deepEqual(seen, [{ trailers: ["X-End", "yes"], length: undefined, x: undefined }]);
});
