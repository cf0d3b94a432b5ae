// The client against a server that a test plays: logins, names, reconnects, farewells, and every way to end.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import type { CaissonError, ErrorCode } from "../../src/lifecycle/errors.ts";
import { until } from "../support/until.ts";
import { testCertificate } from "../support/certificate.ts";
import { ClientRig } from "./client-rig.ts";
import { ServerDouble } from "./server-double.ts";
import { portOf } from "./targets.ts";

function failsWith(code: ErrorCode, pattern: RegExp = /./): (error: CaissonError) => boolean {
  return (error) => {
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    return true;
  };
}

const web = { kind: "http", target: "127.0.0.1:1" } as const;

void test("logs in, claims its tunnels, and says who it is", async () => {
  await using server = await ServerDouble.open();
  await using rig = new ClientRig({
    servers: [server.url],
    token: "csn_secret",
    tunnels: [
      { ...web, name: "shop" },
      { kind: "http", target: "https://127.0.0.1:2" },
      { kind: "tcp", target: "127.0.0.1:22", port: 2222 },
    ],
  });
  const tunnels = await rig.client.start();
  assert.deepEqual(
    tunnels.map(({ name, target, kind, standing }) => [name, target, kind, standing]),
    [
      ["shop", "http://127.0.0.1:1", "http", "first"],
      ["random", "https://127.0.0.1:2", "http", "first"],
      ["random", "127.0.0.1:22", "tcp", "first"],
    ],
  );
  const login = await server.login(0);
  const [request] = server.requests;
  assert.equal(request?.url, "/_caisson/connect");
  assert.equal(request?.headers.authorization, "Bearer csn_secret");
  assert.equal(request?.headers["sec-websocket-protocol"], "caisson.v1");
  assert.equal(request?.headers["user-agent"], "caisson/1.2.3");
  assert.equal(request?.headers.origin, undefined);
  assert.equal(login.hello?.instance, rig.client.instance);
  assert.equal(login.hello?.version, "1.2.3");
  assert.deepEqual(login.registrations, [
    { type: "register", id: 1, kind: "http", name: "shop" },
    { type: "register", id: 2, kind: "http" },
    { type: "register", id: 3, kind: "tcp", port: 2222 },
  ]);
  const { held } = rig.client.inventory();
  assert.equal(held.session, 1);
  assert.equal(held.tunnel, 3);
  assert.deepEqual(rig.connects, ["ok"]);
});

void test("a lost session comes back with the same name and its key, and tells of both", async () => {
  await using server = await ServerDouble.open();
  await using rig = new ClientRig({ servers: [server.url] });
  await rig.client.start();
  server.breakAll();
  const again = await server.login(1);
  assert.deepEqual(again.registrations[0], {
    type: "register",
    id: 1,
    kind: "http",
    name: "random",
    resumeKey: "key of random",
  });
  await until(() => rig.tunnels.length === 2, { what: "the tunnel stands again" });
  assert.equal(rig.tunnels[1]?.standing, "again");
  assert.deepEqual(
    rig.disconnections.map(({ reason, retryMs }) => [reason.startsWith("transport_"), retryMs]),
    [[true, 100]],
  );
  assert.equal(server.logins[0]?.hello?.instance, again.hello?.instance);
});

void test("a random name that is not given again is replaced by another one", async () => {
  await using server = await ServerDouble.open();
  await using rig = new ClientRig({ servers: [server.url] });
  await rig.client.start();
  server.onRegister = ({ name }) => (name === "random" ? { code: "name_taken" } : { name: "other" });
  server.breakAll();
  const again = await server.login(1);
  await until(() => rig.tunnels.length === 2, { what: "the tunnel stands again" });
  assert.equal(again.registrations.length, 2);
  assert.deepEqual(again.registrations[1], { type: "register", id: 1, kind: "http" });
  assert.equal(rig.tunnels[1]?.name, "other");
  assert.equal(rig.tunnels[1]?.standing, "renamed");
});

