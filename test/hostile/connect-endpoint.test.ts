// The place where clients connect, seen from people who are none: web pages, floods, half handshakes, and sockets that
// were refused and do not leave.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findCollector } from "../../src/leaks/force-gc.ts";
import { QuietEvents } from "../../src/lifecycle/quiet-events.ts";
import type { Resource } from "../../src/lifecycle/resource.ts";
import { RawClient } from "../support/raw-client.ts";
import { onHeads, RawTarget } from "../support/raw-target.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { GuardedRig } from "./guarded-rig.ts";

const endpoint = "/_caisson/connect";
const ownHost = "Host: localhost\r\n";

interface Login {
  readonly path?: string;
  readonly host?: string;
  readonly protocol?: string;
  readonly key?: string;
  readonly version?: string;
  readonly more?: string;
}

/** An upgrade request to the endpoint; by default one that is let in. */
function login(options: Login = {}): string {
  const { path = endpoint, host = ownHost, protocol = "caisson.v1", key = "dGhlIHNhbXBsZSBub25jZQ==" } = options;
  return (
    `GET ${path} HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: ${options.version ?? "13"}\r\nSec-WebSocket-Key: ${key}\r\n` +
    `${protocol === "" ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`}${options.more ?? ""}\r\n`
  );
}

const refused: readonly (readonly [what: string, request: string, status: number])[] = [
  ["a web page", login({ more: "Origin: http://evil.test\r\n" }), 403],
  ["a web page from the server's own host", login({ more: "Origin: http://localhost\r\n" }), 403],
  ["a page without an origin", login({ more: "Origin: null\r\n" }), 403],
  ["an empty Origin", login({ more: "Origin:\r\n" }), 403],
  ["a web page that does not upgrade", `GET ${endpoint} HTTP/1.1\r\n${ownHost}Origin: http://evil.test\r\n\r\n`, 403],
  ["a web page by IP address", login({ host: "Host: 127.0.0.1\r\n", more: "Origin: http://127.0.0.1\r\n" }), 403],
  ["no subprotocol", login({ protocol: "" }), 400],
  ["another subprotocol", login({ protocol: "caisson.v2, chat" }), 400],
  ["another path", login({ path: "/_caisson/other" }), 404],
  ["a key that is none", login({ key: "short" }), 400],
  ["an old version of WebSocket", login({ version: "7" }), 400],
  ["no upgrade", `GET ${endpoint} HTTP/1.1\r\n${ownHost}\r\n`, 426],
  ["a POST", `POST ${endpoint} HTTP/1.1\r\n${ownHost}\r\n`, 405],
];

