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
const kib = 1024;

function fixedAnswer(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

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

void test("a flood of pipelined requests is answered in order, and read no faster than the answers are taken", async () => {
  const answer = "x".repeat(40 * kib);
  let answered = 0;
  await using target = await RawTarget.start(
    onHeads((_, socket) => {
      answered += 1;
      socket.write(fixedAnswer(answer));
    }),
  );
  await using rig = await Rig.start({ targetPort: target.port });
  const requests = 600;
  const visitor = await RawClient.connect(rig.port);
  visitor.socket.pause();
  visitor.send(get.repeat(requests));
  // The system's buffers take some answers; then the server must wait for the visitor.
  let last = -1;
  await until(
    async () => {
      const same = answered === last;
      last = answered;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return same && answered > 0;
    },
    { what: "the server stops to ask" },
  );
  assert.ok(answered < requests / 2, `${answered} answers wait for a visitor that reads none`);
  visitor.socket.resume();
  await until(() => visitor.socket.bytesRead >= requests * fixedAnswer(answer).length, { what: "all answers" });
  assert.equal(answersIn(visitor.text), requests);
  assert.equal(answered, requests);
  visitor.close();
});

void test("pipelined requests that the server answers itself wait for their reader as well", async () => {
  await using rig = await Rig.start({ serve: { catchAll: undefined } as object });
  const visitor = await RawClient.connect(rig.port);
  visitor.socket.pause();
  const request = "GET / HTTP/1.1\r\nHost: nobody.localhost\r\n\r\n";
  const known = "GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n";
  visitor.send(request + known);
  visitor.socket.resume();
  // An unknown name closes nothing: the next request is answered.
  await visitor.receive("GET /");
  assert.match(visitor.text, /^HTTP\/1\.1 404 [^]*HTTP\/1\.1 200 /);
  visitor.socket.pause();
  const flood = request.repeat(20_000);
  visitor.send(flood);
  let last = -1;
  await until(
    async () => {
      const held = visitor.socket.writableLength;
      const same = held === last;
      last = held;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return same;
    },
    { what: "the server stops to read" },
  );
  assert.ok(rig.serverLedger.accounts.exchange.opened < 20_002, "not all are answered");
  visitor.socket.resume();
  await until(() => rig.serverLedger.accounts.exchange.opened === 20_002, {
    what: "all are answered",
    timeoutMs: 20_000,
  });
  visitor.close();
});

void test("a visitor that takes no answers is cut after a while", async () => {
  const answer = "x".repeat(60 * kib);
  await using target = await RawTarget.start(onHeads((_, socket) => void socket.write(fixedAnswer(answer))));
  await using rig = await Rig.start({
    targetPort: target.port,
    serve: { limits: { responseIdleMs: 300 } },
  });
  const visitor = await RawClient.connect(rig.port);
  visitor.socket.pause();
  visitor.send(get.repeat(500));
  await until(() => rig.serverLedger.live("visitor_socket") === 0, { what: "it is given up" });
  assert.equal(rig.serverLedger.accounts.visitor_socket.reasons.get("flush_timeout"), 1);
  await rig.quiet();
  visitor.close();
});

void test("many visitors that read nothing hold up nobody else", async () => {
  const piece = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(64 * kib), Buffer.from("\r\n")]);
  await using target = await RawTarget.start(
    onHeads((head, socket) => {
      if (!head.startsWith("GET /endless")) {
        socket.write(fixedAnswer("quick"));
        return;
      }
      const more = (): void => {
        while (!socket.destroyed && socket.write(piece));
      };
      socket.on("drain", more);
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      more();
    }),
  );
  await using rig = await Rig.start({ targetPort: target.port });
  const visitors = await Promise.all(Array.from({ length: 16 }, () => RawClient.connect(rig.port)));
  for (const visitor of visitors) {
    visitor.send(`GET /endless HTTP/1.1\r\n${host}\r\n`);
    await visitor.receive("\r\n\r\n");
    visitor.socket.pause();
  }
  for (let n = 0; n < 20; n += 1) assert.equal((await rig.fetch("/quick")).body, "quick");
  assert.equal(rig.serverLedger.live("exchange"), visitors.length);
  for (const visitor of visitors) visitor.reset();
  await rig.quiet();
  await until(() => rig.clientLedger.live("local_socket") <= 1, { what: "the target is asked for no more" });
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

void test("a kept connection is read on after an upload that was answered early", async () => {
  // The target answers before it reads, so that the last of the body still waits when the response is over.
  await using target = await RawTarget.start(
    onHeads((head, socket) => {
      if (head.startsWith("POST")) {
        socket.pause();
        socket.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nearly");
      } else socket.write(fixedAnswer("next"));
    }),
  );
  await using rig = await Rig.start({ targetPort: target.port });
  for (const size of [60, 100, 130, 200, 400]) {
    const visitor = await RawClient.connect(rig.port);
    visitor.send(`POST / HTTP/1.1\r\n${host}Content-Length: ${size * kib}\r\n\r\n`);
    visitor.send(Buffer.alloc(size * kib));
    visitor.send(get);
    await visitor.receive("early");
    // Either the whole body had been read, and the connection goes on, or it says that it closes.
    await until(() => visitor.text.endsWith("next") || visitor.ending !== "open", { what: `${size}: goes on or ends` });
    if (visitor.ending !== "open") assert.match(visitor.text, /\r\nConnection: close\r\n/);
    visitor.close();
    await rig.quiet();
  }
  for (const socket of target.sockets) socket.destroy();
});

void test("a visitor may read slowly after its goodbye was said, but not for ever", async () => {
  await using rig = await Rig.start({ serve: { limits: { lingerMs: 300 } } });
  const visitor = await RawClient.connect(rig.port);
  visitor.send("nonsense\r\n\r\n");
  await visitor.receive("HTTP/1.1 400 ");
  // It neither ends its side nor stops to send: the server reads it for a while, then lets go.
  const chatter = setInterval(() => visitor.send("more nonsense"), 20);
  await until(() => rig.serverLedger.live("visitor_socket") === 0, { what: "it is given up" });
  clearInterval(chatter);
  visitor.close();
});

void test("bytes read ahead are bounded, and a visitor that is gone is seen while it is answered", async () => {
  await using target = await RawTarget.start((socket) => void socket.resume());
  await using rig = await Rig.start({ targetPort: target.port, serve: { limits: { responseIdleMs: 1_000 } } });
  const greedy = await RawClient.connect(rig.port);
  greedy.send(get);
  greedy.send(Buffer.alloc(64 * 1024 * kib, "GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n"));
  const leaving = await RawClient.connect(rig.port);
  leaving.send(get + get);
  await until(() => target.sockets.size === 2, { what: "both are being answered" });
  leaving.reset();
  await until(() => target.sockets.size === 1, { what: "the target hears that its visitor has left" });
  assert.ok(greedy.socket.writableLength > 32 * 1024 * kib, "most of it was not read");
  // What was not read hides that it leaves; so the deadline of the response ends it.
  greedy.close();
  await rig.quiet();
  await until(() => rig.serverLedger.live("visitor_socket") === 0, { what: "it is given up" });
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
