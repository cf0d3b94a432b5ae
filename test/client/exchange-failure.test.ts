// Exchanges that go wrong: which code the server gets, that nothing cut looks complete, and what is tried again.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { until } from "../support/until.ts";
import type { TargetConnection } from "./targets.ts";
import { portOf, RawTarget } from "./targets.ts";
import { Uplink } from "./uplink.ts";

const get = "GET / HTTP/1.1\nHost: demo.test";
const post = "POST / HTTP/1.1\nHost: demo.test\nContent-Length: 4";

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

/** Leaves one connection in the pool. */
async function warm(uplink: Uplink, target: RawTarget): Promise<TargetConnection> {
  const visit = uplink.visit(get);
  const connection = await target.next();
  await connection.head();
  connection.write("HTTP/1.1 204 No Content\n\n");
  await visit.over();
  await until(() => uplink.pool.idle === 1, { what: "the connection is idle" });
  return connection;
}

void test("a target that refuses", async () => {
  await using uplink = await Uplink.open({ target: `127.0.0.1:${await freePort()}` });
  const visit = await uplink.get("/");
  assert.equal(visit.reset, "target_refused");
  assert.equal(uplink.requests[0]?.outcome, "target_refused");
  assert.match(uplink.requests[0]?.failure ?? "", /ECONNREFUSED/);
});

void test("a target whose name does not exist", async () => {
  await using uplink = await Uplink.open({ target: "no-such-host.invalid:80" });
  const visit = await uplink.get("/");
  assert.equal(visit.reset, "target_unreachable");
});

void test("a connection that does not stand in time", async () => {
  await using target = await RawTarget.open();
  // It accepts, but never speaks TLS.
  await using uplink = await Uplink.open({ target: `https://${target.address}`, limits: { connectMs: 200 } });
  const visit = await uplink.get("/");
  assert.equal(visit.reset, "target_unreachable");
  assert.match(uplink.requests[0]?.failure ?? "", /within 0.2 s/);
});

void test("what is no HTTP response", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const rows = [
    "SSH-2.0-OpenSSH_9.2\n",
    "HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2\n\n",
    "HTTP/1.1 200 OK\nTransfer-Encoding: gzip\n\n",
    `HTTP/1.1 200 OK\n${"A: b\n".repeat(201)}\n`,
    `HTTP/1.1 200 OK\nA: ${"b".repeat(33_000)}`,
    "HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\n\n",
  ];
  for (const row of rows) {
    const visit = uplink.visit(get);
    const connection = await target.next();
    await connection.head();
    connection.write(row);
    await visit.over();
    assert.equal(visit.reset, "bad_target_response", row.slice(0, 50));
    assert.deepEqual(visit.heads, []);
    await connection.gone();
  }
  assert.ok(uplink.requests.every(({ outcome, failure }) => outcome === "bad_target_response" && failure !== ""));
});

void test("a target that ends before its head", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  for (const [begin, how] of [
    ["", "end"],
    ["", "reset"],
    ["HTTP/1.1 200 OK\nContent-", "end"],
    ["HTTP/1.1 103 Early Hints\n\n", "end"],
  ] as const) {
    const visit = uplink.visit(get);
    const connection = await target.next();
    await connection.head();
    if (begin !== "") connection.write(begin);
    if (how === "end") connection.socket.end();
    else connection.socket.resetAndDestroy();
    await visit.over();
    assert.equal(visit.reset, "bad_target_response");
    await connection.gone();
  }
});

void test("a target that ends in the middle of its body: the cut is told, never a clean end", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  for (const [head, how] of [
    ["Content-Length: 100", "end"],
    ["Content-Length: 100", "reset"],
    ["Transfer-Encoding: chunked", "end"],
    ["X: until the end", "reset"],
  ] as const) {
    const visit = uplink.visit(get);
    const connection = await target.next();
    await connection.head();
    connection.write(`HTTP/1.1 200 OK\n${head}\n\n5\nhello\n`);
    await until(() => visit.bodyBytes > 0, { what: "some of the body has arrived" });
    if (how === "end") connection.socket.end();
    else connection.socket.resetAndDestroy();
    await visit.over();
    assert.equal(visit.reset, "target_cut", `${head}, ${how}`);
    assert.equal(visit.ended, false);
  }
});

void test("a chunk that is none, after the head", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit(get);
  const connection = await target.next();
  await connection.head();
  connection.write("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\nnonsense\n");
  await visit.over();
  assert.equal(visit.reset, "target_cut");
});

void test("a reused connection that dies without a byte: repeated once, on a new one", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  for (const how of ["end", "reset"] as const) {
    const first = await warm(uplink, target);
    const visit = uplink.visit(get);
    await first.head();
    if (how === "end") first.socket.end();
    else first.socket.resetAndDestroy();
    const second = await target.next();
    assert.match(await second.head(), /^GET \/ /);
    second.write("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 2\n\nok");
    await visit.over();
    assert.equal(visit.body, "ok");
    await second.gone();
  }
  // And not twice.
  const first = await warm(uplink, target);
  const visit = uplink.visit(get);
  await first.head();
  first.socket.end();
  const second = await target.next();
  await second.head();
  second.socket.end();
  await visit.over();
  assert.equal(visit.reset, "bad_target_response");
});

