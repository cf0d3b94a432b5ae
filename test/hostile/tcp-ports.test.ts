// Clients that want ports which are not theirs, and ports whose token is revoked, expires, or loses them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "../../src/assemble/serve.ts";
import type { CaissonServer } from "../../src/assemble/serve.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import { updateTokenFile } from "../../src/tokens/token-file.ts";
import { freePort } from "../support/free-port.ts";
import { RawClient } from "../support/raw-client.ts";
import { control } from "../support/raw-peer.ts";
import { RawTarget } from "../support/raw-target.ts";
import { Rig } from "../support/rig.ts";
import type { MadeToken, Scope } from "../support/tokens.ts";
import { TokensFile } from "../support/tokens.ts";
import { until } from "../support/until.ts";
import type { SeenControl } from "./wire-client.ts";
import { WireClient } from "./wire-client.ts";
import { Words } from "./words.ts";

const range = "23000-23400";

function portIn({ url = "" }: { readonly url?: string }): number {
  return Number(/^tcp:\/\/.*:(\d+)$/.exec(url)?.[1] ?? 0);
}

async function refuses(port: number): Promise<boolean> {
  return RawClient.connect(port).then(
    (visitor) => (visitor.close(), false),
    () => true,
  );
}

interface Guarded extends AsyncDisposable {
  readonly server: CaissonServer;
  readonly port: number;
  readonly file: TokensFile;
  readonly owner: MadeToken;
}

/** A server with ports for tokens, one of them with `scope`. */
async function guarded(scope: Scope): Promise<Guarded> {
  const file = new TokensFile();
  const owner = await file.add(scope);
  const ledger = new Ledger();
  const limits = { authDelayMs: 0 };
  const server = await serve({
    listen: "127.0.0.1:0",
    tcpPorts: range,
    tokens: file.file,
    limits,
    subscribers: [ledger],
  });
  const close = async (): Promise<void> => {
    await server.close({ force: true });
    file[Symbol.dispose]();
    assert.deepEqual(ledger.outstanding, {});
    assert.equal(server.inventory().probes["ports.open"], 0);
  };
  return { server, port: Number(new URL(server.url).port), file, owner, [Symbol.asyncDispose]: close };
}

/** Changes a token where it stands in the file. */
async function rescope({ server, file, owner }: Guarded, scope: Scope): Promise<void> {
  await updateTokenFile(file.file, (entries) =>
    entries.map((entry) => (entry.id === owner.entry.id ? { ...entry, ...scope } : entry)),
  );
  await server.reload();
}

async function vanish(client: WireClient, server: CaissonServer): Promise<void> {
  client[Symbol.dispose]();
  await until(() => server.inventory().probes["names.held"] === 1, { what: "its name is held" });
}

void test("ports outside of the range, of this server itself, or that are none", async () => {
  const own = await freePort();
  await using server = await serve({ listen: `127.0.0.1:${own}`, tcpPorts: `${own}` });
  using client = await WireClient.connect(own);
  for (const [id, port, code] of [
    [1, 0, "port_invalid"],
    [2, 22, "port_invalid"],
    [3, own === 65_535 ? 1 : own + 1, "port_invalid"],
    [4, own, "port_taken"],
  ] as const) {
    assert.equal((await client.register(id, { kind: "tcp", port })).code, code, `port ${port}`);
  }
  const none = await client.register(5, { kind: "tcp" });
  assert.deepEqual([none.code, none.message], ["port_taken", "no port that it may have is free"]);
  assert.equal(server.inventory().probes["ports.open"], 0);
  for (const port of [-1, 65_536, 1.5, "22", null, [22]]) {
    using odd = await WireClient.connect(own);
    odd.send(control({ type: "register", id: 1, kind: "tcp", port }));
    await odd.gone();
    await until(() => server.inventory().held.session === 1, { what: "only the first is left" });
  }
});

void test("no more ports than the descriptors have room for, whoever asks", async () => {
  const words = new Words();
  const limits = { maxTcpPorts: 1 };
  await using server = await serve({ listen: "127.0.0.1:0", tcpPorts: "23500-23700", limits, subscribers: [words] });
  const port = Number(new URL(server.url).port);
  using client = await WireClient.connect(port);
  using other = await WireClient.connect(port);
  assert.equal((await client.register(1, { kind: "tcp" })).type, "registered");
  const refused = await other.register(1, { kind: "tcp" });
  assert.deepEqual([refused.type, refused.code], ["refused", "too_many"]);
  assert.match(refused.message ?? "", /^this server has as many TCP ports open as it may/);
  assert.deepEqual(words.refusals, ["tcp_ports"]);
  assert.equal(server.inventory().probes["ports.open"], 1);
  client.send(control({ type: "unregister", id: 1 }));
  await until(() => server.inventory().probes["ports.open"] === 0, { what: "the port is closed" });
  assert.equal((await other.register(2, { kind: "tcp" })).type, "registered");
});

