// Raw bytes: upgraded exchanges and TCP visitors, with each direction ending by itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/until.ts";
import { RawTarget } from "./targets.ts";
import { Uplink } from "./uplink.ts";

const upgrade = "GET /ws HTTP/1.1\nHost: demo.test\nConnection: Upgrade\nUpgrade: websocket";
const switching = "HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\n\n";

void test("an upgrade becomes a pipe; what came with the 101 is not lost", async () => {
  await using target = await RawTarget.open({ allowHalfOpen: true });
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit(upgrade, { upgrade: true });
  const connection = await target.next();
  assert.match(await connection.head(), /Upgrade: websocket/);
  connection.write(`${switching}early`);
  await until(() => visit.body === "early", { what: "the first bytes have arrived" });
  assert.deepEqual(visit.heads, [switching.replaceAll("\n", "\r\n")]);
  assert.deepEqual(uplink.requests, [{ method: "GET", path: "/ws", outcome: "ok", failure: "", status: 101 }]);
  assert.equal(uplink.held()["pipe"], 1);
  assert.equal(uplink.held()["exchange"], 0);
  visit.stream?.sendData(Buffer.from("ping"), "more");
  await connection.read("ping");
  connection.write("pong");
  await until(() => visit.body === "earlypong", { what: "the answer has arrived" });
  // One direction ends, the other goes on.
  visit.stream?.sendData(Buffer.from("bye"), "end");
  await connection.read("bye");
  await until(() => connection.ended, { what: "the target sees the end" });
  connection.write("still here");
  await until(() => visit.body.endsWith("still here"), { what: "the other direction works" });
  connection.socket.end();
  await visit.over();
  await until(() => uplink.held()["local_socket"] === 0, { what: "the connection is gone" });
});

void test("an upgrade that is declined is an exchange like any other", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit(upgrade, { upgrade: true });
  const connection = await target.next();
  await connection.head();
  connection.write("HTTP/1.1 426 Upgrade Required\nContent-Length: 2\n\nno");
  await visit.over();
  assert.equal(visit.body, "no");
  visit.stream?.sendData(Buffer.alloc(0), "end");
  await connection.gone();
  await until(() => uplink.ledger.live("stream") === 0, { what: "the stream is over" });
});

void test("either side cuts a pipe, and the other one sees it", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  for (const who of ["target", "visitor"] as const) {
    const visit = uplink.visit(upgrade, { upgrade: true });
    const connection = await target.next();
    await connection.head();
    connection.write(switching);
    await until(() => uplink.held()["pipe"] === 1, { what: "the pipe stands" });
    if (who === "target") connection.socket.resetAndDestroy();
    else visit.stream?.reset("cancelled");
    if (who === "target") await visit.over();
    else await connection.gone();
    await until(() => uplink.held()["local_socket"] === 0, { what: "the connection is gone" });
  }
});

void test("a pipe on which nothing moves is cut", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address, limits: { pipeIdleMs: 200 } });
  const visit = uplink.visit(upgrade, { upgrade: true });
  const connection = await target.next();
  await connection.head();
  connection.write(switching);
  await visit.over();
  assert.equal(visit.reset, "idle");
  await connection.gone();
});

void test("a TCP visitor: what it sends before the target stands is kept in order", async () => {
  await using target = await RawTarget.open({ allowHalfOpen: true });
  await using uplink = await Uplink.open({ target: target.address, kind: "tcp" });
  const visit = uplink.pipe();
  visit.stream?.sendData(Buffer.from("one,"), "more");
  visit.stream?.sendData(Buffer.from("two,"), "more");
  const connection = await target.next();
  await connection.read("one,two,");
  visit.stream?.sendData(Buffer.from("three"), "end");
  await connection.read("three");
  await until(() => connection.ended, { what: "the target sees the end" });
  connection.socket.end("answer");
  await visit.over();
  assert.equal(visit.body, "answer");
  await until(() => uplink.held()["local_socket"] === 0, { what: "the connection is gone" });
});

void test("a TCP visitor that says everything at once, or nothing, and closes", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address, kind: "tcp" });
  for (const text of ["all of it", ""]) {
    const visit = uplink.pipe();
    visit.stream?.sendData(Buffer.from(text), "end");
    const connection = await target.next();
    await connection.gone();
    assert.equal(connection.received, text);
    await visit.over();
    assert.equal(visit.reset, undefined);
  }
});

void test("a TCP target that refuses, and a visitor that leaves before it stands", async () => {
  await using target = await RawTarget.open();
  const { port } = target;
  await using uplink = await Uplink.open({ target: `127.0.0.1:${port}`, kind: "tcp" });
  const leaver = uplink.pipe();
  await until(() => uplink.pool.live.size === 1, { what: "it connects" });
  leaver.stream?.reset("cancelled");
  await until(() => uplink.pool.live.size === 0, { what: "the connection is gone" });
  await target.close();
  const visit = await uplink.pipe().over();
  assert.equal(visit.reset, "target_refused");
});

void test("an exchange on a TCP tunnel, and a pipe on an HTTP one, are refused", async () => {
  await using uplink = await Uplink.open({ target: "127.0.0.1:1" });
  const visit = await uplink.pipe().over();
  assert.equal(visit.reset, "no_tunnel");
});
