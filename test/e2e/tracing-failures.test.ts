// Failures that need a broken network, a full server or much patience, as spans tell of them on both sides: each ends its
// span once, with the error.type that the visitor was told, and those that are nobody's fault set no error.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { test } from "node:test";
import { api } from "@opentelemetry/sdk-node";
import { RawClient } from "../support/raw-client.ts";
import { RawTarget } from "../support/raw-target.ts";
import type { RecordedSpan } from "../support/recorded-spans.ts";
import { RecordedSpans } from "../support/recorded-spans.ts";
import type { Rig, RigOptions } from "../support/rig.ts";
import { deferred } from "../support/rig.ts";
import { StuckListener } from "../support/stuck-listener.ts";
import { tracedRigs } from "../support/traced-rig.ts";
import { until } from "../support/until.ts";

const recorded = RecordedSpans.register();
const onRig = tracedRigs(recorded);
const { ERROR, UNSET } = api.SpanStatusCode;
const get = "GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n";
const upload = "POST / HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: 100000\r\n\r\n";
const watchful = { pingMs: 200, deadAfterMs: 600, probeMs: 300 };

function whyOf({ attributes }: RecordedSpan): unknown {
  return attributes["caisson.close_reason"];
}

function toldBy(span: RecordedSpan): unknown[] {
  return [span.attributes["error.type"], span.status.code];
}

/** Both spans as they ended, of which the client's is the server's child. */
async function endings(): Promise<{ readonly server: unknown[]; readonly client: unknown[] }> {
  const [server, client] = [await recorded.server(), await recorded.client()];
  assert.equal(client.parentSpanContext?.spanId, server.spanContext().spanId);
  return { server: toldBy(server), client: toldBy(client) };
}

/** A target that tells when a request has come, and answers it with a beginning or not at all. */
function holding(answer: "nothing" | "a beginning"): {
  readonly target: RequestListener;
  arrived: () => Promise<void>;
} {
  const here = deferred<void>();
  const target: RequestListener = (incoming, response) => {
    incoming.resume();
    if (answer === "a beginning") {
      response.writeHead(200, { "content-length": "100000" });
      response.write("beginning");
    }
    here.resolve();
  };
  return { target, arrived: () => here.promise };
}

/** A raw visitor that has said `bytes`. */
async function visitor(rig: Rig, bytes: string): Promise<RawClient> {
  const client = await RawClient.connect(rig.port);
  client.send(bytes);
  return client;
}

/** Cuts the client off and keeps it from coming back before `thaw`. */
async function cutOff(rig: Rig): Promise<void> {
  rig.relay.freeze();
  rig.relay.cut();
  await until(() => rig.server.inventory().probes["names.held"] === 1, { what: "the name is held" });
}

test("the target cannot be reached", async () => {
  await using stuck = await StuckListener.start();
  const connect = { target: `127.0.0.1:${stuck.port}`, limits: { connectMs: 300 } };
  await onRig({ targetPort: stuck.port, connect }, async (rig) => {
    assert.equal((await rig.fetch("/")).headers["caisson-error"], "target_unreachable");
    const expected = ["target_unreachable", ERROR];
    assert.deepEqual(await endings(), { server: expected, client: expected });
  });
});

test("the session is lost, before the answer and in the middle of it", async () => {
  for (const answer of ["nothing", "a beginning"] as const) {
    const { target, arrived } = holding(answer);
    await onRig({ target, relay: {}, connect: { limits: watchful } }, async (rig) => {
      const client = await visitor(rig, get);
      await arrived();
      if (answer === "a beginning") await client.receive("beginning");
      rig.relay.cut();
      if (answer === "nothing") await client.receive("\r\nCaisson-Error: client_lost\r\n");
      else assert.equal(await client.ended(), "reset");
      client.close();
      assert.deepEqual(await endings(), { server: ["client_lost", ERROR], client: ["client_lost", ERROR] });
    });
  }
});

test("the client has not come back in time: one span, which never had a stream", async () => {
  const options: RigOptions = { relay: {}, serve: { limits: { nameWaitMs: 100 } }, connect: { limits: watchful } };
  await onRig(options, async (rig) => {
    await cutOff(rig);
    assert.equal((await rig.fetch("/")).headers["caisson-error"], "reconnecting");
    const server = await recorded.server();
    assert.deepEqual(toldBy(server), ["reconnecting", ERROR]);
    assert.deepEqual(server.links, []);
    assert.deepEqual(recorded.childrenOf(server), ["wait for stream"]);
    rig.relay.thaw();
  });
});