void test("what a registration may be refused with", async () => {
  const rows = [
    ["name_taken", "E_NAME_TAKEN"],
    ["name_reserved", "E_USAGE"],
    ["not_allowed", "E_AUTH"],
    ["too_many", "E_REFUSED"],
    ["tcp_off", "E_REFUSED"],
    ["tls_off", "E_REFUSED"],
    ["port_taken", "E_NAME_TAKEN"],
  ] as const;
  await using server = await ServerDouble.open();
  for (const [code, error] of rows) {
    await using rig = new ClientRig({ servers: [server.url], tunnels: [{ ...web, name: "shop" }] });
    server.onRegister = () => ({ code });
    await assert.rejects(rig.client.start(), failsWith(error, /refused the name shop: not for you/));
    assert.deepEqual(rig.failures, [], "the promise has told it");
  }
});

void test("a server that knows no TLS tunnels is not asked for one, for that would end the session", async () => {
  await using server = await ServerDouble.open();
  const tls = { kind: "tls", target: "127.0.0.1:1", name: "pass" } as const;
  {
    await using rig = new ClientRig({ servers: [server.url], tunnels: [{ ...web, name: "shop" }, tls] });
    await assert.rejects(rig.client.start(), failsWith("E_REFUSED", /refused the name pass: .*too old/));
  }
  // Of a client that stands, only the tunnel that cannot be had is lost.
  await using rig = new ClientRig({ servers: [server.url], tunnels: [{ ...web, name: "shop" }] });
  await rig.client.start();
  rig.client.update([{ ...web, name: "shop" }, tls]);
  assert.deepEqual(
    rig.refused.map(({ name, error }) => [name, error.code]),
    [["pass", "E_REFUSED"]],
  );
  rig.client.update([{ ...web, name: "shop" }, tls]);
  assert.equal(rig.client.tunnels().length, 1);
  assert.deepEqual(rig.failures, []);
});

void test("a TLS tunnel's target cannot be asked by HTTP", async () => {
  await using server = await ServerDouble.open();
  const checked = { kind: "tls", target: "127.0.0.1:1", health: { path: "/healthz" } } as const;
  assert.throws(() => new ClientRig({ servers: [server.url], tunnels: [checked] }), failsWith("E_USAGE", /path/));
});

void test("a name that is lost while the client is away ends it", async () => {
  await using server = await ServerDouble.open();
  await using rig = new ClientRig({ servers: [server.url], tunnels: [{ ...web, name: "shop" }] });
  await rig.client.start();
  server.onRegister = () => ({ code: "name_taken" });
  server.breakAll();
  await until(() => rig.failures.length === 1, { what: "the client gives up" });
  assert.equal(rig.failures[0]?.code, "E_NAME_TAKEN");
  await until(() => rig.client.inventory().held.session === 0, { what: "nothing is held" });
});

void test("a client that was replaced, closed or revoked does not come back", async () => {
  const rows = [
    ["replaced", "E_REPLACED"],
    ["closed_by_operator", "E_CLOSED"],
    ["revoked", "E_AUTH"],
  ] as const;
  for (const [reason, code] of rows) {
    for (const how of ["drain", "close"] as const) {
      await using server = await ServerDouble.open();
      await using rig = new ClientRig({ servers: [server.url] });
      await rig.client.start();
      const { session } = await server.login(0);
      session[how](reason);
      await until(() => rig.failures.length === 1, { what: "the client gives up" });
      assert.equal(rig.failures[0]?.code, code);
      await until(() => rig.client.inventory().held.session === 0, { what: "the session is closed" });
      assert.equal(server.requests.length, 1);
      assert.deepEqual(rig.disconnections, []);
    }
  }
});

