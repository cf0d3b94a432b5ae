// Observers that misbehave and scrapers that do: requests go on, and the faults are counted.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { test } from "node:test";
import type { TunnelEvents } from "../../src/lifecycle/events.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import { brokenLaws, PrivateAdmin, sampleOf } from "../support/admin-reader.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

/** A subscriber all of whose methods throw, `faulted` included. */
function thrower(): TunnelEvents & { readonly heard: Set<string> } {
  const heard = new Set<string>();
  const methods = Object.keys(noEvents).map((name) => [
    name,
    (): never => {
      heard.add(name);
      throw new Error(`${name} failed`);
    },
  ]);
  return { ...noEvents, ...Object.fromEntries(methods), heard };
}

test("a subscriber that throws at every event disturbs neither requests nor ledgers", async () => {
  using serverAdmin = new PrivateAdmin();
  using clientAdmin = new PrivateAdmin();
  const serverThrower = thrower();
  const clientThrower = thrower();
  await using rig = await Rig.start({
    serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: serverAdmin.options, subscribers: [serverThrower] },
    connect: { admin: clientAdmin.options, subscribers: [clientThrower] },
  });
  for (let n = 0; n < 20; n += 1) {
    assert.equal((await rig.fetch(`/${n}`, { method: "POST", body: "x".repeat(100_000) })).body, `POST /${n}`);
  }
  for (const heard of [serverThrower.heard, clientThrower.heard]) {
    for (const event of ["opened", "closed", "exchangeStarted", "exchangeEnded", "sessionConnected", "faulted"]) {
      // Its own faults are not told to it: nobody would be left to hear of the next one.
      assert.equal(heard.has(event), event !== "faulted", event);
    }
  }
  const readers = [serverAdmin.reader(rig.server), clientAdmin.reader(rig.tunnel)];
  for (const reader of readers) {
    await until(async () => brokenLaws(await reader.resources()).length === 0, { what: "the ledgers agree" });
    assert.equal((await reader.resources()).kinds.exchange.closed, 20);
    const metrics = await reader.metrics();
    assert.equal(sampleOf(metrics, 'caisson_faults_total{where="subscriber.exchangeEnded"}'), 20);
  }
});

async function deafScraper(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.pause();
  socket.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(4));
  return socket;
}

test("a crowd of scrapers that never read: requests go on, and so do other scrapes", async () => {
  using admin = new PrivateAdmin();
  await using rig = await Rig.start({ serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options } });
  const port = Number(new URL(rig.server.admin).port);
  const reader = admin.reader(rig.server);
  const crowd: Socket[] = [];
  for (let n = 0; n < 150; n += 1) {
    crowd.push(await deafScraper(port));
    if (n % 10 === 0) assert.equal((await rig.fetch(`/${n}`)).body, `GET /${n}`);
  }
  assert.ok((await reader.metrics()).length > 1_000);
  // None of them is a visitor, and none is counted.
  const { kinds } = await reader.resources();
  assert.ok(kinds.visitor_socket.opened <= 20, String(kinds.visitor_socket.opened));
  for (const socket of crowd) socket.destroy();
});
