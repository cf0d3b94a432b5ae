// Every way in which an exchange can end, as spans tell of it on both sides: the error.type that the visitor was told, and
// no span left open. The rig's ledgers count spans like every other resource.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, RequestListener } from "node:http";
import { request } from "node:http";
import { connect as connectSocket } from "node:net";
import { test } from "node:test";
import { api } from "@opentelemetry/sdk-node";
import type { RigOptions } from "../support/rig.ts";
import { deferred } from "../support/rig.ts";
import { RecordedSpans } from "../support/recorded-spans.ts";
import { RawTarget } from "../support/raw-target.ts";
import { tracedRigs } from "../support/traced-rig.ts";
import { until } from "../support/until.ts";

const recorded = RecordedSpans.register();
const onRig = tracedRigs(recorded);
const { ERROR, UNSET } = api.SpanStatusCode;

/** The error.type and the status of both spans. */
async function endings(): Promise<{ server: unknown[]; client: unknown[] }> {
  const [server, client] = [await recorded.server(), await recorded.client()];
  assert.equal(client.parentSpanContext?.spanId, server.spanContext().spanId);
  assert.equal(client.spanContext().traceId, server.spanContext().traceId);
  return {
    server: [server.attributes["error.type"], server.status.code],
    client: [client.attributes["error.type"], client.status.code],
  };
}

test("a good exchange: phases as children, sizes, links to the sessions, no error", async () => {
  await onRig({}, async (rig) => {
    await rig.fetch("/good", { method: "POST", body: "12345" });
    await rig.quiet();
    const [server, client] = [await recorded.server(), await recorded.client()];
    assert.deepEqual(recorded.childrenOf(server).toSorted(), ["POST", "body", "first byte", "wait for stream"]);
    assert.deepEqual(
      client.events.map(({ name }) => name),
      ["first byte"],
    );
    assert.equal(server.attributes["http.request.body.size"], 5);
    assert.equal(server.attributes["http.response.status_code"], 200);
    for (const span of [server, client]) {
      assert.equal(span.attributes["error.type"], undefined);
      assert.equal(span.status.code, UNSET);
      assert.equal(span.name, "POST");
      const [link] = span.links;
      const session = recorded.ended.find((other) => other.spanContext().spanId === link?.context.spanId);
      assert.equal(session?.name, "session connect");
    }
  });
});

const listeners: readonly (readonly [what: string, target: RequestListener, client: string, server: string])[] = [
  ["the target answers 500", (_, response) => void response.writeHead(500).end(), "500", "500"],
  ["the target hangs up", (incoming) => void incoming.socket.destroy(), "bad_target_response", "bad_target_response"],
  [
    "the target cuts its body",
    (incoming, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("beginning", () => incoming.socket.destroy());
    },
    "target_cut",
    "bad_target_response",
  ],
];
for (const [what, target, client, server] of listeners) {
  test(what, async () => {
    await onRig({ target }, async (rig) => {
      await rig.fetch("/").catch(() => undefined);
      await rig.quiet();
      assert.deepEqual(await endings(), { server: [server, ERROR], client: [client, ERROR] });
    });
  });
}

test("the target answers 404: no error of the server's, one of the call", async () => {
  await onRig({ target: (_, response) => void response.writeHead(404).end() }, async (rig) => {
    await rig.fetch("/");
    assert.deepEqual(await endings(), { server: [undefined, UNSET], client: ["404", ERROR] });
  });
});

test("the target refuses", async () => {
  await onRig({ targetPort: 1 }, async (rig) => {
    assert.equal((await rig.fetch("/")).headers["caisson-error"], "target_refused");
    assert.deepEqual(await endings(), { server: ["target_refused", ERROR], client: ["target_refused", ERROR] });
  });
});

test("the target says nonsense", async () => {
  await using target = await RawTarget.start((socket) => void socket.resume().write("nonsense\r\n\r\n"));
  await onRig({ targetPort: target.port }, async (rig) => {
    assert.equal((await rig.fetch("/")).headers["caisson-error"], "bad_target_response");
    const expected = ["bad_target_response", ERROR];
    assert.deepEqual(await endings(), { server: expected, client: expected });
  });
});

test("the target takes too long", async () => {
  const options: RigOptions = { target: () => undefined, connect: { limits: { responseHeadMs: 200 } } };
  await onRig(options, async (rig) => {
    assert.equal((await rig.fetch("/")).headers["caisson-error"], "target_timeout");
    assert.deepEqual(await endings(), { server: ["target_timeout", ERROR], client: ["target_timeout", ERROR] });
  });
});