test("there is no room for a stream, or no memory for anything", async () => {
  const { target, arrived } = holding("nothing");
  await onRig(
    { target, connect: { limits: { maxStreams: 1 } }, serve: { limits: { roomWaitMs: 100 } } },
    async (rig) => {
      const first = await visitor(rig, get);
      await arrived();
      assert.equal((await rig.fetch("/")).headers["caisson-error"], "overloaded");
      const refused = await recorded.server();
      assert.deepEqual(toldBy(refused), ["overloaded", ERROR]);
      assert.deepEqual(recorded.childrenOf(refused), ["wait for stream"]);
      first.close();
    },
  );
  await onRig({ serve: { limits: { busyMemoryPercent: 0.000_001, fullMemoryPercent: 100 } } }, async (rig) => {
    assert.equal((await rig.fetch("/")).headers["caisson-error"], "overloaded");
    assert.deepEqual(toldBy(await recorded.server()), ["overloaded", ERROR]);
  });
});

test("the target stops in the middle of its answer", async () => {
  const { target } = holding("a beginning");
  await onRig({ target, connect: { limits: { bodyIdleMs: 200 } } }, async (rig) => {
    const client = await visitor(rig, get);
    assert.equal(await client.ended(), "reset");
    assert.deepEqual(await endings(), { server: ["target_timeout", ERROR], client: ["target_timeout", ERROR] });
  });
});

test("the target does not take the upload", async () => {
  await using target = await RawTarget.start((socket) => void socket.pause());
  const options: RigOptions = { targetPort: target.port, connect: { limits: { requestBodyIdleMs: 300 } } };
  await onRig(options, async (rig) => {
    const client = await visitor(rig, upload.replace("100000", "50000000"));
    client.send(Buffer.alloc(50_000_000));
    await client.receive("\r\nCaisson-Error: target_timeout\r\n");
    client.close();
    await rig.quiet();
    // One that does not read would never see that it was closed.
    for (const socket of target.sockets) socket.resume();
    assert.deepEqual(await endings(), { server: ["target_timeout", ERROR], client: ["target_timeout", ERROR] });
  });
});

test("the visitor leaves, or stops, in the middle of its upload: no error of anybody's", async () => {
  for (const how of ["leaves", "stops"] as const) {
    const { target, arrived } = holding("nothing");
    await onRig({ target, serve: { limits: { requestIdleMs: 200 } } }, async (rig) => {
      const client = await visitor(rig, `${upload}beginning`);
      await arrived();
      if (how === "leaves") client.reset();
      else assert.equal(await client.ended(), "reset");
      client.close();
      await rig.quiet();
      assert.deepEqual(await endings(), { server: ["visitor_abort", UNSET], client: ["visitor_abort", UNSET] });
      assert.equal((await recorded.server()).attributes["http.response.status_code"], undefined);
    });
  }
});

test("the visitor does not take its answer", async () => {
  const target: RequestListener = (_, response) => void response.end(Buffer.alloc(50_000_000));
  await onRig({ target, serve: { limits: { responseIdleMs: 1_500 } } }, async (rig) => {
    const client = await RawClient.connect(rig.port);
    client.socket.pause();
    client.send(get);
    await until(() => recorded.ended.some(({ kind }) => kind === api.SpanKind.SERVER), { what: "it is given up" });
    client.close();
    await rig.quiet();
    assert.deepEqual(await endings(), { server: ["visitor_abort", UNSET], client: ["visitor_abort", UNSET] });
  });
});

test("the drain is over before the answer: the server's doing, not the visitor's", async () => {
  for (const answer of ["nothing", "a beginning"] as const) {
    const { target, arrived } = holding(answer);
    await onRig({ target, serve: { drainMs: 100 } }, async (rig) => {
      const client = await visitor(rig, get);
      await arrived();
      if (answer === "a beginning") await client.receive("beginning");
      await rig.server.close();
      await client.ended();
      client.close();
      assert.deepEqual(toldBy(await recorded.server()), ["shutdown", ERROR]);
      const drain = await recorded.span("drain", ({ name }) => name === "drain");
      assert.ok(drain.duration[0] * 1_000 + drain.duration[1] / 1e6 >= 90);
    });
  }
});

