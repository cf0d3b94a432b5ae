// A crowd of clients that all log in at once: visitors who come behind it are served before most of it, what is too much
// is told to come again, and those that leave while they wait leave nothing.

import assert from "node:assert/strict";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import { serve } from "../../src/assemble/serve.ts";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { GuardedRig } from "./guarded-rig.ts";

const login =
  "GET /_caisson/connect HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
  "Sec-WebSocket-Protocol: caisson.v1\r\n\r\n";

const limits = { maxVisitorsPerAddress: 1_000 };

/** Begins to connect, and says what it wants as soon as that is possible. */
function crowdOf(port: number, clients: number): Socket[] {
  return Array.from({ length: clients }, () => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.on("error", () => {});
    socket.write(login);
    return socket.resume();
  });
}

/** Nobody is on the way in, and only the rig's own client is left. */
async function empty({ rig }: GuardedRig): Promise<void> {
  await until(
    () => {
      const { probes } = rig.server.inventory();
      return probes["logins.waiting"] === 0 && probes["own.pending"] === 0 && rig.serverLedger.live("session") === 1;
    },
    { what: "the crowd is gone" },
  );
}

void test("a visitor behind a crowd of logins is served before most of them", async () => {
  const opened = { before: 0, atVisit: 0 };
  await using rig = await Rig.start({
    target: (_, response) => {
      opened.atVisit = rig.serverLedger.accounts.session.opened;
      response.end("served");
    },
    serve: { limits },
  });
  const { session } = rig.serverLedger.accounts;
  opened.before = session.opened;
  const crowd = crowdOf(rig.port, 300);
  // It stands behind all of them in the one row of connections that are to be accepted.
  const visitor = await RawClient.connect(rig.port);
  visitor.send("GET /behind HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
  await visitor.receive("served");
  const loggedIn = opened.atVisit - opened.before;
  assert.ok(loggedIn < 250, `${loggedIn} of 300 were logged in first`);
  await until(() => session.opened - opened.before === 300, { what: "all are logged in" });
  visitor.close();
  for (const socket of crowd) socket.destroy();
  await until(() => rig.serverLedger.live("session") === 1, { what: "the crowd is gone" });
});

void test("more than may wait are told when to come again, and cut", async () => {
  await using guarded = await GuardedRig.start({ limits: { ...limits, maxWaitingLogins: 1 } });
  const clients = await Promise.all(Array.from({ length: 40 }, () => RawClient.connect(guarded.port)));
  for (const client of clients) client.send(login);
  for (const client of clients) await client.receive("\r\n\r\n");
  const refused = clients.filter(({ text }) => text.startsWith("HTTP/1.1 503 "));
  assert.ok(refused.length > 0);
  for (const client of refused) {
    assert.match(client.text, /\r\nRetry-After: [23]\r\n/);
    assert.equal(await client.ended(), "fin");
  }
  assert.equal(guarded.words.refusals.filter((reason) => reason === "waiting_logins").length, refused.length);
  const others = clients.length - refused.length;
  assert.ok(others > 0);
  assert.equal(clients.filter(({ text }) => text.startsWith("HTTP/1.1 101 ")).length, others);
  for (const client of clients) client.close();
  await empty(guarded);
  await guarded.servesOn();
});

void test("one that would wait for too long is told so, too", async () => {
  // Whatever waits at all waits for longer than that.
  await using server = await serve({ listen: "127.0.0.1:0", admin: "127.0.0.1:0", limits: { loginWaitMs: 0.000_001 } });
  const client = await RawClient.connect(Number(new URL(server.url).port));
  client.send(login);
  assert.match(await client.receive("at once"), /^HTTP\/1\.1 503 [^]*\r\nRetry-After: 2\r\n/);
  assert.equal(await client.ended(), "fin");
  client.close();
  const { held, probes } = server.inventory();
  assert.deepEqual([held.session, probes["logins.waiting"], probes["own.pending"]], [0, 0, 0]);
  const metrics = await (await fetch(new URL("/metrics", server.admin))).text();
  assert.match(metrics, /^caisson_refused_total\{reason="login_wait"\} 1$/m);
  assert.match(metrics, /^caisson_session_connects_total\{result="login_wait"\} 1$/m);
});

void test("clients that leave while they wait leave nothing", async () => {
  await using guarded = await GuardedRig.start({ limits });
  for (let round = 0; round < 5; round += 1) {
    const crowd = crowdOf(guarded.port, 100);
    const { rig } = guarded;
    await until(() => (rig.server.inventory().probes["own.pending"] ?? 0) > 0 || rig.serverLedger.live("session") > 1, {
      what: "they are on their way in",
    });
    for (const [index, socket] of crowd.entries()) {
      if (index % 2 === 0) socket.resetAndDestroy();
      else socket.end();
    }
    await empty(guarded);
  }
  assert.equal(guarded.rig.serverLedger.live("session_socket"), 1);
  await guarded.servesOn();
});

void test("a server that ends at once with logins waiting leaves nothing", async () => {
  await using guarded = await GuardedRig.start({ limits });
  const crowd = crowdOf(guarded.port, 200);
  await until(() => (guarded.rig.server.inventory().probes["own.pending"] ?? 0) > 0, { what: "some are on their way" });
  await guarded.rig.server.close({ force: true });
  const { probes } = guarded.rig.server.inventory();
  assert.deepEqual([probes["logins.waiting"], probes["own.pending"]], [0, 0]);
  for (const socket of crowd) socket.destroy();
});
