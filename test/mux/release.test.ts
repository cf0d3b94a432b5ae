// After a session nothing refers to it, its streams or its socket any more: what the collector says of it.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createRuntime } from "../../src/lifecycle/runtime.ts";
import type { Runtime } from "../../src/lifecycle/runtime.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import { GrowthBudget } from "../../src/mux/growth-budget.ts";
import type { SessionHandler, StreamHandler } from "../../src/mux/handlers.ts";
import { noHandler } from "../../src/mux/no-handler.ts";
import { Session } from "../../src/mux/session.ts";
import type { Transport } from "../../src/mux/transport.ts";
import { exchange, pipeRequest } from "../support/session-pair.ts";
import { transportPair } from "../support/transport-pair.ts";
import { until } from "../support/until.ts";
import { webSocketPair } from "../support/ws-pair.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Waits until all are collected. */
async function collected(references: readonly WeakRef<object>[]): Promise<void> {
  await until(
    async () => {
      // From an empty stack, so that no frame of a caller keeps anything.
      await new Promise<void>((resolve) => {
        setImmediate(() => {
          collect();
          resolve();
        });
      });
      return references.every((reference) => reference.deref() === undefined);
    },
    {
      what: "everything is collected",
      detail: () => references.map((reference) => reference.deref()?.constructor.name),
    },
  );
}

function owner(onOpen: SessionHandler["onOpen"]): SessionHandler {
  return { onReady() {}, onOpen, onControl() {}, onGoAway() {}, onRoom() {}, onClosed() {} };
}

function join(
  transport: Transport,
  role: "server" | "client",
  shared: { runtime: Runtime; budget: GrowthBudget },
): Session {
  const hello = { version: "0", instance: role, maxStreams: 10 };
  return new Session({ role, transport, handler: owner(() => noHandler), peer: "test", hello, ...shared });
}

/** Lives through a session and answers weak references to all that it was. */
async function liveThrough(
  shared: { runtime: Runtime; budget: GrowthBudget },
  end: (server: Session) => void,
): Promise<WeakRef<object>[]> {
  const [serverEnd, clientEnd] = transportPair();
  const server = join(serverEnd, "server", shared);
  const client = join(clientEnd, "client", shared);
  await until(() => server.state === "ready", { what: "ready" });
  const handler: StreamHandler = { ...noHandler };
  const streams = [server.open(exchange(), handler), server.open(pipeRequest(), handler)];
  await until(() => client.streamCount === 2, { what: "the streams" });
  const late = server.open(exchange(), handler);
  streams[1]?.reset("cancelled");
  end(server);
  await until(() => serverEnd.closed && clientEnd.closed, { what: "closed" });
  return [server, client, serverEnd, handler, late, ...streams].map((object) => new WeakRef(object));
}

describe("a closed session", () => {
  it("is collected, with its streams and their owners, while the role lives on", async () => {
    const runtime = createRuntime(noEvents);
    const shared = { runtime, budget: new GrowthBudget(1e9) };
    const ends: ((server: Session) => void)[] = [
      (server) => server.close("shutdown"),
      (server) => server.terminate("dead"),
      (server) => server.drain("shutdown"),
    ];
    // A drain waits for its streams; the client's never end by themselves.
    const references = (
      await Promise.all(
        ends.map((end) =>
          liveThrough(shared, (server) => {
            end(server);
            if (server.state === "draining") setImmediate(() => server.close("shutdown"));
          }),
        ),
      )
    ).flat();
    await collected(references);
    assert.equal(runtime.deadlines.size, 0);
    assert.equal(runtime.deadlines.gapListeners, 0);
    assert.equal(shared.budget.grantedBytes, 0);
  });

  it("lets its WebSocket go", async () => {
    const references = await (async () => {
      const pair = await webSocketPair();
      const visit = pair.server.open(exchange());
      await until(() => visit.opened, { what: "a stream" });
      await pair.settle();
      for (const socket of [pair.serverSocket, pair.clientSocket]) {
        assert.deepEqual(
          socket.eventNames().filter((name) => socket.listenerCount(name) > 0),
          ["error"],
        );
      }
      return [pair.server.session, pair.client.session, pair.serverSocket, pair.clientSocket].map(
        (object) => new WeakRef<object>(object),
      );
    })();
    await collected(references);
  });

  it("lets a finished stream go while the session lives on", async () => {
    const runtime = createRuntime(noEvents);
    const [serverEnd, clientEnd] = transportPair();
    const shared = { runtime, budget: new GrowthBudget(1e9) };
    const server = join(serverEnd, "server", shared);
    const client = new Session({
      role: "client",
      transport: clientEnd,
      handler: owner((stream) => {
        stream.sendHead(Buffer.from("HTTP/1.1 204 No Content\r\n\r\n"), "end");
        return { ...noHandler };
      }),
      peer: "test",
      hello: { version: "0", instance: "client", maxStreams: 10 },
      ...shared,
    });
    await until(() => server.state === "ready", { what: "ready" });
    const references: WeakRef<object>[] = [];
    const visit = (): void => {
      const handler: StreamHandler = { ...noHandler };
      references.push(new WeakRef(handler), new WeakRef(server.open(exchange(), handler)));
    };
    for (let n = 0; n < 5; n += 1) visit();
    await until(() => server.streamCount + client.streamCount === 0, { what: "all have ended" });
    await collected(references);
    client.close("goodbye");
    await until(() => runtime.deadlines.size === 0, { what: "the end" });
  });
});
