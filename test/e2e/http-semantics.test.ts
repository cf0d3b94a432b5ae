// Whatever RFC 9110 and 9112 allow passes through the tunnel as it does directly.

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";

const host = "Host: demo.localhost\r\n";

/** A target that answers every request with fixed bytes as soon as it saw the end of a request head. */
async function rawTarget(
  answer: (request: string, socket: Socket) => void,
): Promise<{ port: number; seen: string[]; close: () => Promise<void> }> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = "";
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      seen.push(text);
      const request = text;
      text = "";
      answer(request, socket);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, seen, close };
}

test("methods, paths, fields and bodies arrive as they were sent", async () => {
  const echo = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => void chunks.push(chunk));
    request.on("end", () => {
      const { method, url, rawHeaders } = request;
      response.setHeader("Set-Cookie", ["a=1", "b=2"]);
      response.end(JSON.stringify({ method, url, rawHeaders, body: Buffer.concat(chunks).toString() }));
    });
  };
  await using rig = await Rig.start({ target: echo });
  const path = "/a%2Fb%20c/%C3%A4;p?q=%41&x=a+b&empty=&%zz";
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
    const body = method === "GET" ? "" : "some body";
    const answer = await rig.fetch(path, { method, body, headers: { "X-Mixed-Case": "Yes", "x-order": "2" } });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.headers["set-cookie"], ["a=1", "b=2"]);
    const seen = JSON.parse(answer.body) as { method: string; url: string; rawHeaders: string[]; body: string };
    assert.equal(seen.method, method);
    assert.equal(seen.url, path);
    assert.equal(seen.body, body);
    assert.equal(seen.rawHeaders[seen.rawHeaders.indexOf("X-Mixed-Case") + 1], "Yes");
    assert.ok(seen.rawHeaders.indexOf("X-Mixed-Case") < seen.rawHeaders.indexOf("x-order"));
    assert.equal(seen.rawHeaders[seen.rawHeaders.indexOf("X-Forwarded-For") + 1], "127.0.0.1");
    assert.ok(seen.rawHeaders.includes("Via"));
  }
});

test("HEAD, 204 and 304 have fields but no body, and the connection persists", async () => {
  await using rig = await Rig.start({
    target: (request, response) => {
      if (request.url === "/204") response.writeHead(204).end();
      else if (request.url === "/304") response.writeHead(304, { ETag: '"x"' }).end();
      else response.writeHead(200, { "Content-Length": 5 }).end(request.method === "HEAD" ? "" : "hello");
    },
  });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(
    `HEAD / HTTP/1.1\r\n${host}\r\nGET /204 HTTP/1.1\r\n${host}\r\nGET /304 HTTP/1.1\r\n${host}\r\nGET / HTTP/1.1\r\n${host}\r\n`,
  );
  const text = await visitor.receive("hello");
  assert.deepEqual(
    [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]),
    ["200", "204", "304", "200"],
  );
  assert.equal(text.split("\r\n\r\n").length, 5, "four heads and one body");
  visitor.close();
});

test("pipelined requests are answered in order", async () => {
  await using rig = await Rig.start({
    target: (request, response) => {
      const slow = request.url === "/0";
      setTimeout(() => response.end(`<${request.url}>`), slow ? 50 : 0);
    },
  });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(Array.from({ length: 20 }, (_, n) => `GET /${n} HTTP/1.1\r\n${host}\r\n`).join(""));
  const text = await visitor.receive("</19>");
  assert.deepEqual(
    [...text.matchAll(/<\/(\d+)>/g)].map((match) => Number(match[1])),
    Array.from({ length: 20 }, (_, n) => n),
  );
  visitor.close();
});