void test("who is no client is refused, and owns no session", async (t) => {
  const limits = { handshakeMs: 300, lingerMs: 300, maxVisitorsPerAddress: 1_000 };
  await using guarded = await GuardedRig.start({ limits, catchAll: undefined } as object);
  const { rig } = guarded;
  const visitors: RawClient[] = [];
  for (const [what, request, status] of refused) {
    await t.test(what, async () => {
      const before = rig.serverLedger.accounts.session.opened;
      const visitor = await RawClient.connect(guarded.port);
      visitors.push(visitor);
      visitor.send(request);
      assert.equal(await visitor.ended(), "fin");
      assert.match(visitor.text, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.doesNotMatch(visitor.text, /Access-Control/i);
      assert.equal(rig.serverLedger.accounts.session.opened, before);
    });
  }
  // None of them ends its own side: the server does not wait for that.
  const { probes } = rig.server.inventory();
  await until(() => rig.server.inventory().probes["visitors.sockets"] === 0, {
    what: "every socket is closed",
    detail: () => probes,
  });
  assert.equal(rig.server.inventory().probes["own.pending"], 0);
  for (const visitor of visitors) visitor.close();
  await guarded.servesOn();
});

void test("the endpoint exists on the server's own hosts only", async () => {
  await using guarded = await GuardedRig.start();
  const visitor = await RawClient.connect(guarded.port);
  visitor.send(login({ host: "Host: demo.localhost\r\n" }));
  await until(() => guarded.begun.length === 1 || visitor.ending !== "open", { what: "it is the tunnel's business" });
  assert.equal(guarded.rig.serverLedger.accounts.session.opened, 1);
  visitor.close();
});

void test("sessions that never say hello are given up, and do not keep others out for long", async () => {
  await using guarded = await GuardedRig.start({ limits: { helloMs: 300, maxSessions: 5 } });
  const { rig, words } = guarded;
  const silent: RawClient[] = [];
  for (let n = 0; n < 4; n += 1) {
    const visitor = await RawClient.connect(guarded.port);
    visitor.send(login());
    await visitor.receive("HTTP/1.1 101 ");
    silent.push(visitor);
  }
  const sixth = await RawClient.connect(guarded.port);
  sixth.send(login());
  await sixth.receive("HTTP/1.1 503 ");
  assert.match(sixth.text, /Retry-After: \d+\r\n/);
  assert.ok(words.refusals.includes("max_sessions"));
  await Promise.all(silent.map((visitor) => visitor.ended()));
  await until(() => rig.serverLedger.live("session") === 1, { what: "only the real client is left" });
  const again = await RawClient.connect(guarded.port);
  again.send(login());
  await again.receive("HTTP/1.1 101 ");
  for (const visitor of [...silent, sixth, again]) visitor.close();
  await guarded.servesOn();
});

void test("a flood of logins that are garbage behind their handshake leaves nothing", async () => {
  await using guarded = await GuardedRig.start({ limits: { helloMs: 2_000, maxVisitorsPerAddress: 1_000 } });
  const { rig } = guarded;
  const garbage = [
    "",
    "not a WebSocket frame at all",
    "\x81\x85\0\0\0\0hello",
    "\x82\x85\0\0\0\0hello",
    "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
    "\xff\xff\xff\xff",
    "\x88\x80\0\0\0\0",
    "\x09\x80\0\0\0\0",
  ];
  for (let round = 0; round < 10; round += 1) {
    const visitors = await Promise.all(garbage.map(() => RawClient.connect(guarded.port)));
    for (const [index, visitor] of visitors.entries()) visitor.send(login() + (garbage[index] ?? ""));
    await guarded.servesOn();
    for (const [index, visitor] of visitors.entries()) {
      if ((index + round) % 2 === 0) visitor.end();
      else visitor.reset();
    }
    await until(() => rig.serverLedger.live("session") === 1, { what: "the flood is gone" });
    for (const visitor of visitors) visitor.close();
  }
  assert.equal(rig.serverLedger.live("session_socket"), 1);
});

void test("bytes behind the login belong to the session, not to HTTP", async () => {
  await using guarded = await GuardedRig.start();
  const visitor = await RawClient.connect(guarded.port);
  visitor.send(`${login()}GET /smuggled HTTP/1.1\r\nHost: demo.localhost\r\n\r\n`);
  await visitor.ended();
  assert.equal(visitor.text.match(/HTTP\/1\.1/g)?.length, 1);
  assert.deepEqual(guarded.words.violations, ["websocket"]);
  assert.deepEqual(guarded.begun, []);
  visitor.close();
});

/** Remembers the visitors' connections that were closed, without keeping them. */
class ClosedVisitors extends QuietEvents {
  readonly references: WeakRef<Resource>[] = [];

  override closed(resource: Resource): void {
    if (resource.kind === "visitor_socket") this.references.push(new WeakRef(resource));
  }
}

void test("neither a session nor a pipe keeps the visitor's connection alive that it came from", async () => {
  const closed = new ClosedVisitors();
  const collect = findCollector();
  await using target = await RawTarget.start(
    onHeads((_, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
      socket.write("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    }),
  );
  await using rig = await Rig.start({ targetPort: target.port, serverSubscribers: [closed] });
  const visitor = await RawClient.connect(rig.port);
  visitor.send(login({ path: "/pipe", host: "Host: demo.localhost\r\n" }));
  await visitor.receive("\r\n\r\n");
  await until(() => closed.references.length >= 2, { what: "login and upgrade have left their connections" });
  await until(
    async () => {
      await collect();
      return closed.references.every((reference) => reference.deref() === undefined);
    },
    { what: "the connections are collected" },
  );
  assert.equal(rig.serverLedger.live("session"), 1);
  assert.equal(rig.serverLedger.live("pipe"), 1);
  visitor.close();
});
