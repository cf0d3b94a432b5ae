// Exchanges that go well: what the target gets and what comes back, and when a connection is used again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/until.ts";
import { RawTarget } from "./targets.ts";
import { Uplink } from "./uplink.ts";

const get = "GET /a?b HTTP/1.1\nHost: demo.test\nX-A: 1";

void test("a request arrives as it was sent, the response comes back as it was received", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit(get);
  const connection = await target.next();
  assert.equal(await connection.head(), "GET /a?b HTTP/1.1\r\nHost: demo.test\r\nX-A: 1\r\n\r\n");
  connection.write("HTTP/1.1 200 Fine\nset-Cookie: a\nSET-cookie: b\nContent-Length: 5\n\nhello");
  await visit.over();
  assert.deepEqual(visit.heads, ["HTTP/1.1 200 Fine\r\nset-Cookie: a\r\nSET-cookie: b\r\nContent-Length: 5\r\n\r\n"]);
  assert.equal(visit.body, "hello");
  assert.deepEqual(uplink.requests, [{ method: "GET", path: "/a?b", outcome: "ok", failure: "", status: 200 }]);
});

void test("the target sees another Host when asked to", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address, hostHeader: "rewrite" });
  const visit = uplink.visit(get);
  const connection = await target.next();
  assert.equal(await connection.head(), `GET /a?b HTTP/1.1\r\nHost: ${target.address}\r\nX-A: 1\r\n\r\n`);
  connection.write("HTTP/1.1 204 No Content\n\n");
  await visit.over();
});

void test("one connection carries many exchanges, one at a time", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const first = uplink.visit(get);
  const connection = await target.next();
  for (let n = 0; n < 5; n += 1) {
    const visit = n === 0 ? first : uplink.visit(get);
    await connection.head();
    connection.write(`HTTP/1.1 200 OK\nContent-Length: 1\n\n${n}`);
    await visit.over();
    assert.equal(visit.body, String(n));
    await until(() => uplink.pool.idle === 1, { what: "the connection is idle" });
  }
  const [a, b] = [uplink.visit(get), uplink.visit(get)];
  const second = await target.next();
  for (const used of [connection, second]) {
    await used.head();
    used.write("HTTP/1.1 204 No Content\n\n");
  }
  await a.over();
  await b.over();
  assert.equal(target.connections.length, 2);
  assert.equal(uplink.pool.idle, 2);
});

void test("bodies: by length and chunked, with trailers both ways", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const sized = uplink.visit("POST / HTTP/1.1\nHost: demo.test\nContent-Length: 10", { body: "length" });
  const connection = await target.next();
  sized.stream?.sendData(Buffer.from("01234"), "more");
  await connection.read("01234");
  sized.stream?.sendData(Buffer.from("56789"), "end");
  await connection.read("56789");
  connection.write("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\nX-Sum: 9\n\n");
  await sized.over();
  assert.equal(sized.body, "abc");
  assert.equal(sized.trailers, "X-Sum: 9\r\n");

  await until(() => uplink.pool.idle === 1, { what: "the connection is idle" });
  const chunked = uplink.visit("POST / HTTP/1.1\nHost: demo.test\nTransfer-Encoding: chunked", { body: "chunked" });
  await connection.head();
  chunked.stream?.sendData(Buffer.from("0123456789abcdef!"), "more");
  assert.equal(await connection.read("!\r\n"), "11\r\n0123456789abcdef!\r\n");
  chunked.stream?.sendTrailers(Buffer.from("X-T: 1\r\n"));
  assert.equal(await connection.head(), "0\r\nX-T: 1\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\nContent-Length: 0\n\n");
  await chunked.over();

  await until(() => uplink.pool.idle === 1, { what: "the connection is idle" });
  const empty = uplink.visit("POST / HTTP/1.1\nHost: demo.test\nTransfer-Encoding: chunked", { body: "chunked" });
  empty.stream?.sendData(Buffer.alloc(0), "end");
  await connection.head();
  assert.equal(await connection.head(), "0\r\n\r\n");
  connection.write("HTTP/1.1 200 OK\nContent-Length: 0\n\n");
  await empty.over();
  assert.equal(target.connections.length, 1);
});

void test("a body until the end of the connection ends cleanly, and the connection with it", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit(get);
  const connection = await target.next();
  await connection.head();
  connection.write("HTTP/1.0 200 OK\n\nabc");
  await until(() => visit.bodyBytes === 3, { what: "the body has arrived" });
  assert.equal(visit.ended, false);
  connection.socket.end("def");
  await visit.over();
  assert.equal(visit.body, "abcdef");
  assert.equal(visit.reset, undefined);
  await connection.gone();
  assert.equal(uplink.pool.idle, 0);
});

void test("informational heads are forwarded as they come, 100-continue among them", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit("POST / HTTP/1.1\nHost: demo.test\nExpect: 100-continue\nContent-Length: 2", {
    body: "length",
    expectContinue: true,
  });
  const connection = await target.next();
  assert.match(await connection.head(), /Expect: 100-continue/);
  connection.write("HTTP/1.1 100 Continue\n\n");
  await until(() => visit.heads.length === 1, { what: "100 has arrived" });
  visit.stream?.sendData(Buffer.from("hi"), "end");
  await connection.read("hi");
  connection.write("HTTP/1.1 103 Early Hints\nLink: </x>\n\nHTTP/1.1 200 OK\nContent-Length: 0\n\n");
  await visit.over();
  assert.deepEqual(
    visit.heads.map((head) => head.slice(9, 12)),
    ["100", "103", "200"],
  );
});