test("a request in 1-byte pieces, with a chunked body and trailers, arrives whole", async () => {
  await using rig = await Rig.start({
    target: (request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => void (body += text));
      request.on("end", () => {
        response.writeHead(200, { Trailer: "X-Sum" });
        response.write("got:");
        response.addTrailers({ "X-Sum": "7", "X-In": String(request.trailers["x-in"]) });
        response.end(body);
      });
    },
  });
  const visitor = await RawClient.connect(rig.port);
  const bytes = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTrailer: X-In\r\n\r\n5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-In: yes\r\nContent-Length: 9\r\n\r\n`;
  for (const byte of bytes) visitor.send(byte);
  const text = await visitor.receive("X-Sum: 7\r\n");
  assert.match(text, /^HTTP\/1\.1 200/);
  assert.match(text, /X-In: yes\r\n/);
  assert.ok(text.includes("hello world"));
  visitor.close();
});

test("Expect: 100-continue waits for the target's 100, and a refusal saves the body", async () => {
  await using rig = await Rig.start({
    target: (request, response) => {
      request.resume();
      request.on("end", () => response.end("thanks"));
    },
  });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(`POST / HTTP/1.1\r\n${host}Content-Length: 4\r\nExpect: 100-continue\r\n\r\n`);
  await visitor.receive("HTTP/1.1 100 Continue\r\n\r\n");
  visitor.send("body");
  await visitor.receive("thanks");
  visitor.close();
});

test("1xx heads are passed on to HTTP/1.1 visitors, and kept from HTTP/1.0 ones", async () => {
  const target = await rawTarget((_, socket) =>
    socket.write("HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  );
  {
    await using rig = await Rig.start({ targetPort: target.port });
    const visitor = await RawClient.connect(rig.port);
    visitor.send(`GET / HTTP/1.1\r\n${host}\r\n`);
    assert.match(
      await visitor.receive("\r\n\r\nok"),
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/s.css>\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
    visitor.close();
    const old = await RawClient.connect(rig.port);
    old.send(`GET / HTTP/1.0\r\n${host}\r\n`);
    const text = await old.receive("\r\n\r\nok");
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(await old.ended(), "fin");
    old.close();
  }
  await target.close();
});

test("an HTTP/1.0 visitor without Host reaches the catch-all; a body of unknown length ends with the connection", async () => {
  await using rig = await Rig.start({
    target: (_, response) => {
      response.write("part one, ");
      setImmediate(() => response.end("part two"));
    },
  });
  const visitor = await RawClient.connect(rig.port);
  visitor.send("GET / HTTP/1.0\r\n\r\n");
  assert.equal(await visitor.ended(), "fin");
  assert.match(visitor.text, /\r\n\r\npart one, part two$/);
  assert.doesNotMatch(visitor.text, /chunked/i);
  visitor.close();
});

test("HTTP/1.0 keep-alive is honoured when the length is known", async () => {
  await using rig = await Rig.start({
    target: (_, response) => void response.writeHead(200, { "Content-Length": 2 }).end("ok"),
  });
  const visitor = await RawClient.connect(rig.port);
  const request = `GET / HTTP/1.0\r\n${host}Connection: keep-alive\r\n\r\n`;
  visitor.send(request);
  await visitor.receive("\r\n\r\nok");
  assert.match(visitor.text, /Connection: keep-alive/i);
  visitor.send(request);
  await visitor.receive("ok", 5_000);
  visitor.close();
});

test("a response delimited by the target's close is complete, and chunked for HTTP/1.1 visitors", async () => {
  const target = await rawTarget((_, socket) =>
    socket.end("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end"),
  );
  {
    await using rig = await Rig.start({ targetPort: target.port });
    const answer = await rig.fetch("/");
    assert.equal(answer.body, "until the end");
    assert.equal(answer.headers["transfer-encoding"], "chunked");
  }
  await target.close();
});

test("an early final response reaches the visitor while its body still flows", async () => {
  const target = await rawTarget((_, socket) =>
    socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop"),
  );
  {
    await using rig = await Rig.start({ targetPort: target.port });
    const visitor = await RawClient.connect(rig.port);
    visitor.send(`POST / HTTP/1.1\r\n${host}Content-Length: 1000000\r\n\r\nfirst bytes`);
    await visitor.receive("\r\n\r\nstop");
    assert.match(visitor.text, /^HTTP\/1\.1 413/);
    assert.match(visitor.text, /Connection: close/i);
    visitor.send("more that nobody wants");
    assert.equal(await visitor.ended(), "fin");
    visitor.close();
  }
  await target.close();
});

test("absolute-form goes to the tunnel of its authority, in origin-form", async () => {
  await using rig = await Rig.start({
    target: (request, response) => response.end(`${request.url} ${request.headers.host}`),
  });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(`GET http://demo.localhost/x?y HTTP/1.1\r\nHost: other.localhost\r\nConnection: close\r\n\r\n`);
  await visitor.ended();
  assert.match(visitor.text, /\/x\?y demo\.localhost/);
  visitor.close();
});