void test("a port that is not in the token's scope, and a token without any", async () => {
  await using guard = await guarded({ names: ["db"], ports: [{ from: 23_001, to: 23_100 }] });
  using client = await WireClient.connect(guard.port, { token: guard.owner.token });
  const refusal = async (id: number, claim: object): Promise<readonly (string | undefined)[]> => {
    const { code, message } = await client.register(id, { kind: "tcp", ...claim });
    return [code, message];
  };
  assert.deepEqual(await refusal(1, { port: 23_101 }), ["not_allowed", "this port is not in the scope of the token"]);
  assert.deepEqual(await refusal(2, { name: "dc" }), ["not_allowed", "this name is not in the scope of the token"]);
  for (const [id, claim] of [
    [3, {}],
    [4, { name: "db" }],
  ] as const) {
    const port = portIn(await client.register(id, { kind: "tcp", ...claim }));
    assert.ok(port >= 23_001 && port <= 23_100);
  }
  const poor = await guard.file.add({ ports: [{ from: 22, to: 22 }] });
  await guard.server.reload();
  using other = await WireClient.connect(guard.port, { token: poor.token });
  const none = await other.register(1, { kind: "tcp" });
  assert.deepEqual([none.code, none.message], ["not_allowed", "no port of this server is in the scope of the token"]);
});

void test("the port of a client that vanished is its token's, whatever else changes in the file", async () => {
  // No names at all: the random name needs no scope, its port does.
  await using guard = await guarded({ names: [], ports: [{ from: 23_000, to: 23_400 }] });
  const { server, file, owner } = guard;
  const granted = await (async (): Promise<SeenControl> => {
    const client = await WireClient.connect(guard.port, { token: owner.token });
    const answer = await client.register(1, { kind: "tcp" });
    await vanish(client, server);
    return answer;
  })();
  const port = portIn(granted);
  const { name = "", resumeKey = "" } = granted;
  const thief = await file.add({ ports: [{ from: 23_000, to: 23_400 }] });
  await server.reload();
  assert.equal(server.inventory().probes["names.held"], 1, "another token is no reason to let go of it");
  using other = await WireClient.connect(guard.port, { token: thief.token });
  assert.equal((await other.register(1, { kind: "tcp", port })).code, "port_taken");
  assert.equal((await other.register(2, { kind: "tcp", name, resumeKey, port })).code, "name_taken");
  const again = await WireClient.connect(guard.port, { token: owner.token });
  assert.equal(portIn(await again.register(1, { kind: "tcp", name, resumeKey })), port);
  await vanish(again, server);
  // A port that leaves the scope is given up at once, though nobody is there.
  await rescope(guard, { ports: [{ from: 1, to: 1 }] });
  assert.equal(server.inventory().probes["names.held"], 0);
  assert.ok(await refuses(port));
  assert.equal(portIn(await other.register(3, { kind: "tcp", port })), port);
});

void test("a tunnel whose port leaves the scope ends, one whose token is revoked or expires as well", async () => {
  await using target = await RawTarget.start((socket) => socket.pipe(socket));
  const file = new TokensFile();
  using _ = file;
  const ports = [{ from: 23_000, to: 23_400 }];
  const lasting = await file.add({ ports });
  const serving = { listen: "127.0.0.1:0", tcpPorts: range, tokens: file.file, limits: { authDelayMs: 0 } };
  await using rig = await Rig.start({ targetPort: target.port, serve: serving, connect: { token: lasting.token } });
  for (const end of ["revoked", "expired", "rescoped"] as const) {
    const made = await file.add({ ports, ...(end === "expired" ? { expiresMs: Date.now() + 1_500 } : {}) });
    await rig.server.reload();
    const tunnel = await rig.connectAnother({ type: "tcp", name: end, token: made.token });
    const port = portIn(tunnel);
    const visitor = await RawClient.connect(port);
    visitor.send("hello");
    await visitor.receive("hello");
    if (end === "revoked") await file.revoke(made.entry.id);
    if (end === "rescoped") {
      await updateTokenFile(file.file, (entries) =>
        entries.map((entry) => (entry.id === made.entry.id ? { ...entry, ports: [{ from: 1, to: 1 }] } : entry)),
      );
    }
    const error = await tunnel.closed;
    assert.ok(error instanceof Error);
    assert.match(error.message, end === "rescoped" ? /may not use this name or port/ : /revoked/);
    await until(() => refuses(port), { what: `${end}: the port is closed` });
    // A session that has ended cuts its visitors; one that only lost a tunnel lets them finish.
    if (end !== "rescoped") assert.equal(await visitor.ended(), "reset");
    visitor.close();
  }
  assert.equal((await rig.fetch("/")).status, 502, "the other token's tunnel stands; its target speaks no HTTP");
});