void test("HEAD, 204 and 304 have no body whatever they say", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const rows = [
    ["HEAD / HTTP/1.1\nHost: demo.test", "HTTP/1.1 200 OK\nContent-Length: 1000\n\n"],
    ["GET / HTTP/1.1\nHost: demo.test", "HTTP/1.1 204 No Content\n\n"],
    ["GET / HTTP/1.1\nHost: demo.test", "HTTP/1.1 304 Not Modified\nContent-Length: 1000\n\n"],
  ] as const;
  for (const [request, response] of rows) {
    const visit = uplink.visit(request);
    const connection = target.connections[0] ?? (await target.next());
    await connection.head();
    connection.write(response);
    await visit.over();
    assert.equal(visit.head, response.replaceAll("\n", "\r\n"));
    assert.equal(visit.bodyBytes, 0);
    await until(() => uplink.pool.idle === 1, { what: "the connection is idle" });
  }
  assert.equal(target.connections.length, 1);
});

void test("a connection is not used again after: a wish to close, bytes behind the response, a shorter Keep-Alive", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const rows = [
    "HTTP/1.1 200 OK\nConnection: close\nContent-Length: 1\n\na",
    "HTTP/1.0 200 OK\nContent-Length: 1\n\na",
    "HTTP/1.1 200 OK\nContent-Length: 1\n\naHTTP/1.1 200 OK\nContent-Length: 6\n\nforged",
    "HTTP/1.1 200 OK\nKeep-Alive: timeout=0\nContent-Length: 1\n\na",
  ];
  for (const row of rows) {
    const visit = uplink.visit(get);
    const connection = await target.next();
    await connection.head();
    connection.write(row);
    await visit.over();
    assert.equal(visit.body, "a");
    await connection.gone();
    assert.equal(uplink.pool.idle, 0);
  }
});

void test("bytes on an idle connection, or its end, take it out of the pool", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  for (const spoil of ["HTTP/1.1 408 Request Timeout\n\n", undefined]) {
    const visit = uplink.visit(get);
    const connection = await target.next();
    await connection.head();
    connection.write("HTTP/1.1 204 No Content\n\n");
    await visit.over();
    await until(() => uplink.pool.idle === 1, { what: "the connection is idle" });
    if (spoil === undefined) connection.socket.end();
    else connection.write(spoil);
    await until(() => uplink.pool.idle === 0, { what: "the connection has left the pool" });
    await connection.gone();
  }
});

void test("idle connections are closed in time, and the pool keeps no more than it may", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address, limits: { poolIdleMs: 200, poolSize: 2 } });
  const visits = [1, 2, 3].map(() => uplink.visit(get));
  const connections = [await target.next(), await target.next(), await target.next()];
  for (const connection of connections) {
    await connection.head();
    connection.write("HTTP/1.1 204 No Content\n\n");
  }
  for (const visit of visits) await visit.over();
  await until(() => target.connections.filter(({ closed }) => !closed).length === 2, { what: "one has given way" });
  await until(() => uplink.pool.live.size === 0, { what: "all have been idle for too long" });
  assert.deepEqual(uplink.held()["local_socket"], 0);
});

void test("as many requests as a server may send at once open their connections once", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const crowd = 300;
  for (let wave = 0; wave < 3; wave += 1) {
    const visits = Array.from({ length: crowd }, () => uplink.visit(get));
    await until(() => uplink.pool.idle === 0 && target.connections.length === crowd, { what: "each has a connection" });
    for (const connection of target.connections) {
      await connection.head();
      connection.write("HTTP/1.1 204 No Content\n\n");
    }
    for (const visit of visits) await visit.over();
    await until(() => uplink.pool.idle === crowd, { what: "all connections idle" });
  }
  assert.equal(target.connections.length, crowd);
});

void test("an early response is complete, and ends the connection and what is left of the request", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit("POST / HTTP/1.1\nHost: demo.test\nContent-Length: 1000", { body: "length" });
  const connection = await target.next();
  visit.stream?.sendData(Buffer.alloc(10, "x"), "more");
  await connection.read("xxxxxxxxxx");
  connection.write("HTTP/1.1 413 Too Large\nContent-Length: 3\n\nbig");
  await visit.over();
  assert.equal(visit.status, 413);
  assert.equal(visit.body, "big");
  assert.equal(visit.reset, undefined);
  await connection.gone();
  // What still comes is taken and dropped until the server ends its half.
  visit.stream?.sendData(Buffer.alloc(40_000), "more");
  visit.stream?.sendData(Buffer.alloc(60_000), "end");
  await until(() => uplink.ledger.live("stream") === 0, { what: "the stream is over" });
});

void test("an early response may take a while, with the request still flowing", async () => {
  await using target = await RawTarget.open();
  await using uplink = await Uplink.open({ target: target.address });
  const visit = uplink.visit("POST / HTTP/1.1\nHost: demo.test\nTransfer-Encoding: chunked", { body: "chunked" });
  const connection = await target.next();
  await connection.head();
  connection.write("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n");
  await until(() => visit.heads.length === 1, { what: "the head has arrived" });
  for (const word of ["one", "two", "three"]) {
    visit.stream?.sendData(Buffer.from(word), "more");
    await connection.read(`${word}\r\n`);
    connection.write(`${word.length}\n${word}\n`);
    await until(() => visit.body.endsWith(word), { what: `${word} has come back` });
  }
  visit.stream?.sendData(Buffer.alloc(0), "end");
  await connection.read("0\r\n\r\n");
  connection.write("0\n\n");
  await visit.over();
  assert.equal(visit.body, "onetwothree");
  await until(() => uplink.pool.idle === 1, { what: "the connection is idle" });
});
