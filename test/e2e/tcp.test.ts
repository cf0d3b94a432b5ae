// TCP tunnels: a public port that leads to a target, bytes as they are, each direction ending by itself.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { test } from "node:test";
import { serve } from "../../src/assemble/serve.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { RawClient } from "../support/raw-client.ts";
import { RawTarget } from "../support/raw-target.ts";
import type { RigOptions } from "../support/rig.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { listening, portOf } from "../support/ws-pair.ts";

const range = "21000-21400";

async function tcpRig(target: RawTarget, extra: RigOptions = {}): Promise<Rig> {
  return Rig.start({
    ...extra,
    targetPort: target.port,
    serve: { listen: "127.0.0.1:0", tcpPorts: range, ...extra.serve },
    connect: { type: "tcp", ...extra.connect },
  });
}

function portIn(url: string): number {
  return Number(/^tcp:\/\/.*:(\d+)$/.exec(url)?.[1] ?? 0);
}

/** Says back what it hears, and ends when the other side does. */
function echo(): Promise<RawTarget> {
  return RawTarget.start((socket) => socket.pipe(socket), { halfOpen: true });
}

test("bytes go both ways, large and exact, and a half-close is kept", async () => {
  await using target = await echo();
  await using rig = await tcpRig(target);
  const port = portIn(rig.tunnel.url);
  assert.ok(port >= 21_000 && port <= 21_400);
  assert.equal(rig.tunnel.url, `tcp://localhost:${port}`);
  assert.equal(rig.tunnel.direct.url, `tcp://127.0.0.1:${port}`);
  const visitor = await RawClient.connect(port);
  const bytes = randomBytes(8_000_000);
  visitor.send(bytes);
  visitor.end();
  assert.equal(await visitor.ended(30_000), "fin");
  const digest = (data: Buffer): string => createHash("sha256").update(data).digest("hex");
  assert.equal(digest(visitor.bytes), digest(bytes));
  visitor.close();
  await rig.quiet();
});

test("a reset at one side is a reset at the other, and a target that refuses resets its visitors", async () => {
  await using target = await RawTarget.start((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
  });
  await using rig = await tcpRig(target);
  const port = portIn(rig.tunnel.url);
  const cut = await RawClient.connect(port);
  cut.send("x");
  assert.equal(await cut.ended(), "reset");
  const leaver = await RawClient.connect(port);
  await until(() => target.sockets.size === 1, { what: "the target has the visitor" });
  leaver.reset();
  await until(() => target.sockets.size === 0, { what: "the target sees it leave" });
  await target[Symbol.asyncDispose]();
  const refused = await RawClient.connect(port);
  assert.equal(await refused.ended(), "reset");
});

test("a port that was asked for is given, once, within the range, and away with its tunnel", async () => {
  await using target = await echo();
  await using rig = await tcpRig(target);
  const wanted = portIn(rig.tunnel.url) === 21_399 ? 21_398 : 21_399;
  const first = await rig.connectAnother({ type: "tcp", port: wanted, name: "first" });
  assert.equal(portIn(first.url), wanted);
  const refusals: readonly [port: number, message: RegExp][] = [
    [wanted, new RegExp(`refused a TCP tunnel named other on port ${wanted}: this port is in use; choose another`)],
    [20_999, /on port 20999: this port is outside of the server's range$/],
  ];
  for (const [port, message] of refusals) {
    await assert.rejects(rig.connectAnother({ type: "tcp", port, name: "other" }), message);
  }
  const other = await rig.connectAnother({ type: "tcp", name: "other" });
  const freed = portIn(other.url);
  assert.notEqual(freed, wanted);
  await other.close();
  await until(
    async () =>
      RawClient.connect(freed).then(
        (client) => (client.close(), false),
        () => true,
      ),
    {
      what: "the port is closed",
    },
  );
  const next = await rig.connectAnother({ type: "tcp", port: freed, name: "next" });
  assert.equal(portIn(next.url), freed);
  assert.equal((await rig.fetch("/", { headers: { host: "next.localhost" } })).status, 404, "it is no HTTP tunnel");
});

test("a port comes back after a lost session; visitors wait for it", async () => {
  await using target = await echo();
  await using rig = await tcpRig(target, { relay: {}, connect: { limits: { stableMs: 1 } } });
  const port = portIn(rig.tunnel.url);
  let again = "";
  rig.tunnel.on("tunnel", ({ url }) => (again = url));
  rig.relay.cut();
  const noticed = (): boolean => again !== "" || rig.server.inventory().probes["names.held"] === 1;
  await until(noticed, { what: "the server has noticed" });
  const visitor = await RawClient.connect(port);
  visitor.send("hello");
  await visitor.receive("hello");
  assert.equal(again, rig.tunnel.url);
  assert.equal(portIn(again), port);
  visitor.close();
  await rig.quiet();
});

test("without a range there are no TCP tunnels, and a port of another process is not given", async () => {
  await using target = await echo();
  await assert.rejects(tcpRig(target, { serve: { tcpPorts: "nonsense" } }), /no range of ports/);
  const taken = await listening(createServer());
  const port = portOf(taken);
  await using server = await serve({ listen: "127.0.0.1:0", tcpPorts: `${port}` });
  const { connect } = await import("../../src/assemble/connect.ts");
  const url = server.url.replace("http", "ws");
  await assert.rejects(connect({ server: url, target: target.port, type: "tcp" }), (error) => {
    assert.ok(error instanceof CaissonError);
    return error.message.endsWith(" refused a TCP tunnel: no port that it may have is free");
  });
  taken.close();
});
