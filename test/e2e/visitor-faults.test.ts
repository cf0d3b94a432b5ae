// Visitors who leave: a thousand of them, before and in the middle of a response, by FIN and by reset. The target sees
// every one of them go within two seconds, no session suffers, and one address cannot do it without end.

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { RawTarget } from "../support/raw-target.ts";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

const sessions = ["demo", "two", "three", "four"];
const visitorsPerWave = 500;
const seenWithinMs = 2_000;
const manyVisitors = { maxVisitorsPerAddress: 2_000, maxVisitors: 2_000, maxAborts: 10_000 };

/** A target that answers /partial with a part of a body, and nothing else at all. */
function unfinished(socket: Socket): void {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    if (!text.endsWith("\r\n\r\n")) return;
    if (text.startsWith("GET /partial")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome bytes");
    text = "";
  });
}

for (const [when, path] of [
  ["before", "/silent"],
  ["in the middle of", "/partial"],
] as const) {
  test(`${visitorsPerWave} visitors over ${sessions.length} sessions leave ${when} a response`, async () => {
    await using target = await RawTarget.start(unfinished);
    await using rig = await Rig.start({ targetPort: target.port, serve: { limits: manyVisitors } });
    for (const name of sessions.slice(1)) await rig.connectAnother({ name });
    const visitors: RawClient[] = [];
    for (let n = 0; n < visitorsPerWave; n += 1) {
      const visitor = await RawClient.connect(rig.port);
      visitor.send(`GET ${path} HTTP/1.1\r\nHost: ${sessions[n % sessions.length]}.localhost\r\n\r\n`);
      visitors.push(visitor);
    }
    await until(() => target.sockets.size === visitorsPerWave, { what: "every request is at the target" });
    if (path === "/partial") for (const visitor of visitors) await visitor.receive("some bytes");

    for (const [n, visitor] of visitors.entries()) {
      if (n % 2 === 0) visitor.reset();
      else visitor.close();
    }
    await until(() => target.sockets.size === 0, {
      what: "the target sees every visitor leave",
      timeoutMs: seenWithinMs,
      detail: () => target.sockets.size,
    });
    await rig.quiet();
    assert.equal(rig.serverLedger.live("session"), sessions.length, "no session was closed for it");
    assert.equal(rig.serverLedger.live("visitor_socket"), 0);
    assert.equal(rig.clientLedger.live("local_socket"), 0, "an aborted connection is not kept");
  });
}

test("a visitor that ends its side in the middle of an exchange has left", async () => {
  await using target = await RawTarget.start(unfinished);
  await using rig = await Rig.start({ targetPort: target.port });
  const visitor = await RawClient.connect(rig.port);
  visitor.send("GET /partial HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
  await visitor.receive("some bytes");
  visitor.end();
  await until(() => target.sockets.size === 0, { what: "the target sees it", timeoutMs: seenWithinMs });
  visitor.close();
  await rig.quiet();
});

test("a visitor that leaves in the middle of its request never has it delivered as complete", async () => {
  const seen: string[] = [];
  const behaviour = (socket: Socket): void => {
    let text = "";
    socket.on("data", (chunk: Buffer) => void (text += chunk.toString("latin1")));
    socket.on("close", () => seen.push(text));
  };
  await using target = await RawTarget.start(behaviour);
  await using rig = await Rig.start({ targetPort: target.port });
  for (const framing of ["Content-Length: 20", "Transfer-Encoding: chunked"]) {
    for (const leave of ["end", "reset"] as const) {
      seen.length = 0;
      const visitor = await RawClient.connect(rig.port);
      visitor.send(`POST / HTTP/1.1\r\nHost: demo.localhost\r\n${framing}\r\n\r\n9\r\nhalf of i`);
      await until(() => target.sockets.size === 1, { what: "the request is at the target" });
      visitor[leave]();
      await until(() => seen.length === 1, { what: "the target sees it leave" });
      const [text = ""] = seen;
      assert.doesNotMatch(text, /\r\n0\r\n\r\n$/, "no last chunk");
      assert.ok(text.length - text.indexOf("\r\n\r\n") - 4 < 20, "not as many bytes as announced");
      visitor.close();
    }
  }
  await rig.quiet();
});

test("an upload that the target holds back, and whose visitor is gone, is given up in time", async () => {
  await using target = await RawTarget.start(() => undefined);
  await using rig = await Rig.start({ targetPort: target.port, serve: { limits: { requestIdleMs: 1_000 } } });
  const visitor = await RawClient.connect(rig.port);
  visitor.send("POST / HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: 1000000000\r\n\r\n");
  const piece = Buffer.alloc(1024 * 1024);
  let taken = -1;
  await until(
    async () => {
      if (visitor.socket.bytesWritten === taken) return true;
      taken = visitor.socket.bytesWritten;
      if (visitor.socket.writableLength < piece.length) visitor.socket.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return visitor.socket.writableLength > 8 * piece.length;
    },
    { what: "the upload stands" },
  );
  visitor.reset();
  await rig.quiet();
  assert.equal(rig.serverLedger.live("visitor_socket"), 0);
  assert.equal(rig.clientLedger.live("local_socket"), 0);
  for (const socket of target.sockets) socket.resume();
  assert.equal(rig.serverLedger.live("session"), 1);
});

test("an address that aborts without end is turned away for a while, and only that", async () => {
  await using target = await RawTarget.start(unfinished);
  const limits = { maxAborts: 5, abortWindowMs: 2_000 };
  await using rig = await Rig.start({ targetPort: target.port, serve: { limits } });
  for (let n = 0; n < limits.maxAborts; n += 1) {
    const visitor = await RawClient.connect(rig.port);
    visitor.send("GET /silent HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
    await until(() => target.sockets.size === 1, { what: "the request is at the target" });
    visitor.reset();
    await until(() => target.sockets.size === 0, { what: "it is gone" });
  }
  const blocked = await rig.fetch("/");
  assert.deepEqual(
    [blocked.status, blocked.headers["caisson-error"], blocked.headers["retry-after"]],
    [503, "overloaded", "1"],
  );
  assert.equal(rig.serverLedger.live("session"), 1);
  const patient = async (): Promise<boolean> => {
    const visitor = await RawClient.connect(rig.port);
    visitor.send("GET /partial HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
    const text = await visitor.receive("\r\n\r\n");
    visitor.close();
    return text.startsWith("HTTP/1.1 200 ");
  };
  await until(patient, { what: "the address may come back", timeoutMs: 30_000 });
});
