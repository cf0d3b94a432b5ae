// Visitors that ask faster than they read: they wait for themselves, hold up nobody else, and are given up in the end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RawClient } from "../support/raw-client.ts";
import { onHeads, RawTarget } from "../support/raw-target.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

const host = "Host: demo.localhost\r\n";
const get = `GET / HTTP/1.1\r\n${host}\r\n`;
const kib = 1024;

function fixedAnswer(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function answersIn(text: string): number {
  return text.match(/HTTP\/1\.1 200 OK/g)?.length ?? 0;
}

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
  const visitors = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(rig.port)));
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

void test("an upload that its target does not take ends with 504, and is not blamed on the visitor", async () => {
  await using target = await RawTarget.start((socket) => void socket.pause());
  await using rig = await Rig.start({ targetPort: target.port, serve: { limits: { requestIdleMs: 700 } } });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(`POST / HTTP/1.1\r\n${host}Content-Length: ${64 * 1024 * kib}\r\n\r\n`);
  visitor.send(Buffer.alloc(64 * 1024 * kib));
  await visitor.receive("\r\nCaisson-Error: target_timeout\r\n");
  assert.match(visitor.text, /^HTTP\/1\.1 504 /);
  await rig.quiet();
  visitor.close();
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