void test("told to go for another reason, it has a new session before the old one ends", async () => {
  for (const [reason, waits] of [
    ["ids_exhausted", false],
    ["shutdown", true],
  ] as const) {
    await using server = await ServerDouble.open();
    await using rig = new ClientRig({ servers: [server.url] });
    await rig.client.start();
    const first = await server.login(0);
    first.session.drain(reason);
    // The server's double drains at once, as there are no streams: what counts is that nothing was lost in between.
    const second = await server.login(1);
    await until(() => rig.tunnels.length === 2, { what: "the tunnel stands again" });
    assert.equal(second.registrations[0]?.resumeKey, "key of random");
    assert.equal(rig.disconnections.length, waits ? 1 : 0);
    assert.equal(first.hello?.instance, second.hello?.instance);
  }
});

void test("a superseded session does nothing while a newer one stands", async () => {
  await using server = await ServerDouble.open();
  await using rig = new ClientRig({ servers: [server.url] });
  await rig.client.start();
  const first = await server.login(0);
  first.session.drain("ids_exhausted");
  await server.login(1);
  await until(() => rig.tunnels.length === 2 && first.closedBy !== undefined, { what: "the second has taken over" });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(server.requests.length, 2);
});

void test("a server that keeps sending it away is not asked at once again and again", async () => {
  await using server = await ServerDouble.open();
  await using rig = new ClientRig({ servers: [server.url, server.url] });
  await rig.client.start();
  for (let n = 0; n < 3; n += 1) (await server.login(n)).session.drain("ids_exhausted");
  await server.login(3);
  assert.deepEqual(
    rig.disconnections.map(({ retryMs }) => retryMs),
    [100, 200],
  );
});

void test("an overloaded server is left alone for a while", async () => {
  await using server = await ServerDouble.open();
  await using rig = new ClientRig({ servers: [server.url] });
  await rig.client.start();
  const { session } = await server.login(0);
  session.drain("overloaded");
  await until(() => rig.disconnections.length === 1, { what: "the client has noticed" });
  assert.deepEqual([rig.disconnections[0]?.reason, rig.disconnections[0]?.retryMs], ["overloaded", 5100]);
});

void test("one tunnel of several is closed, then the last", async () => {
  await using server = await ServerDouble.open();
  const tunnels = [
    { ...web, name: "one" },
    { ...web, name: "two" },
  ];
  await using rig = new ClientRig({ servers: [server.url], tunnels });
  await rig.client.start();
  const { session } = await server.login(0);
  session.sendControl({ type: "closed", id: 1, reason: "closed_by_operator" });
  await until(() => rig.closedTunnels.length === 1, { what: "the first is closed" });
  assert.deepEqual(rig.closedTunnels, ["one closed_by_operator"]);
  assert.equal(rig.client.inventory().held.tunnel, 1);
  // It is not asked for again.
  server.breakAll();
  const again = await server.login(1);
  assert.deepEqual(
    again.registrations.map(({ name }) => name),
    ["two"],
  );
  again.session.sendControl({ type: "closed", id: 2, reason: "replaced" });
  await until(() => rig.failures.length === 1, { what: "the client gives up" });
  assert.equal(rig.failures[0]?.code, "E_REPLACED");
});

