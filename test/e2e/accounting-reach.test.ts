// Nobody reaches a private listener through a tunnel: what came through one is refused, and the client leads nowhere near.

import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { test } from "node:test";
import { connect } from "../../src/assemble/connect.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { PrivateAdmin } from "../support/admin-reader.ts";
import { Rig } from "../support/rig.ts";

function usageSaying(words: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof CaissonError && error.code === "E_USAGE" && words.test(error.message);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("a tunnel to a private listener gets 403 for everything, with and without the token", async () => {
  using admin = new PrivateAdmin();
  await using rig = await Rig.start({ serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options } });
  const adminPort = Number(new URL(rig.server.admin).port);
  // Its port is not the usual one, so the client cannot know what it leads to.
  await rig.connectAnother({ name: "inside", target: adminPort, hostHeader: "rewrite" });
  await rig.connectAnother({ name: "inside-local", target: `127.0.0.1:${adminPort}`, hostHeader: "localhost" });
  const token = { authorization: `Bearer ${admin.token}` };
  for (const host of ["inside.localhost", "inside-local.localhost"]) {
    for (const path of ["/livez", "/metrics", "/debug/resources", "/", "/debug/heap/snapshots"]) {
      for (const headers of [{ host }, { host, ...token }, { host, ...token, connection: "via, x-forwarded-for" }]) {
        const answer = await rig.fetch(path, { headers });
        assert.equal(answer.status, 403, `${host}${path}`);
        assert.match(answer.body, /through a proxy or a tunnel/u);
      }
    }
    const login = await rig.fetch("/login", { method: "POST", headers: { host }, body: "{}" });
    assert.equal(login.status, 403);
    assert.equal(login.headers["set-cookie"], undefined);
  }
  assert.equal((await admin.reader(rig.server).ask("/livez")).status, 200);
});

test("the client refuses its own private listener, and the usual one of a server beside it", async () => {
  const port = await freePort();
  const server = "ws://127.0.0.1:1";
  for (const target of [port, `127.0.0.1:${port}`, `http://localhost:${port}`, `[::1]:${port}`, `0.0.0.0:${port}`]) {
    await assert.rejects(
      connect({ server, target, admin: `127.0.0.1:${port}` }),
      usageSaying(/private admin listener/u),
      String(target),
    );
  }
  for (const beside of ["ws://127.0.0.1:1", "wss://localhost:1", ["wss://t.invalid", "ws://[::1]:1"]]) {
    await assert.rejects(connect({ server: beside, target: 9190 }), usageSaying(/private admin listener/u));
  }
  // Nothing is added to what a TCP tunnel carries, by which the listener could know it: so this is all the more needed.
  for (const target of [port, `[::1]:${port}`, 9190, "0.0.0.0:9190"]) {
    const raw = connect({ server, target, type: "tcp", admin: `127.0.0.1:${port}` });
    await assert.rejects(raw, usageSaying(/private admin listener/u), String(target));
  }
  // A server elsewhere has its private listener elsewhere.
  const elsewhere = connect({ server: "wss://t.invalid", target: 9190, limits: { firstConnectMs: 1 } });
  await assert.rejects(elsewhere, (error) => error instanceof CaissonError && error.code === "E_CONNECT");
});

test("a name that turns out to lead to the private listener leads nowhere", async (t) => {
  // Names for this machine that no reader of addresses could know; most systems have one of them.
  const found = await Promise.all(["ip6-loopback", "ip6-localhost", hostname()].map(addressOf));
  const known = found.find((place) => place !== undefined);
  if (!known) {
    t.skip("no name of this machine is known beside localhost");
    return;
  }
  await using rig = await Rig.start();
  const port = await freePort();
  const admin = `${known.address.includes(":") ? `[${known.address}]` : known.address}:${port}`;
  const tunnel = await rig.connectAnother({ name: "roundabout", target: `${known.name}:${port}`, admin });
  assert.notEqual(tunnel.admin, "");
  const answer = await rig.fetch("/livez", { headers: { host: "roundabout.localhost" } });
  assert.equal(answer.status, 502);
});

/** An address of this machine, and a name for it. */
async function addressOf(name: string): Promise<{ readonly name: string; readonly address: string } | undefined> {
  try {
    const { address } = await lookup(name);
    return address.startsWith("127.") || address === "::1" ? { name, address } : undefined;
  } catch {
    return undefined;
  }
}
