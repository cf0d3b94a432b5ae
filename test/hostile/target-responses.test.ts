// Targets that break the rules of HTTP: what they say never reaches a visitor in a form that another program could read
// differently, and never becomes the answer to another request.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RawClient } from "../support/raw-client.ts";
import { onHeads, RawTarget } from "../support/raw-target.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

const host = "Host: demo.localhost\r\n";
const ok = "HTTP/1.1 200 OK\r\n";
const poison = `${ok}Content-Length: 6\r\n\r\npoison`;

function withField(line: string): string {
  return `${ok}${line}\r\nContent-Length: 2\r\n\r\nno`;
}

const refused: readonly (readonly [what: string, bytes: string])[] = [
  [
    "Content-Length with Transfer-Encoding",
    `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n`,
  ],
  ["two Content-Lengths", `${ok}Content-Length: 2\r\nContent-Length: 3\r\n\r\nno!`],
  ["two equal Content-Lengths", `${ok}Content-Length: 2\r\nContent-Length: 2\r\n\r\nno`],
  ["a list of lengths", `${ok}Content-Length: 2, 2\r\n\r\nno`],
  ["a signed length", `${ok}Content-Length: +2\r\n\r\nno`],
  ["a length above 2^53", `${ok}Content-Length: 90071992547409920\r\n\r\nno`],
  ["another transfer coding", `${ok}Transfer-Encoding: gzip\r\n\r\nno`],
  ["chunked twice", `${ok}Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n`],
  ["chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"],
  ["a bare LF behind the status line", "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nno"],
  ["bare LFs everywhere", "HTTP/1.1 200 OK\nContent-Length: 2\n\nno"],
  ["a bare LF in a field", withField("X: y\nSet-Cookie: forged=1")],
  ["a bare CR in a field", withField("X: y\rSet-Cookie: forged=1")],
  ["a NUL in a field", withField("X: a\0b")],
  ["a folded line", withField("X: a\r\n b")],
  ["a blank before a colon", withField("X : y")],
  ["a line without a colon", withField("nonsense")],
  ["an empty name", withField(": y")],
  ["201 fields", withField(Array.from({ length: 200 }, (_, n) => `X-${n}: y`).join("\r\n"))],
  ["a head of 33 KiB", withField(`X: ${"a".repeat(33 * 1024)}`)],
  ["HTTP/0.9: a body and nothing else", "<html>hello</html>\r\n\r\n"],
  ["HTTP/2", "HTTP/2 200 OK\r\n\r\n"],
  ["HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["status 099", "HTTP/1.1 099 Low\r\n\r\n"],
  ["a status of letters", "HTTP/1.1 abc OK\r\n\r\n"],
  ["ICY 200 OK", "ICY 200 OK\r\n\r\n"],
  ["an empty line first", `\r\n${poison}`],
  ["garbage", "\0\x01\x02\xff\xfe\r\n\r\n"],
  [
    "101 without being asked",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nraw",
  ],
  ["101 to another protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nraw"],
];

/** A rig whose target answers each head with what the test has set. */
class AnsweringRig {
  bytes: string;
  readonly target: RawTarget;
  readonly rig: Rig;

  private constructor(parts: { readonly target: RawTarget; readonly rig: Rig }, bytes: string) {
    this.bytes = bytes;
    this.target = parts.target;
    this.rig = parts.rig;
  }

  static async start(bytes = ""): Promise<AnsweringRig> {
    const made: { rig?: AnsweringRig } = {};
    const target = await RawTarget.start(
      onHeads((_, socket) => void socket.write(Buffer.from(made.rig?.bytes ?? "", "latin1"))),
    );
    made.rig = new AnsweringRig({ target, rig: await Rig.start({ targetPort: target.port }) }, bytes);
    return made.rig;
  }

  /** Closes the connections to the target. */
  async freshStart(): Promise<void> {
    for (const socket of this.target.sockets) socket.destroy();
    await until(() => this.target.sockets.size === 0, { what: "a fresh start" });
    await this.rig.quiet();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.target.sockets) socket.destroy();
    await this.rig.close();
    await this.target[Symbol.asyncDispose]();
  }
}

void test("a response that is none becomes 502, and its connection is not used again", async (t) => {
  await using answering = await AnsweringRig.start();
  const { rig, target } = answering;
  for (const [what, bytes] of refused) {
    await t.test(what, async () => {
      answering.bytes = bytes;
      const visitor = await RawClient.connect(rig.port);
      visitor.send(`GET / HTTP/1.1\r\n${host}\r\n`);
      await visitor.receive("not with valid HTTP");
      assert.match(visitor.text, /^HTTP\/1\.1 502 [^]*\r\nCaisson-Error: bad_target_response\r\n/);
      assert.doesNotMatch(visitor.text, /forged|poison|raw|Set-Cookie/);
      await until(() => target.sockets.size === 0, { what: "the target's connection is closed" });
      // It was the target's fault: the visitor's connection goes on.
      answering.bytes = `${ok}Content-Length: 4\r\n\r\nfine`;
      visitor.send(`GET / HTTP/1.1\r\n${host}\r\n`);
      await visitor.receive("\r\n\r\nfine");
      visitor.close();
      await answering.freshStart();
    });
  }
});