test("hop-by-hop fields and those that Connection names stay behind; forged ones are replaced", async () => {
  const target = await rawTarget((_, socket) =>
    socket.write(
      "HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nCaisson-Error: forged\r\nX-Kept: yes\r\nContent-Length: 0\r\n\r\n",
    ),
  );
  {
    await using rig = await Rig.start({ targetPort: target.port });
    const visitor = await RawClient.connect(rig.port);
    visitor.send(
      `GET / HTTP/1.1\r\n${host}Connection: close, X-Private\r\nX-Private: 1\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n` +
        "X-Real-IP: 6.6.6.6\r\nCaisson-Anything: 1\r\nProxy-Connection: x\r\nX-Kept: yes\r\n\r\n",
    );
    await visitor.ended();
    assert.match(visitor.text, /X-Kept: yes/);
    assert.doesNotMatch(visitor.text, /X-Hop|Keep-Alive|forged/i);
    const [request = ""] = target.seen;
    assert.match(request, /X-Kept: yes/);
    assert.match(request, /X-Forwarded-For: 127\.0\.0\.1\r\n/);
    assert.doesNotMatch(request, /X-Private|6\.6\.6\.6|Caisson-Anything|Proxy-Connection/i);
    visitor.close();
  }
  await target.close();
});

test("a request that passed this server before is refused as a loop", async () => {
  await using rig = await Rig.start({ target: (request, response) => response.end(String(request.headers.via)) });
  const via = (await rig.fetch("/")).body;
  const again = await rig.fetch("/", { headers: { Via: `1.1 elsewhere, ${via}` } });
  assert.equal(again.status, 508);
  assert.equal(again.headers["caisson-error"], "bad_request");
});

test("conditional and range requests pass unchanged", async () => {
  await using rig = await Rig.start({
    target: (request, response) => {
      if (request.headers["if-none-match"] === '"v1"') response.writeHead(304, { ETag: '"v1"' }).end();
      else if (request.headers.range === "bytes=2-4")
        response.writeHead(206, { "Content-Range": "bytes 2-4/10" }).end("234");
      else response.end("0123456789");
    },
  });
  assert.equal((await rig.fetch("/", { headers: { "If-None-Match": '"v1"' } })).status, 304);
  const part = await rig.fetch("/", { headers: { Range: "bytes=2-4" } });
  assert.deepEqual([part.status, part.body, part.headers["content-range"]], [206, "234", "bytes 2-4/10"]);
});

test("unknown names, own hosts and the base pages", async () => {
  await using rig = await Rig.start({ serve: { catchAll: undefined } as object });
  const unknown = await rig.fetch("/", { headers: { host: "nobody.localhost" } });
  assert.deepEqual([unknown.status, unknown.headers["caisson-error"]], [404, "no_tunnel"]);
  const own = await rig.fetch("/", { headers: { host: "localhost" } });
  assert.equal(own.status, 200);
  assert.match(own.body, /Caisson server/);
  assert.equal((await rig.fetch("/_caisson/connect", { headers: { host: "127.0.0.1" } })).status, 426);
  assert.equal((await rig.fetch("/else", { headers: { host: "localhost" } })).status, 404);
  const page = await rig.fetch("/", { headers: { host: "nobody.localhost", accept: "text/html" } });
  assert.match(page.body, /<!doctype html>/);
});
