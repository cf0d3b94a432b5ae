// Cutting a socket in every state it can be in: it closes, and its peer sees a reset wherever there is something to cut.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { cutSocket } from "../../src/mux/cut-socket.ts";
import { until } from "../support/until.ts";
import { listening, portOf } from "../support/ws-pair.ts";

const states: readonly (readonly [what: string, prepare: (socket: Socket) => unknown, reset: boolean])[] = [
  ["idle", () => undefined, true],
  ["with bytes that were just written", (socket) => socket.write("bytes"), true],
  ["with more than the system takes", (socket) => socket.write(Buffer.alloc(16 * 1024 * 1024)), true],
  ["with more than the system takes and an end", (socket) => socket.end(Buffer.alloc(16 * 1024 * 1024)), true],
  // Everything was said here: what matters is that the handle is not lost.
  ["just ended", (socket) => socket.end(), false],
  ["just ended with bytes", (socket) => socket.end("bytes"), false],
  ["ended a while ago", (socket) => once(socket.end("bytes"), "finish"), false],
  ["destroyed", (socket) => socket.destroy(), false],
  ["cut before", (socket) => cutSocket(socket), true],
];

for (const [what, prepare, reset] of states) {
  void test(`a socket that is ${what} is cut and closes`, async () => {
    const server = await listening(createServer({ allowHalfOpen: true }));
    const accepted = once(server, "connection");
    const peer = connect({ port: portOf(server), host: "127.0.0.1", allowHalfOpen: true });
    let ending = "";
    peer.on("error", () => (ending = "reset"));
    peer.on("end", () => (ending ||= "fin"));
    // Read at once: a peer that reads late may be told of an end instead of a reset by libuv.
    peer.resume();
    const [socket] = (await accepted) as [Socket];
    const errors: unknown[] = [];
    socket.on("error", (error) => errors.push(error));
    let closed = false;
    socket.on("close", () => (closed = true));
    await prepare(socket);
    cutSocket(socket);
    await until(() => closed, { what: "the socket is closed", detail: () => errors });
    await until(() => ending !== "", { what: "its peer hears of it" });
    if (reset) assert.equal(ending, "reset");
    assert.deepEqual(errors, []);
    peer.destroy();
    const stopped = once(server, "close");
    server.close();
    await stopped;
  });
}
