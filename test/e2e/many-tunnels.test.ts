// Several tunnels of one client: one session carries them all, a change touches only what differs, and a target that is
// not well is taken out of service and put back.

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import type { CaissonClient, ConnectTunnelsOptions, NamedTunnelOptions } from "../../src/assemble/connect.ts";
import { connectTunnels } from "../../src/assemble/connect.ts";
import type { RefusedTunnel, TunnelHealth } from "../../src/client/observer.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

/** What the rig's own tunnel, the catch-all, answers for names that are nobody's. */
const nobody = "GET /";

interface Target extends AsyncDisposable {
  readonly port: number;
}

async function startTarget(listener: RequestListener): Promise<Target> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: stop };
}

function saying(word: string): Promise<Target> {
  return startTarget((_, response) => void response.end(word));
}

/** A client of the rig's server with these tunnels, in the rig's ledger. It must be closed before the rig. */
async function publish(
  rig: Rig,
  tunnels: readonly NamedTunnelOptions[],
  options: Partial<ConnectTunnelsOptions> = {},
): Promise<CaissonClient> {
  const server = rig.server.url.replace("http", "ws");
  return connectTunnels({ server, tunnels, subscribers: [rig.clientLedger], ...options });
}

async function ask(rig: Rig, name: string): Promise<string> {
  const { status, body, headers } = await rig.fetch("/", { headers: { host: `${name}.localhost` } });
  const error = headers["caisson-error"];
  return error === undefined ? body : `${status} ${String(error)}`;
}

void test("all tunnels of a client use one session", async () => {
  await using a = await saying("from a");
  await using b = await saying("from b");
  await using rig = await Rig.start();
  await using client = await publish(rig, [
    { key: "one", name: "one", target: a.port },
    { key: "two", name: "two", target: b.port },
    { key: "any", target: b.port },
  ]);
  assert.deepEqual(
    client.tunnels.map(({ name }) => name.length),
    [3, 3, 16],
  );
  assert.equal(rig.serverLedger.accounts.session.opened, 2, "the rig's own, and one");
  assert.deepEqual([await ask(rig, "one"), await ask(rig, "two")], ["from a", "from b"]);
  assert.equal(await ask(rig, client.tunnels[2]?.name ?? ""), "from b");
});

void test("two servers carry the same tunnels, one session each, and go on without each other", async () => {
  await using a = await saying("from a");
  // Only with the same secret do servers know each other's random names.
  const serve = { secret: "known to both of them" };
  await using rig = await Rig.start({ serve });
  await using second = await Rig.start({ serve });
  const servers = [rig, second].map(({ server }) => server.url.replace("http", "ws"));
  await using client = await publish(
    rig,
    [
      { key: "one", name: "one", target: a.port },
      { key: "any", target: a.port },
    ],
    { server: servers },
  );
  await until(() => client.tunnels.length === 4, { what: "both stand on both" });
  const random = new Set(client.tunnels.map(({ name }) => name).filter((name) => name !== "one"));
  assert.equal(random.size, 1, "the random name is the same");
  assert.deepEqual([await ask(rig, "one"), await ask(second, "one")], ["from a", "from a"]);
  assert.equal(second.serverLedger.accounts.session.opened, 2);
  client.update([{ key: "one", name: "one", target: a.port }]);
  await until(() => client.tunnels.length === 2, { what: "the other is given back on both" });
});

