// Targets that refuse, hang, reset, stall or lie: visitors are told what is true, a cut transfer never looks complete,
// and the next request is served as if nothing had happened.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import type { Behaviour } from "../support/raw-target.ts";
import { onHeads, RawTarget } from "../support/raw-target.ts";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import { StuckListener } from "../support/stuck-listener.ts";
import { until } from "../support/until.ts";

const get = "GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n";
const head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
const limits = { connectMs: 500, responseHeadMs: 500, bodyIdleMs: 500, requestBodyIdleMs: 500 };

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

interface Case {
  readonly what: string;
  /** What the target does with a connection. */
  readonly behaviour: Behaviour;
  /** What the visitor receives: an error of ours, or the start of a response and then a reset. */
  readonly expect: { readonly status: number; readonly error: string } | { readonly cutAfter: string };
}

const cases: readonly Case[] = [
  {
    what: "accepts and says nothing",
    behaviour: (socket) => void socket.resume(),
    expect: { status: 504, error: "target_timeout" },
  },
  {
    what: "accepts and does not even read",
    behaviour: () => undefined,
    expect: { status: 504, error: "target_timeout" },
  },
  {
    what: "says half a head and then nothing",
    behaviour: onHeads((_, socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Le")),
    expect: { status: 504, error: "target_timeout" },
  },
  {
    what: "says 100 and then nothing",
    behaviour: onHeads((_, socket) => void socket.write("HTTP/1.1 100 Continue\r\n\r\n")),
    expect: { status: 504, error: "target_timeout" },
  },
  {
    what: "resets instead of an answer",
    behaviour: onHeads((_, socket) => socket.resetAndDestroy()),
    expect: { status: 502, error: "bad_target_response" },
  },
  {
    what: "ends instead of an answer",
    behaviour: onHeads((_, socket) => void socket.end()),
    expect: { status: 502, error: "bad_target_response" },
  },
  {
    what: "ends inside of its head",
    behaviour: onHeads((_, socket) => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5")),
    expect: { status: 502, error: "bad_target_response" },
  },
  {
    what: "speaks no HTTP",
    behaviour: onHeads((_, socket) => void socket.write("220 mail.example ESMTP\r\n\r\n")),
    expect: { status: 502, error: "bad_target_response" },
  },
  {
    what: "sends a head that never ends",
    behaviour: onHeads((_, socket) => void socket.write(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(40_000)}`)),
    expect: { status: 502, error: "bad_target_response" },
  },
  {
    what: "resets in the middle of a body",
    behaviour: onHeads(
      (_, socket) => void socket.write(`${head}12345`, () => setTimeout(() => socket.resetAndDestroy(), 50)),
    ),
    expect: { cutAfter: "12345" },
  },
  {
    what: "ends in the middle of a body",
    behaviour: onHeads((_, socket) => void socket.end(`${head}12345`)),
    expect: { cutAfter: "12345" },
  },
  {
    what: "ends inside of a chunked body",
    behaviour: onHeads(
      (_, socket) => void socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"),
    ),
    expect: { cutAfter: "12345" },
  },
  {
    what: "sends a bad chunk",
    behaviour: onHeads((_, socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", () =>
        setTimeout(() => socket.write("-1\r\n"), 50),
      );
    }),
    expect: { cutAfter: "12345" },
  },
  {
    what: "stalls in the middle of a body",
    behaviour: onHeads((_, socket) => void socket.write(`${head}12345`)),
    expect: { cutAfter: "12345" },
  },
];

for (const { what, behaviour, expect } of cases) {
  test(`a target that ${what}`, async () => {
    let broken = true;
    const healthy = onHeads((_, socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    await using target = await RawTarget.start((socket) => (broken ? behaviour(socket) : healthy(socket)));
    await using rig = await Rig.start({ targetPort: target.port, connect: { limits } });
    const visitor = await RawClient.connect(rig.port);
    visitor.send(get);
    if ("cutAfter" in expect) {
      await visitor.receive(expect.cutAfter);
      assert.equal(await visitor.ended(), "reset", "a cut transfer must not look complete");
      assert.doesNotMatch(visitor.text, /\r\n0\r\n/);
    } else {
      const text = await visitor.receive(`Caisson-Error: ${expect.error}`);
      assert.match(text.slice(text.lastIndexOf("HTTP/1.1")), new RegExp(`^HTTP/1\\.1 ${expect.status} `));
    }
    await rig.quiet();
    assert.equal(rig.clientLedger.live("local_socket"), 0, "the broken connection is not kept");
    broken = false;
    // One that does not read would never see that it was closed.
    for (const socket of target.sockets) socket.resume();
    assert.equal((await rig.fetch("/")).body, "ok");
    visitor.close();
  });
}

test("a target that refuses is told from one that cannot be reached", async () => {
  await using stuck = await StuckListener.start();
  await using rig = await Rig.start({ targetPort: await freePort(), connect: { limits } });
  await rig.connectAnother({ name: "stuck", target: `127.0.0.1:${stuck.port}` });
  const refused = await rig.fetch("/");
  assert.deepEqual([refused.status, refused.headers["caisson-error"]], [502, "target_refused"]);
  const unreachable = await rig.fetch("/", { headers: { host: "stuck.localhost" } });
  assert.deepEqual([unreachable.status, unreachable.headers["caisson-error"]], [502, "target_unreachable"]);
});

test("a visitor who leaves while the target is being connected leaves nothing behind", async () => {
  await using stuck = await StuckListener.start();
  await using rig = await Rig.start({ targetPort: stuck.port, connect: { target: `127.0.0.1:${stuck.port}` } });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(get);
  await until(() => rig.clientLedger.live("local_socket") === 1, { what: "the client connects" });
  visitor.close();
  await rig.quiet();
  assert.equal(rig.clientLedger.live("local_socket"), 0);
});

test("a target that resets in the middle of an upload is a bad response, and the upload is not read to its end", async () => {
  let received = 0;
  const behaviour = (socket: Socket): void => {
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received > 100_000) socket.resetAndDestroy();
    });
  };
  await using target = await RawTarget.start(behaviour);
  await using rig = await Rig.start({ targetPort: target.port, connect: { limits } });
  const visitor = await RawClient.connect(rig.port);
  visitor.send("POST / HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: 1000000000\r\n\r\n");
  const piece = Buffer.alloc(64 * 1024);
  const pump = setInterval(() => void visitor.socket.write(piece), 1);
  assert.match(await visitor.receive("Caisson-Error: bad_target_response"), /^HTTP\/1\.1 502 /);
  clearInterval(pump);
  visitor.close();
  await rig.quiet();
});

test("an upload that stalls is given up, on both sides", async () => {
  await using target = await RawTarget.start((socket) => void socket.resume());
  await using rig = await Rig.start({ targetPort: target.port, connect: { limits } });
  const visitor = await RawClient.connect(rig.port);
  visitor.send("POST / HTTP/1.1\r\nHost: demo.localhost\r\nContent-Length: 100\r\n\r\nonly a part");
  await visitor.ended();
  await until(() => target.sockets.size === 0, { what: "the target's connection is closed" });
  await rig.quiet();
  visitor.close();
});

test("a request that dies on a kept connection is repeated once, if it may be", async () => {
  let answers = 0;
  const heads: string[] = [];
  const answer = (text: string, socket: Socket): void => {
    heads.push(text.slice(0, text.indexOf(" ")));
    answers += 1;
    // Every second request on a connection finds that the target is just closing it.
    if (answers % 2 === 0) socket.resetAndDestroy();
    else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  };
  await using target = await RawTarget.start(onHeads(answer));
  await using rig = await Rig.start({ targetPort: target.port });
  assert.equal((await rig.fetch("/")).status, 200);
  assert.equal((await rig.fetch("/")).status, 200, "repeated on a new connection");
  assert.deepEqual(heads, ["GET", "GET", "GET"]);
  assert.equal(target.accepted, 2);
  const post = await rig.fetch("/", { method: "POST", body: "once only" });
  assert.equal(post.status, 502, "a POST is never sent twice");
  assert.deepEqual(heads, ["GET", "GET", "GET", "POST"]);
});