test("the visitor leaves before the answer, and in the middle of it", async () => {
  for (const begun of [false, true]) {
    const arrived = deferred<void>();
    const target: RequestListener = (_, response) => {
      if (begun) response.write("beginning");
      arrived.resolve();
    };
    await onRig({ target }, async (rig) => {
      const visitor = connectSocket(rig.port, "127.0.0.1");
      visitor.on("error", () => undefined);
      visitor.write("GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
      await arrived.promise;
      if (begun) await once(visitor, "data");
      visitor.destroy();
      await rig.quiet();
      assert.deepEqual(await endings(), { server: ["visitor_abort", UNSET], client: ["visitor_abort", UNSET] });
    });
  }
});

test("there is no such tunnel: one span, which never reached a stream", async () => {
  await onRig({ serve: { catchAll: "other" } }, async (rig) => {
    const answer = await rig.fetch("/", { headers: { host: "nobody.localhost" } });
    assert.equal(answer.headers["caisson-error"], "no_tunnel");
    const server = await recorded.server();
    assert.equal(server.attributes["error.type"], "no_tunnel");
    assert.equal(server.attributes["http.response.status_code"], 404);
    assert.deepEqual(recorded.childrenOf(server), ["wait for stream"]);
  });
});

test("the client is lost", async () => {
  const arrived = deferred<void>();
  await onRig({ target: () => arrived.resolve() }, async (rig) => {
    const answer = rig.fetch("/");
    await arrived.promise;
    await rig.tunnel.close({ force: true });
    assert.notEqual((await answer).headers["caisson-error"], undefined);
    const server = await recorded.server();
    assert.equal(server.attributes["error.type"], (await answer).headers["caisson-error"]);
    assert.notEqual((await recorded.client()).attributes["error.type"], undefined);
  });
});

test("a malformed body ends the spans that its head had begun", async () => {
  await onRig({ target: (incoming) => void incoming.resume() }, async (rig) => {
    const visitor = connectSocket(rig.port, "127.0.0.1");
    visitor.write("POST / HTTP/1.1\r\nHost: demo.localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    await until(() => rig.clientLedger.live("exchange") === 1, { what: "the request has arrived" });
    visitor.write("nonsense\r\n");
    await once(visitor, "data");
    visitor.destroy();
    await rig.quiet();
    const server = await recorded.server();
    assert.equal(server.attributes["error.type"], "bad_request");
    assert.equal(server.status.code, UNSET);
  });
});

test("a server that closes by force ends every span", async () => {
  const arrived = deferred<void>();
  await onRig({ target: () => arrived.resolve() }, async (rig) => {
    const answer = rig.fetch("/").catch(() => undefined);
    await arrived.promise;
    await rig.server.close({ force: true });
    await answer;
    assert.notEqual((await recorded.server()).attributes["error.type"], undefined);
    await recorded.span("drain", ({ name }) => name === "drain");
  });
});

test("a WebSocket is one span for its upgrade and one at its end", async () => {
  const { WebSocket, WebSocketServer } = await import("ws");
  const echo = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(echo, "listening");
  echo.on("connection", (socket) => void socket.on("message", (data) => socket.send(data)));
  const { port } = echo.address() as { port: number };
  await onRig({ targetPort: port }, async (rig) => {
    const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/socket`, { headers: { host: "demo.localhost" } });
    await once(socket, "open");
    const [server, client] = [await recorded.server(), await recorded.client()];
    for (const span of [server, client]) {
      assert.equal(span.attributes["http.response.status_code"], 101);
      assert.equal(span.attributes["error.type"], undefined);
    }
    // Nothing is open while the pipe is.
    assert.equal(rig.serverLedger.live("span"), 0);
    assert.equal(rig.clientLedger.live("span"), 0);
    socket.send("hello");
    await once(socket, "message");
    socket.close();
    await once(socket, "close");
    await rig.quiet();
    const ofServer = recorded.ended.filter((span) => span.name === "pipe");
    assert.equal(ofServer.length, 2);
    for (const pipe of ofServer) {
      assert.ok([server, client].some((span) => span.spanContext().spanId === pipe.parentSpanContext?.spanId));
      assert.ok(Number(pipe.attributes["caisson.bytes_in"]) > 0);
      assert.equal(pipe.status.code, UNSET);
    }
  });
  await new Promise<void>((resolve) => echo.close(() => resolve()));
});

test("a refused login is a span", async () => {
  await onRig({}, async (rig) => {
    const refused = request({
      host: "127.0.0.1",
      port: rig.port,
      path: "/_caisson/connect",
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        origin: "http://elsewhere.example",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
      },
    });
    const answered = once(refused, "response") as Promise<[IncomingMessage]>;
    refused.end();
    const [response] = await answered;
    assert.equal(response.statusCode, 403);
    response.resume();
    const span = await recorded.span("refused", ({ name }) => name === "session refuse");
    assert.equal(span.attributes["error.type"], "origin");
  });
});