void test("a change touches only what differs", async () => {
  await using a = await saying("from a");
  await using b = await saying("from b");
  const held: (() => void)[] = [];
  await using slow = await startTarget((_, response) => {
    response.write("slow ");
    held.push(() => response.end("end"));
  });
  await using rig = await Rig.start();
  await using client = await publish(rig, [
    { key: "stays", name: "stays", target: a.port },
    { key: "moves", name: "moves", target: slow.port },
    { key: "goes", name: "goes", target: b.port },
  ]);
  const opened = rig.serverLedger.accounts.tunnel.opened;
  const visitor = await RawClient.connect(rig.port);
  visitor.send("GET / HTTP/1.1\r\nHost: moves.localhost\r\nConnection: close\r\n\r\n");
  await visitor.receive("slow ");
  const changes = client.update([
    { key: "stays", name: "stays", target: a.port },
    { key: "moves", name: "moves", target: b.port },
    { key: "comes", name: "comes", target: a.port },
  ]);
  assert.deepEqual(changes, { added: 1, removed: 1, changed: 1 });
  await until(() => client.tunnels.some(({ name }) => name === "comes"), { what: "the new tunnel stands" });
  assert.deepEqual(await Promise.all(["stays", "moves", "comes", "goes"].map((name) => ask(rig, name))), [
    "from a",
    "from b",
    "from a",
    nobody,
  ]);
  // What was under way ends where it began.
  for (const finish of held) finish();
  await visitor.receive("end");
  await visitor.ended();
  visitor.close();
  assert.equal(rig.serverLedger.accounts.tunnel.opened, opened + 1);
  assert.equal(rig.serverLedger.accounts.session.opened, 2);
  await rig.quiet();
  // Nothing stays open to a target that is nobody's any more.
  await until(() => client.inventory().probes["client.pool.idle"] === client.inventory().held.local_socket, {
    what: "what is open idles",
    detail: () => client.inventory(),
  });
  assert.deepEqual(client.update([{ key: "stays", name: "stays", target: a.port }]), {
    added: 0,
    removed: 2,
    changed: 0,
  });
  await until(async () => (await ask(rig, "moves")) === nobody, { what: "the rest is gone" });
  assert.equal(await ask(rig, "stays"), "from a");
});

void test("a wrong change changes nothing", async () => {
  await using a = await saying("from a");
  await using rig = await Rig.start();
  await using client = await publish(rig, [{ key: "one", name: "one", target: a.port }]);
  const wrongs: readonly (readonly NamedTunnelOptions[])[] = [
    [],
    [{ key: "one", name: "one", target: "http://x/path" }],
    [
      { key: "one", target: 1 },
      { key: "one", target: 2 },
    ],
    [
      { key: "two", name: "two", target: a.port },
      { key: "one", name: "one", target: 0 },
    ],
  ];
  for (const wrong of wrongs) assert.throws(() => client.update(wrong), CaissonError);
  assert.equal(await ask(rig, "one"), "from a");
  assert.equal(await ask(rig, "two"), nobody);
});

void test("a name that cannot be had later on leaves the other tunnels alone, and is asked for again", async () => {
  await using a = await saying("from a");
  await using rig = await Rig.start();
  await using client = await publish(rig, [{ key: "one", name: "one", target: a.port }]);
  const lost: RefusedTunnel[] = [];
  client.on("tunnelLost", (what) => lost.push(what));
  const wanted = [
    { key: "one", name: "one", target: a.port },
    { key: "two", name: "taken", target: a.port },
  ];
  const other = await rig.connectAnother({ name: "taken" });
  client.update(wanted);
  await until(() => lost.length === 1, { what: "it is refused" });
  assert.deepEqual([lost[0]?.name, lost[0]?.error.code], ["taken", "E_NAME_TAKEN"]);
  assert.equal(await ask(rig, "one"), "from a");
  await other.close();
  client.update(wanted);
  await until(async () => (await ask(rig, "taken")) === "from a", { what: "it is had at last" });
});

void test("at the start, one name that cannot be had ends the client", async () => {
  await using rig = await Rig.start();
  const tunnels = [
    { key: "one", name: "one", target: 1 },
    { key: "two", name: "demo", target: 1 },
  ];
  await assert.rejects(
    publish(rig, tunnels),
    (error) => error instanceof CaissonError && error.code === "E_NAME_TAKEN",
  );
});

