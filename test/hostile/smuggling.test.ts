// Bytes that hope to be read as something else: behind requests for the server's own pages, behind upgrades and answers,
// in names, hosts and fields that one side reads differently from the other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RawClient } from "../support/raw-client.ts";
import { onHeads, RawTarget } from "../support/raw-target.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { GuardedRig } from "./guarded-rig.ts";
import { Words } from "./words.ts";

const host = "Host: demo.localhost\r\n";
const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;
const connectPath = "/_caisson/connect";
const upgradeFields =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

/** No catch-all, so that the own hosts have pages and unknown hosts have nobody. */
const withoutCatchAll = { catchAll: undefined } as object;

function answersIn(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = ""]) => status);
}

void test("nothing behind a request for the server's own pages is ever read as a request", async () => {
  await using guarded = await GuardedRig.start(withoutCatchAll);
  const rows: readonly (readonly [head: string, status: string])[] = [
    ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "200"],
    ["HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "200"],
    ["GET /nowhere HTTP/1.1\r\nHost: [::1]\r\nConnection: keep-alive\r\n\r\n", "404"],
    ["GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n", "200"],
    ["GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "200"],
    ["DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"],
    [`GET ${connectPath} HTTP/1.1\r\nHost: localhost\r\n\r\n`, "426"],
    [`GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n${upgradeFields}\r\n`, "404"],
    [`GET ${connectPath} HTTP/1.1\r\nHost: localhost\r\n${upgradeFields}\r\n`, "400"],
    [`GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`, "200"],
  ];
  for (const [head, status] of rows) {
    for (const pieces of [[head + smuggled], [head, smuggled]]) {
      const visitor = await RawClient.connect(guarded.port);
      for (const piece of pieces) {
        visitor.send(piece);
        if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve));
      }
      await visitor.ended();
      assert.deepEqual(answersIn(visitor.text), [status], head);
      visitor.close();
    }
  }
  await until(() => guarded.rig.server.inventory().probes["own.pending"] === 0, { what: "no socket is left behind" });
  assert.deepEqual(guarded.begun, []);
  assert.equal(guarded.streams, 0);
  await guarded.servesOn();
});