void test("not repeated: after a byte of response, with a body, or a method that is not idempotent", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const rows = [
    { request: get, options: {}, byte: "H" },
    { request: post, options: { body: "length" }, byte: "" },
    { request: "POST / HTTP/1.1\nHost: demo.test\nContent-Length: 0", options: {}, byte: "" },
    { request: "PUT / HTTP/1.1\nHost: demo.test\nContent-Length: 4", options: { body: "length" }, byte: "" },
  ] as const;
  for (const { request, options, byte } of rows) {
    const connection = await warm(uplink, target);
    const visit = uplink.visit(request, options);
    await connection.head();
    if (byte !== "") {
      connection.write(byte);
      await until(() => uplink.held()["exchange"] === 1, { what: "the exchange is on" });
    }
    connection.socket.end();
    await visit.over();
    assert.equal(visit.reset, "bad_target_response", request);
    await connection.gone();
  }
});

void test("a request that may not be repeated takes no connection that has idled for long", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address, limits: { freshIdleMs: 0 } });
  const first = await warm(uplink, target);
  const visit = uplink.visit(post, { body: "length" });
  visit.stream?.sendData(Buffer.from("abcd"), "end");
  const second = await target.next();
  await second.read("abcd");
  second.write("HTTP/1.1 204 No Content\n\n");
  await visit.over();
  assert.equal(first.received, "");
});

void test("the visitor leaves: the target's connection goes at once", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  for (const begin of ["", "HTTP/1.1 200 OK\nContent-Length: 100\n\nsome"]) {
    const visit = uplink.visit(get);
    const connection = await target.next();
    await connection.head();
    if (begin !== "") {
      connection.write(begin);
      await until(() => visit.bodyBytes === 4, { what: "some has arrived" });
    }
    visit.stream?.reset("cancelled");
    await connection.gone();
  }
  assert.deepEqual(
    uplink.requests.map(({ outcome }) => outcome),
    ["visitor_abort", "visitor_abort"],
  );
});

void test("an upload that breaks off is never a complete request", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit("POST / HTTP/1.1\nHost: demo.test\nTransfer-Encoding: chunked", { body: "chunked" });
  const connection = await target.next();
  visit.stream?.sendData(Buffer.from("abc"), "more");
  await connection.read("abc\r\n");
  visit.stream?.reset("cancelled");
  await connection.gone();
  assert.equal(connection.received, "");
});

void test("the session is lost: every connection in use goes", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  uplink.visit(get);
  const connection = await target.next();
  await connection.head();
  uplink.server.terminate("shutdown");
  await connection.gone();
  assert.equal(uplink.requests[0]?.outcome, "client_lost");
});

void test("no response head in time, counted from the last byte of the request", async () => {
  await using target = await RawTarget.open();
  const limits = { responseHeadMs: 300, requestBodyIdleMs: 5000 };
  await using uplink = await Uplink.open({ target: target.address, limits });
  const visit = uplink.visit(post, { body: "length" });
  const connection = await target.next();
  visit.stream?.sendData(Buffer.from("ab"), "more");
  await connection.read("ab");
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal(visit.reset, undefined);
  visit.stream?.sendData(Buffer.from("cd"), "end");
  await connection.read("cd");
  connection.write("HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nX: unfini");
  await visit.over();
  assert.equal(visit.reset, "target_timeout");
  await connection.gone();
});

void test("a body that stalls, on either side", async () => {
  await using target = await RawTarget.open();
  const limits = { bodyIdleMs: 200, requestBodyIdleMs: 200 };
  await using uplink = await Uplink.open({ target: target.address, limits });
  const download = uplink.visit(get);
  const connection = await target.next();
  await connection.head();
  connection.write("HTTP/1.1 200 OK\nContent-Length: 100\n\nsome");
  await download.over();
  assert.equal(download.reset, "idle");
  await connection.gone();

  const upload = uplink.visit(post, { body: "length" });
  const second = await target.next();
  await second.head();
  await upload.over();
  assert.equal(upload.reset, "idle");
  await second.gone();

  const expecting = uplink.visit(post, { body: "length", expectContinue: true });
  await expecting.over();
  assert.equal(expecting.reset, "target_timeout");
});

void test("a private listener is refused even behind a name that nobody could know", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  // Checked again at the connection, because a name may lead anywhere.
  Object.defineProperty(uplink.pool.target, "forbiddenPorts", { value: [target.port] });
  const visit = await uplink.get("/");
  assert.equal(visit.reset, "target_unreachable");
  const connection = await target.next();
  await connection.gone();
  assert.equal(connection.received, "");
});

void test("bytes behind a bodiless request cut the exchange, and never reach the target", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit("GET / HTTP/1.1\nHost: demo.test\nConnection: Upgrade\nUpgrade: websocket", {
    upgrade: true,
  });
  const connection = await target.next();
  await connection.head();
  visit.stream?.sendData(Buffer.from("GET /smuggled HTTP/1.1\r\n\r\n"), "more");
  await visit.over();
  assert.equal(visit.reset, "internal");
  await connection.gone();
  assert.equal(connection.received, "");
});

void test("streams for a tunnel that does not exist", async () => {
  for (const kind of ["tcp", "tls"] as const) {
    await using uplink = await Uplink.open({ target: "127.0.0.1:1", kind });
    const visit = uplink.visit(get);
    await visit.over();
    assert.equal(visit.reset, "no_tunnel");
  }
});