void test("after a reconnect all tunnels stand again, with what was changed meanwhile", async () => {
  await using a = await saying("from a");
  await using rig = await Rig.start({ relay: {} });
  const server = `ws://127.0.0.1:${rig.relay.port}`;
  await using client = await publish(
    rig,
    [
      { key: "one", name: "one", target: a.port },
      { key: "two", name: "two", target: a.port },
    ],
    { server },
  );
  rig.relay.cut();
  client.update([
    { key: "one", name: "one", target: a.port },
    { key: "three", name: "three", target: a.port },
  ]);
  await until(async () => (await ask(rig, "one")) === "from a" && (await ask(rig, "three")) === "from a", {
    what: "both stand",
    timeoutMs: 20_000,
  });
});

void test("a target that fails its checks is out of service, and comes back", async () => {
  let status = 200;
  await using target = await startTarget((request, response) => {
    response.statusCode = request.url === "/healthz" ? status : 200;
    response.end("well");
  });
  await using rig = await Rig.start();
  const health = { path: "/healthz", intervalMs: 100, failAfter: 2, passAfter: 1 };
  await using client = await publish(rig, [
    { key: "one", name: "one", target: target.port, health },
    { key: "two", name: "two", target: target.port },
  ]);
  const verdicts: TunnelHealth[] = [];
  client.on("health", (what) => verdicts.push(what));
  assert.equal(await ask(rig, "one"), "well");
  status = 503;
  await until(() => verdicts.length === 1, { what: "it is out of service" });
  assert.deepEqual([verdicts[0]?.inService, verdicts[0]?.why], [false, "it answers 503"]);
  assert.deepEqual([await ask(rig, "one"), await ask(rig, "two")], ["502 target_unreachable", "well"]);
  assert.equal(client.inventory().probes["client.out_of_service"], 1);
  status = 204;
  await until(() => verdicts.length === 2, { what: "it is back" });
  assert.equal(verdicts[1]?.inService, true);
  assert.equal(await ask(rig, "one"), "well");
});

void test("checks notice targets that hang, talk nonsense or are not there", async () => {
  const sockets = new Set<{ destroy(): void }>();
  const servers = [
    createTcpServer((socket) => void sockets.add(socket)),
    createTcpServer((socket) => {
      sockets.add(socket.on("error", () => undefined));
      socket.end("220 smtp ready\r\n");
    }),
  ];
  for (const server of servers) await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const [silent = 0, mail = 0] = servers.map((server) => (server.address() as AddressInfo).port);
  await using rig = await Rig.start();
  const check = { intervalMs: 100, timeoutMs: 300, failAfter: 1, passAfter: 1 };
  const tunnels: readonly NamedTunnelOptions[] = [
    { key: "hangs", name: "hangs", target: silent, health: { ...check, path: "/" } },
    { key: "post", name: "post", target: mail, health: { ...check, path: "/" } },
    { key: "gone", name: "gone", target: 1, health: check },
    // To be reached is all that is asked of this one.
    { key: "open", name: "open", target: silent, health: check },
  ];
  const verdicts = new Map<string | undefined, string>();
  {
    await using client = await publish(rig, tunnels);
    client.on("health", ({ name, why }) => verdicts.set(name, why));
    await until(() => verdicts.size === 3, { what: "three are out of service", detail: () => [...verdicts] });
    assert.equal(verdicts.get("hangs"), "it did not answer in time");
    assert.equal(verdicts.get("post"), "its answer is no HTTP");
    assert.match(verdicts.get("gone") ?? "", /ECONNREFUSED/);
    // A target that is replaced is thought well until it is not.
    client.update(tunnels.with(2, { key: "gone", name: "gone", target: silent, health: check }));
    await until(() => verdicts.get("gone") === "", { what: "another target is in service" });
  }
  for (const socket of sockets) socket.destroy();
  for (const server of servers) await new Promise<void>((resolve) => void server.close(() => resolve()));
});