void test("a request for the own hosts with a body is refused before it is handed over", async () => {
  await using guarded = await GuardedRig.start(withoutCatchAll);
  const refusal = { status: 413, reason: "body_not_expected" };
  await guarded.refuses(
    [`POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`],
    refusal,
  );
  await guarded.refuses(
    [`GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    refusal,
  );
  await guarded.refuses(
    [`GET ${connectPath} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n${upgradeFields}\r\nx`],
    refusal,
  );
});

void test("what node:http would not read is answered all the same", async () => {
  await using rig = await Rig.start({ serve: withoutCatchAll });
  const large = `X: ${"a".repeat(16_000)}\r\n`;
  const rows: readonly (readonly [head: string, status: string])[] = [
    [`GET / HTTP/1.1\r\nHost: localhost\r\n${large}\r\n`, "200"],
    ["BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"],
    ["get / HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"],
  ];
  for (const [head, status] of rows) {
    const visitor = await RawClient.connect(rig.port);
    visitor.send(head);
    assert.equal(await visitor.ended(), "fin");
    assert.deepEqual(answersIn(visitor.text), [status]);
    visitor.close();
  }
});

void test("an own page for HTTP/1.0 is not chunked", async () => {
  await using rig = await Rig.start({ serve: withoutCatchAll });
  const visitor = await RawClient.connect(rig.port);
  visitor.send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
  await visitor.ended();
  assert.match(visitor.text, /\r\nContent-Length: \d+\r\n/);
  assert.doesNotMatch(visitor.text, /chunked/i);
  visitor.close();
});

void test("hosts that no tunnel can have find nobody, whatever a parser of URLs would say of them", async () => {
  await using guarded = await GuardedRig.start(withoutCatchAll);
  const names = [
    "xn--a",
    "xn--",
    "a%20b",
    "%00",
    "%41",
    "a_b",
    "a!b",
    "a'b",
    "a*b",
    "1.2.3.999",
    "-",
    "a..b",
    "demo.demo",
  ];
  const hosts = [...names.map((name) => `${name}.localhost`), ...names, "demo", "demo.", "demo.localhost.evil.test"];
  for (const value of hosts) {
    const visitor = await RawClient.connect(guarded.port);
    visitor.send(`GET / HTTP/1.1\r\nHost: ${value}\r\n\r\n`);
    await visitor.receive("\r\n\r\n");
    assert.match(visitor.text, /^HTTP\/1\.1 404 [^]*\r\nCaisson-Error: no_tunnel\r\n/, value);
    visitor.close();
  }
  const noHost = await RawClient.connect(guarded.port);
  noHost.send("GET / HTTP/1.0\r\n\r\n");
  await noHost.ended();
  assert.match(noHost.text, /^HTTP\/1\.1 404 /);
  noHost.close();
  assert.equal(guarded.streams, 0);
  for (const value of ["demo.localhost", "DEMO.LocalHost", "demo.localhost.", "demo.localhost:80"]) {
    assert.equal((await guarded.rig.fetch("/", { headers: { host: value } })).status, 200, value);
  }
});

void test("nothing behind a refused request is read", async () => {
  await using guarded = await GuardedRig.start();
  const visitor = await RawClient.connect(guarded.port);
  visitor.send(`GET /first HTTP/1.1\r\n${host}\r\nGET /bad HTTP/1.1\r\n\r\n${smuggled.repeat(100)}`);
  await visitor.ended();
  assert.deepEqual(answersIn(visitor.text), ["200", "400"]);
  assert.deepEqual(guarded.complete, ["/first"]);
  visitor.close();
});

void test("only an upgrade to WebSocket alone passes, and only a 101 that was asked for opens a pipe", async () => {
  const heads: string[] = [];
  await using target = await RawTarget.start(
    onHeads((head, socket) => {
      heads.push(head);
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }),
  );
  await using rig = await Rig.start({ targetPort: target.port });
  const rows: readonly (readonly [fields: string, upgrade: boolean])[] = [
    [upgradeFields, true],
    ["Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", false],
    ["Connection: Upgrade\r\nUpgrade: h2c, websocket\r\nSec-WebSocket-Key: x\r\n", false],
    ["Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\nSec-WebSocket-Key: x\r\n", false],
    ["Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n", false],
    ["Connection: Upgrade\r\n", false],
    ["Connection: Upgrade\r\nUpgrade: websocket\r\n", false],
  ];
  for (const [fields, upgrade] of rows) {
    const visitor = await RawClient.connect(rig.port);
    visitor.send(`GET /up HTTP/1.1\r\n${host}${fields}\r\n`);
    await visitor.receive("\r\n\r\nok");
    // The connection is still HTTP: what follows is the next request, read as strictly as the first.
    visitor.send("\x82\x05bytes of a WebSocket");
    await visitor.receive("HTTP/1.1 400 ");
    visitor.close();
    const head = heads.at(-1) ?? "";
    assert.equal(/^Upgrade:/im.test(head), upgrade, head);
    assert.equal(/^Connection:/im.test(head), upgrade, head);
    assert.doesNotMatch(head, /HTTP2-Settings|h2c/i);
  }
  assert.equal(rig.serverLedger.accounts.pipe.opened, 0);
});

void test("what a visitor says of itself is replaced, and cannot be named away", async () => {
  const heads: string[] = [];
  await using target = await RawTarget.start(
    onHeads((head, socket) => {
      heads.push(head);
      socket.write("HTTP/1.1 204 No Content\r\n\r\n");
    }),
  );
  await using rig = await Rig.start({ targetPort: target.port });
  const forged = [
    "X-Forwarded-For: 6.6.6.6",
    "X-Forwarded-For: 6.6.6.7",
    "x-forwarded-proto: gopher",
    "X-Forwarded-Host: forged.test",
    "X-Forwarded-Port: 666",
    "X-Forwarded-Prefix: /forged",
    "X_Forwarded_For: 6.6.6.6",
    "X-Forwarded_Proto: forged",
    "Forwarded: for=6.6.6.6",
    "X-Real-IP: 6.6.6.6",
    "X_Real_IP: 6.6.6.6",
    "Caisson-Anything: forged",
    "Content_Length: 666",
    "Transfer_Encoding: forged",
    "Connection: X-Forwarded-For, X-Forwarded-Proto, X-Real-IP, Via, Host, Content-Length, X-Private",
    "X-Private: forged",
    "Keep-Alive: forged",
    "Proxy-Connection: forged",
    "Via: 1.0 elsewhere",
    "Content-Length: 0",
  ];
  const visitor = await RawClient.connect(rig.port);
  visitor.send(`POST /fields HTTP/1.1\r\n${host}${forged.join("\r\n")}\r\n\r\n`);
  await visitor.receive("HTTP/1.1 204 ");
  visitor.close();
  const [head = ""] = heads;
  assert.doesNotMatch(head, /6\.6\.6|forged|gopher|666/i);
  const lines = head.toLowerCase().split("\r\n");
  for (const line of [
    "host: demo.localhost",
    "content-length: 0",
    "x-forwarded-for: 127.0.0.1",
    "x-forwarded-proto: http",
    "x-forwarded-host: demo.localhost",
    "x-real-ip: 127.0.0.1",
  ]) {
    assert.equal(lines.filter((candidate) => candidate === line).length, 1, line);
    assert.equal(
      lines.filter((candidate) => candidate.startsWith(line.slice(0, line.indexOf(":") + 1))).length,
      1,
      line,
    );
  }
  assert.equal(lines.filter((line) => line.startsWith("via: 1.1 caisson-")).length, 1);
});

void test("the authority of an absolute target wins, and is what target and routing see", async () => {
  await using rig = await Rig.start({
    serve: withoutCatchAll,
    target: (request, response) =>
      response.end(`<${request.url}|${request.headers.host}|${String(request.headers["x-forwarded-host"])}>`),
  });
  const rows: readonly (readonly [target: string, said: string, seen: string])[] = [
    ["http://demo.localhost/a?b", "localhost", "</a?b|demo.localhost|demo.localhost>"],
    ["http://DEMO.localhost:81/", "nobody.localhost", "</|DEMO.localhost:81|DEMO.localhost:81>"],
    ["HTTPS://demo.localhost", "demo.localhost", "</|demo.localhost|demo.localhost>"],
    ["http://demo.localhost?q", "demo.localhost", "</?q|demo.localhost|demo.localhost>"],
    ["http://nobody.localhost/", "demo.localhost", "no_tunnel"],
  ];
  for (const [target, said, seen] of rows) {
    const visitor = await RawClient.connect(rig.port);
    visitor.send(`GET ${target} HTTP/1.1\r\nHost: ${said}\r\n\r\n`);
    await visitor.receive(seen);
    visitor.close();
  }
});

void test("percent-escapes, dots and odd bytes of a target pass as they are", async () => {
  await using guarded = await GuardedRig.start();
  const targets = [
    "/%2e%2e/%00%0d%0a%20",
    "/../../etc",
    "//demo.localhost/x",
    "/a;b=c|d^e`f{g}\"h'i",
    "/?a[]=%zz&%",
    "/%",
  ];
  for (const target of targets) {
    const visitor = await RawClient.connect(guarded.port);
    visitor.send(`GET ${target} HTTP/1.1\r\n${host}\r\n`);
    await visitor.receive("answer to");
    assert.equal(guarded.complete.at(-1), target);
    visitor.close();
  }
});

void test("a loop is refused with 508, once for all connections", async () => {
  const words = new Words();
  await using rig = await Rig.start({
    target: (request, response) => response.end(String(request.headers.via)),
    serverSubscribers: [words],
  });
  const via = (await rig.fetch("/")).body;
  const visitor = await RawClient.connect(rig.port);
  visitor.send(`GET / HTTP/1.1\r\n${host}Via: 1.0 a, ${via}, 1.1 b\r\n\r\n${smuggled}`);
  await visitor.ended();
  assert.deepEqual(answersIn(visitor.text), ["508"]);
  assert.match(visitor.text, /Caisson-Error: bad_request\r\n/);
  assert.deepEqual(words.badRequests, ["loop"]);
  visitor.close();
});
