// Visitors that are slow, many, greedy or gone: each limit strikes, says so, and gives back what it had lent.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { RawClient } from "../support/raw-client.ts";
import { onHeads, RawTarget } from "../support/raw-target.ts";
import { deferred, Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { GuardedRig } from "./guarded-rig.ts";
import { Words } from "./words.ts";

const host = "Host: demo.localhost\r\n";
const get = `GET / HTTP/1.1\r\n${host}\r\n`;

function answersIn(text: string): number {
  return text.match(/HTTP\/1\.1 200 OK/g)?.length ?? 0;
}

void test("a head that does not come to its end is answered with 408, one that does not begin with nothing", async () => {
  await using guarded = await GuardedRig.start({ limits: { headMs: 300 } });
  const silent = await RawClient.connect(guarded.port);
  const blank = await RawClient.connect(guarded.port);
  blank.send("\r\n\r\n");
  const slow = await RawClient.connect(guarded.port);
  const startedMs = performance.now();
  // A byte now and then does not buy time: the deadline is absolute.
  for (const byte of "GET / HTTP/1.1\r\nHost: demo.localhost\r\nX: ".padEnd(400, "y")) {
    if (slow.ending !== "open") break;
    slow.send(byte);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(await slow.ended(), "fin");
  assert.ok(performance.now() - startedMs < 3_000);
  assert.match(slow.text, /^HTTP\/1\.1 408 [^]*\r\nCaisson-Error: bad_request\r\n[^]*Connection: close\r\n/);
  for (const quiet of [silent, blank]) {
    await quiet.ended();
    assert.equal(quiet.text, "");
  }
  for (const visitor of [silent, blank, slow]) visitor.close();
  assert.deepEqual(guarded.words.badRequests, ["head_timeout"]);
  assert.equal(guarded.streams, 0);
  await guarded.servesOn();
});

void test("a second head is as slow as the first may be; an idle connection is closed without a word", async () => {
  await using guarded = await GuardedRig.start({ limits: { headMs: 300, keepAliveMs: 600 } });
  const slow = await RawClient.connect(guarded.port);
  slow.send(`${get}GET /second HTTP/1.1\r\n`);
  await slow.receive("HTTP/1.1 408 ");
  await slow.ended();
  const idle = await RawClient.connect(guarded.port);
  idle.send(get);
  await idle.ended();
  assert.equal(answersIn(idle.text), 1);
  assert.doesNotMatch(idle.text, /408/);
  for (const visitor of [slow, idle]) visitor.close();
});

void test("a thousand connections that never finish a head are held for their time and no longer", async () => {
  await using guarded = await GuardedRig.start({ limits: { headMs: 700, maxVisitorsPerAddress: 2_000 } });
  const visitors = await Promise.all(Array.from({ length: 1_000 }, () => RawClient.connect(guarded.port)));
  for (const visitor of visitors) visitor.send(`GET / HTTP/1.1\r\n${host}X: `);
  await guarded.servesOn();
  await Promise.all(visitors.map((visitor) => visitor.ended()));
  assert.ok(visitors.every(({ text }) => text.startsWith("HTTP/1.1 408 ")));
  for (const visitor of visitors) visitor.close();
  await until(() => guarded.rig.serverLedger.live("visitor_socket") === 0, { what: "all are gone" });
  assert.equal(guarded.rig.server.inventory().probes["visitors.sockets"], 0);
});

void test("one address gets so many connections and no more, whatever they are used for", async () => {
  const limits = { maxVisitorsPerAddress: 6, handshakeMs: 10_000 };
  await using guarded = await GuardedRig.start({ limits, catchAll: undefined } as object);
  const visitors: RawClient[] = [];
  const hold = async (bytes: string, answer?: string): Promise<void> => {
    const visitor = await RawClient.connect(guarded.port);
    visitors.push(visitor);
    visitor.send(bytes);
    if (answer !== undefined) await visitor.receive(answer);
  };
  await hold(get, "answer to /");
  await hold(get, "answer to /");
  await hold("GET");
  await hold(`POST / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\n`);
  await hold("");
  await hold("");
  // The client's own login came from here as well, but is a session now.
  await until(() => guarded.rig.server.inventory().probes["visitors.sockets"] === 6, { what: "six are counted" });
  const seventh = await RawClient.connect(guarded.port);
  seventh.send(get);
  await seventh.ended();
  assert.equal(seventh.text, "");
  assert.deepEqual(guarded.words.refusals, ["visitors_per_address"]);
  const elsewhere = await RawClient.connect(guarded.port, { localAddress: "127.0.0.2" });
  elsewhere.send(get);
  await elsewhere.receive("answer to /");
  visitors[0]?.close();
  await until(() => guarded.rig.server.inventory().probes["visitors.sockets"] === 6, { what: "one has left" });
  await hold(get, "answer to /");
  for (const visitor of [...visitors, seventh, elsewhere]) visitor.close();
});

void test("a WebSocket counts as long as it lasts", async () => {
  const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  await using target = await RawTarget.start(
    onHeads((_, socket) => {
      const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
    }),
  );
  await using rig = await Rig.start({ targetPort: target.port, serve: { limits: { maxVisitorsPerAddress: 3 } } });
  const visitors: RawClient[] = [];
  for (let n = 0; n < 3; n += 1) {
    const visitor = await RawClient.connect(rig.port);
    visitor.send(`GET / HTTP/1.1\r\n${host}${upgrade}\r\n`);
    await visitor.receive("HTTP/1.1 101 ");
    visitors.push(visitor);
  }
  assert.equal(rig.serverLedger.live("visitor_socket"), 0);
  assert.equal(rig.serverLedger.live("pipe"), 3);
  const fourth = await RawClient.connect(rig.port);
  await fourth.ended();
  visitors[0]?.reset();
  await until(() => rig.serverLedger.live("pipe") === 2, { what: "one pipe has ended" });
  await until(() => rig.server.inventory().probes["visitors.sockets"] === 2, { what: "its socket counts no more" });
  const fifth = await RawClient.connect(rig.port);
  fifth.send(`GET / HTTP/1.1\r\n${host}${upgrade}\r\n`);
  await fifth.receive("HTTP/1.1 101 ");
  for (const visitor of [...visitors, fourth, fifth]) visitor.close();
});

void test("trusted proxies share no limit per address, and all share the limit of all", async () => {
  const limits = { maxVisitorsPerAddress: 1, maxVisitors: 5 };
  const words = new Words();
  await using rig = await Rig.start({
    serve: { limits, trustedProxies: ["127.0.0.2"] },
    serverSubscribers: [words],
  });
  const visitors: RawClient[] = [];
  for (let n = 0; n < 5; n += 1) {
    const visitor = await RawClient.connect(rig.port, { localAddress: "127.0.0.2" });
    visitor.send(get);
    await visitor.receive("GET /");
    visitors.push(visitor);
  }
  const more = await RawClient.connect(rig.port, { localAddress: "127.0.0.2" });
  await more.ended();
  assert.deepEqual(words.refusals, ["visitors"]);
  for (const visitor of [...visitors, more]) visitor.close();
  await until(() => rig.server.inventory().probes["visitors.sockets"] === 0, { what: "all have left" });
});

void test("what a visitor breaks off counts against its address, however it does so", async () => {
  const limits = { maxAborts: 3, abortWindowMs: 300 };
  const words = new Words();
  await using target = await RawTarget.start((socket) => void socket.resume());
  await using rig = await Rig.start({ targetPort: target.port, serve: { limits }, serverSubscribers: [words] });
  const chunked = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`;
  const ways: readonly ((visitor: RawClient) => Promise<unknown>)[] = [
    async (visitor) => visitor.reset(),
    async (visitor) => visitor.end(),
    async (visitor) => {
      visitor.send("nonsense\r\n");
      await visitor.receive("HTTP/1.1 400 ");
    },
  ];
  for (const leave of ways) {
    const visitor = await RawClient.connect(rig.port, { localAddress: "127.0.0.2" });
    visitor.send(chunked);
    await until(() => target.sockets.size === 1, { what: "the request is at the target" });
    await leave(visitor);
    await rig.quiet();
    await until(() => target.sockets.size === 0, { what: "and gone" });
    visitor.close();
  }
  const blocked = await RawClient.connect(rig.port, { localAddress: "127.0.0.2" });
  blocked.send(get);
  await blocked.ended();
  assert.match(blocked.text, /^HTTP\/1\.1 503 [^]*\r\nCaisson-Error: overloaded\r\n[^]*Retry-After: \d+\r\n/);
  assert.deepEqual(words.refusals, ["aborts"]);
  const other = await RawClient.connect(rig.port, { localAddress: "127.0.0.3" });
  other.send(get);
  await until(() => target.sockets.size === 1, { what: "another address is served" });
  assert.equal(rig.serverLedger.live("session"), 1, "the session is not to blame");
  for (const visitor of [blocked, other]) visitor.close();
  await rig.quiet();
});

void test("a connection that is reset before it is looked at costs nothing", async () => {
  await using guarded = await GuardedRig.start();
  for (let round = 0; round < 50; round += 1) {
    const visitors = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(guarded.port)));
    for (const visitor of visitors) visitor.reset();
  }
  await guarded.servesOn();
  await until(() => guarded.rig.server.inventory().probes["visitors.sockets"] === 0, { what: "all are gone" });
});

void test("the sockets of a server that closes under load are all given back", async () => {
  const { promise, resolve } = deferred<void>();
  const listener = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.resume();
    resolve();
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  const targetPort = typeof address === "object" && address !== null ? address.port : 0;
  const rig = await Rig.start({ targetPort });
  const visitors = await Promise.all(Array.from({ length: 50 }, () => RawClient.connect(rig.port)));
  for (const [index, visitor] of visitors.entries()) visitor.send(index % 2 === 0 ? get : "GET /");
  await promise;
  for (const visitor of visitors) visitor.end();
  await rig.server.close({ force: true });
  for (const visitor of visitors) visitor.close();
  listener.close();
  await rig.close();
});