const withMore: readonly (readonly [what: string, method: string, response: string, seen: RegExp])[] = [
  ["a response with a length", "GET", `${ok}Content-Length: 4\r\n\r\nmine`, /\r\n\r\nmine$/],
  [
    "a chunked response",
    "GET",
    `${ok}Transfer-Encoding: chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n`,
    /\r\n4\r\nmine\r\n0\r\n\r\n$/,
  ],
  ["an empty response", "GET", `${ok}Content-Length: 0\r\n\r\n`, /\r\n\r\n$/],
  ["204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", /^HTTP\/1\.1 204 No Content\r\n\r\n$/],
  [
    "204 with a length",
    "GET",
    "HTTP/1.1 204 No Content\r\nContent-Length: 77\r\n\r\n",
    /^HTTP\/1\.1 204 No Content\r\n\r\n$/,
  ],
  ["304", "GET", 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 77\r\n\r\n', /ETag: "x"\r\n[^]*\r\n\r\n$/],
  ["HEAD", "HEAD", `${ok}Content-Length: 77\r\n\r\n`, /Content-Length: 77\r\n\r\n$/],
  ["HEAD with chunked coding", "HEAD", `${ok}Transfer-Encoding: chunked\r\n\r\n`, /^HTTP\/1\.1 200 OK\r\n\r\n$/],
];

void test("bytes behind a complete response are dropped, and never answer the next request", async (t) => {
  await using answering = await AnsweringRig.start();
  const { rig, target } = answering;
  for (const [what, method, response, seen] of withMore) {
    for (const late of [false, true]) {
      await t.test(`${what}, ${late ? "a moment later" : "in the same write"}`, async () => {
        const accepted = target.accepted;
        answering.bytes = late ? response : response + poison;
        const visitor = await RawClient.connect(rig.port);
        visitor.send(`${method} / HTTP/1.1\r\n${host}\r\n`);
        await visitor.receive("\r\n\r\n");
        await rig.quiet();
        if (late) for (const socket of target.sockets) socket.write(poison);
        await until(() => target.sockets.size === 0, { what: "that connection is given up" });
        assert.match(visitor.text, seen);
        const length = visitor.text.length;
        answering.bytes = `${ok}Content-Length: 4\r\n\r\nnext`;
        visitor.send(`GET /2 HTTP/1.1\r\n${host}\r\n`);
        await visitor.receive("\r\n\r\nnext");
        assert.match(visitor.text.slice(length), /^HTTP\/1\.1 200 OK\r\n/);
        assert.doesNotMatch(visitor.text, /poison/);
        assert.equal(target.accepted, accepted + 2);
        visitor.close();
        await answering.freshStart();
      });
    }
  }
});

void test("informational heads are passed on, 16 of them; more are a bad response", async () => {
  await using answering = await AnsweringRig.start(
    `${"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n".repeat(16)}${ok}Content-Length: 4\r\n\r\nlast`,
  );
  const patient = await RawClient.connect(answering.rig.port);
  patient.send(`GET / HTTP/1.1\r\n${host}\r\n`);
  await patient.receive("\r\n\r\nlast");
  assert.equal(patient.text.match(/HTTP\/1\.1 103 /g)?.length, 16);
  patient.close();
  answering.bytes = "HTTP/1.1 100 Continue\r\n\r\n".repeat(100_000);
  const flooded = await RawClient.connect(answering.rig.port);
  flooded.send(`GET / HTTP/1.1\r\n${host}\r\n`);
  await flooded.receive("Caisson-Error: bad_target_response");
  assert.ok((flooded.text.match(/HTTP\/1\.1 100 /g)?.length ?? 0) <= 16);
  flooded.close();
});

void test("a response that ends early is cut for every kind of visitor, in every kind of framing", async () => {
  const responses = [
    `${ok}Content-Length: 10\r\n\r\npart`,
    `${ok}Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n`,
    `${ok}Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0\r\nX: y\r\n`,
  ];
  let bytes = "";
  await using target = await RawTarget.start(onHeads((_, socket) => void socket.end(bytes)));
  await using rig = await Rig.start({ targetPort: target.port });
  for (const response of responses) {
    for (const version of ["1.0", "1.1"]) {
      bytes = response;
      const visitor = await RawClient.connect(rig.port);
      visitor.send(`GET / HTTP/${version}\r\n${host}\r\n`);
      assert.equal(await visitor.ended(), "reset", `${version}: ${response}`);
      assert.doesNotMatch(visitor.text, /\r\n0\r\n/);
      visitor.close();
    }
  }
});

void test("what only the server may say is removed from responses", async () => {
  await using answering = await AnsweringRig.start(
    `HTTP/1.1 103 Early Hints\r\nCaisson-Error: forged\r\nLink: </x>\r\n\r\n${ok}Caisson-Error: forged\r\ncaisson-x: forged\r\n` +
      "Connection: X-Hop, keep-alive\r\nX-Hop: forged\r\nKeep-Alive: timeout=5\r\nProxy-Connection: forged\r\nUpgrade: forged\r\n" +
      "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nCaisson-Error: forged\r\nContent-Length: 9\r\nSet-Cookie: forged=1\r\nX-End: yes\r\n\r\n",
  );
  const visitor = await RawClient.connect(answering.rig.port);
  visitor.send(`GET / HTTP/1.1\r\n${host}\r\n`);
  await visitor.receive("X-End: yes\r\n\r\n");
  assert.doesNotMatch(visitor.text, /forged|X-Hop|Keep-Alive|Content-Length/i);
  assert.equal(visitor.text.match(/Transfer-Encoding: chunked/g)?.length, 1);
  visitor.close();
});