test("a WebSocket ends with its session, or with its server, and its span says which", async () => {
  const { WebSocket, WebSocketServer } = await import("ws");
  const echo = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(echo, "listening");
  const { port } = echo.address() as { port: number };
  for (const [end, told] of [
    ["cut", ["client_lost", ERROR, "session_lost"]],
    ["close", [undefined, UNSET, "shutdown"]],
  ] as const) {
    await onRig({ targetPort: port, relay: {}, serve: { drainMs: 50 }, connect: { limits: watchful } }, async (rig) => {
      const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/socket`, { headers: { host: "demo.localhost" } });
      socket.on("error", () => undefined);
      await once(socket, "open");
      const closed = once(socket, "close");
      if (end === "cut") rig.relay.cut();
      else await rig.server.close();
      await closed;
      const server = await recorded.server();
      assert.equal(server.attributes["error.type"], undefined);
      const { spanId } = server.spanContext();
      const pipe = await recorded.span(
        "its end",
        ({ parentSpanContext, name }) => name === "pipe" && parentSpanContext?.spanId === spanId,
      );
      assert.deepEqual([...toldBy(pipe), whyOf(pipe)], told);
    });
  }
  for (const socket of echo.clients) socket.terminate();
  await new Promise<void>((resolve) => echo.close(() => resolve()));
});

test("a raw connection that finds no way is one span with the reason, and no other", async () => {
  await using target = await RawTarget.start((socket) => socket.pipe(socket), { halfOpen: true });
  const serve = { listen: "127.0.0.1:0", tcpPorts: "22000-22400" };
  const options: RigOptions = { targetPort: target.port, relay: {}, connect: { type: "tcp", limits: watchful } };
  const portOf = (rig: Rig): number => Number(/:(\d+)$/u.exec(rig.tunnel.url)?.[1]);
  // A connection that is refused at once may never have been one for its visitor.
  const visitAt = (port: number): Promise<string> =>
    RawClient.connect(port).then(
      (client) => client.ended(),
      () => "reset",
    );
  const opened = (): unknown[] =>
    recorded.ended.filter(({ name }) => name === "pipe open").map((span) => toldBy(span).concat(whyOf(span)));
  await onRig({ ...options, serve: { ...serve, limits: { nameWaitMs: 100 } } }, async (rig) => {
    await cutOff(rig);
    assert.equal(await visitAt(portOf(rig)), "reset");
    assert.deepEqual(opened(), [["reconnecting", ERROR, "name_wait"]]);
    rig.relay.thaw();
  });
  await onRig(
    { ...options, serve: { ...serve, limits: { busyMemoryPercent: 0.000_001, fullMemoryPercent: 100 } } },
    async (rig) => {
      assert.equal(await visitAt(portOf(rig)), "reset");
      assert.deepEqual(opened(), [["overloaded", ERROR, "overload_memory"]]);
    },
  );
});

test("a raw connection ends with its session, or with its server, and its spans say which", async () => {
  await using target = await RawTarget.start((socket) => socket.pipe(socket), { halfOpen: true });
  const serve = { listen: "127.0.0.1:0", tcpPorts: "22000-22400", drainMs: 50 };
  const options: RigOptions = { targetPort: target.port, relay: {}, serve, connect: { type: "tcp", limits: watchful } };
  for (const [end, server, client] of [
    ["cut", ["client_lost", ERROR, "session_lost"], ["client_lost", ERROR, "session_lost"]],
    ["close", [undefined, UNSET, "shutdown"], [undefined, UNSET, "cancelled"]],
  ] as const) {
    await onRig(options, async (rig) => {
      const visiting = await RawClient.connect(Number(/:(\d+)$/u.exec(rig.tunnel.url)?.[1]));
      visiting.send("hello");
      await visiting.receive("hello");
      if (end === "cut") rig.relay.cut();
      else await rig.server.close();
      assert.equal(await visiting.ended(), "reset");
      const { spanId } = (
        await recorded.span("the server's", ({ name, kind }) => name === "pipe open" && kind === api.SpanKind.SERVER)
      ).spanContext();
      const ends = (): RecordedSpan[] => recorded.ended.filter(({ name }) => name === "pipe");
      await until(() => ends().length === 2, { what: "both ends have told" });
      for (const pipe of ends()) {
        assert.deepEqual([...toldBy(pipe), whyOf(pipe)], pipe.parentSpanContext?.spanId === spanId ? server : client);
      }
    });
  }
});