void test("logins that are refused for good", async () => {
  const rows = [
    [{ status: 401 }, "E_AUTH", /wants a token/],
    [
      { status: 403, text: "no\u001b[31m entry", headers: { "Content-Type": "text/plain" } },
      "E_AUTH",
      /403.*no \[31m entry$/,
    ],
    [{ status: 404, text: "<html>", headers: { "Content-Type": "text/html" } }, "E_CONNECT", /404 to the login$/],
    [{ status: 409, text: "one is enough" }, "E_CONNECT", /409 to the login: one is enough/],
    [{ status: 302, headers: { Location: "wss://elsewhere.test" } }, "E_CONNECT", /302 .* redirects are not followed/],
  ] as const;
  await using server = await ServerDouble.open();
  for (const [answer, code, pattern] of rows) {
    server.answer = answer;
    await using rig = new ClientRig({ servers: [server.url] });
    await assert.rejects(rig.client.start(), failsWith(code, pattern));
  }
  assert.equal(server.requests.length, rows.length);
});

void test("logins that are tried again, and Retry-After", async () => {
  await using server = await ServerDouble.open();
  server.answer = { status: 503, headers: { "Retry-After": "1" } };
  await using rig = new ClientRig({ servers: [server.url] });
  const started = rig.client.start();
  await until(() => rig.disconnections.length === 1, { what: "the first was refused" });
  assert.deepEqual([rig.disconnections[0]?.reason, rig.disconnections[0]?.retryMs], ["overloaded", 1100]);
  server.answer = { status: 502 };
  await until(() => rig.disconnections.length === 2, { what: "the second was refused" });
  assert.deepEqual([rig.disconnections[1]?.reason, rig.disconnections[1]?.retryMs], ["http_error", 100]);
  server.answer = "accept";
  await started;
  assert.deepEqual(rig.connects, ["overloaded", "http_error", "ok"]);
});

void test("the first connect may fail for so long and no longer", async () => {
  const listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const port = portOf(listener);
  listener.close();
  await once(listener, "close");
  await using rig = new ClientRig({ servers: [`ws://127.0.0.1:${port}`], limits: { firstConnectMs: 300 } });
  await assert.rejects(
    rig.client.start(),
    failsWith("E_CONNECT", /cannot reach ws:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/),
  );
  assert.ok(rig.disconnections.length >= 2);
});

void test("once connected it is tried for ever", async () => {
  const first = await ServerDouble.open();
  const { port } = first;
  await using rig = new ClientRig({ servers: [first.url], limits: { firstConnectMs: 100 } });
  await rig.client.start();
  await first.close();
  await until(() => rig.disconnections.length >= 3, { what: "it has tried several times" });
  await using second = await ServerDouble.open({ tls: false, port });
  await second.login(0);
});

void test("a server that takes the connection and says nothing", async () => {
  await using server = await ServerDouble.open();
  server.answer = "silence";
  await using rig = new ClientRig({ servers: [server.url], limits: { dialMs: 200, firstConnectMs: 100 } });
  await assert.rejects(rig.client.start(), failsWith("E_CONNECT", /did not answer within 0.2 s/));
  assert.deepEqual(new Set(rig.connects), new Set(["timeout"]));
});

void test("a server that greets and never answers the claim", async () => {
  await using server = await ServerDouble.open();
  server.onRegister = () => undefined;
  await using rig = new ClientRig({ servers: [server.url], limits: { dialMs: 200, firstConnectMs: 500 } });
  await assert.rejects(rig.client.start(), failsWith("E_CONNECT", /did not answer in time/));
  assert.ok(rig.disconnections.every(({ reason }) => reason === "handshake_timeout"));
});

void test("wss: a private authority, and none", async () => {
  await using server = await ServerDouble.open({ tls: true });
  {
    await using rig = new ClientRig({ servers: [server.url], ca: testCertificate, token: "csn_x" });
    await rig.client.start();
  }
  await using rig = new ClientRig({ servers: [server.url], limits: { firstConnectMs: 1 } });
  await assert.rejects(rig.client.start(), failsWith("E_CONNECT", /certificate .* not trusted .*--ca/));
});

void test("bad options are refused before anything is opened", () => {
  const make = (options: ConstructorParameters<typeof ClientRig>[0]) => () => new ClientRig(options);
  const servers = ["ws://127.0.0.1:1"];
  assert.throws(make({ servers: [] }), failsWith("E_USAGE"));
  assert.throws(make({ servers, tunnels: [] }), failsWith("E_USAGE"));
  assert.throws(make({ servers: ["example.com"] }), failsWith("E_USAGE"));
  assert.throws(make({ servers, tunnels: [{ kind: "http", target: "nonsense" }] }), failsWith("E_USAGE"));
  assert.throws(make({ servers: ["ws://192.0.2.1"], token: "csn_x" }), failsWith("E_USAGE", /--plaintext/));
  assert.throws(make({ servers, token: "two words" }), failsWith("E_AUTH"));
  const forbidden = { servers, tunnels: [{ kind: "http", target: "9190" } as const], forbiddenPorts: [9190] };
  assert.throws(make(forbidden), failsWith("E_USAGE", /admin/));
  assert.ok(make({ servers: ["ws://192.0.2.1"], token: "csn_x", plaintext: true })());
});

void test("closing says goodbye, and waits for nothing else", async () => {
  await using server = await ServerDouble.open();
  await using rig = new ClientRig({ servers: [server.url] });
  await rig.client.start();
  const login = await server.login(0);
  await rig.client.close();
  await until(() => login.closedBy !== undefined, { what: "the server has closed" });
  assert.deepEqual(login.goodbyes, ["goodbye"]);
  assert.equal(server.requests.length, 1);
});

void test("closing before the first connect, while dialing and while waiting", async () => {
  await using server = await ServerDouble.open();
  for (const answer of ["silence", { status: 503, headers: { "Retry-After": "60" } }] as const) {
    server.answer = answer;
    await using rig = new ClientRig({ servers: [server.url] });
    const started = rig.client.start();
    const seen = server.requests.length;
    await until(() => (answer === "silence" ? server.requests.length > seen : rig.disconnections.length > 0), {
      what: "it is under way",
    });
    const closed = rig.client.close();
    await assert.rejects(started, failsWith("E_ABORTED"));
    await closed;
  }
  await using idle = new ClientRig({ servers: [server.url] });
  await idle.client.close();
});

void test("after a sleep the wait for the next login is over", async () => {
  await using server = await ServerDouble.open();
  server.answer = { status: 503, headers: { "Retry-After": "60" } };
  await using rig = new ClientRig({ servers: [server.url] });
  const started = rig.client.start();
  await until(() => rig.disconnections.length === 1, { what: "it waits" });
  server.answer = "accept";
  // The process stands still for longer than a gap needs.
  const until1500 = performance.now() + 1500;
  while (performance.now() < until1500);
  await started;
});

void test("two servers: one name, and one of them may be away", async () => {
  await using a = await ServerDouble.open();
  await using b = await ServerDouble.open();
  await using rig = new ClientRig({ servers: [a.url, b.url], limits: { firstConnectMs: 200 } });
  await rig.client.start();
  const login = await b.login(0);
  assert.equal(login.registrations[0]?.name, "random");
  assert.equal(login.registrations[0]?.resumeKey, "key of random");
  assert.equal(login.hello?.instance, (await a.login(0)).hello?.instance);
  await until(() => rig.client.inventory().held.session === 2, { what: "both stand" });
  b.answer = { status: 404 };
  b.breakAll();
  await until(() => rig.disconnections.length >= 3, { what: "it tries again and again" });
  assert.deepEqual(rig.failures, []);
  b.answer = "accept";
  await b.login(1);
});

void test("two servers of which the first never answers", async () => {
  await using b = await ServerDouble.open();
  const limits = { firstConnectMs: 400 };
  await using rig = new ClientRig({ servers: ["ws://127.0.0.1:1", b.url], limits });
  const [tunnel] = await rig.client.start();
  assert.equal(tunnel?.server, b.url);
  await until(() => rig.disconnections.length >= 4, { what: "the first is tried again and again" });
  assert.deepEqual(rig.failures, []);
});

void test("no listener, timer or socket is left by many reconnects", async () => {
  await using server = await ServerDouble.open();
  await using rig = new ClientRig({ servers: [server.url], random: () => 0 });
  await rig.client.start();
  const before = rig.client.inventory();
  for (let n = 1; n <= 10; n += 1) {
    server.breakAll();
    await server.login(n);
    await until(() => rig.tunnels.length === n + 1, { what: "the tunnel stands again" });
  }
  await until(() => rig.client.inventory().held.deadline === before.held.deadline, { what: "deadlines are as before" });
  assert.deepEqual(rig.client.inventory(), before);
});
