// A client behind an HTTP proxy: a real one, with and without a password, and proxies that misbehave.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "../../src/assemble/connect.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import { Authority } from "../support/authority.ts";
import { findProgram, needs } from "../support/debian.ts";
import { RawTarget } from "../support/raw-target.ts";
import { Rig } from "../support/rig.ts";
import { startCaisson } from "../support/run.ts";
import { RawClient } from "../support/raw-client.ts";
import { until } from "../support/until.ts";
import { listening, portOf } from "../support/ws-pair.ts";

/** A tinyproxy on a free port. */
class Tinyproxy {
  readonly port: number;
  readonly #folder: string;
  readonly #end: () => Promise<void>;
  log = "";

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    const child = spawn(findProgram("tinyproxy") ?? "", ["-d", "-c", join(folder, "conf")]);
    child.stdout.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    const exited = new Promise<void>((resolve) => void child.once("close", () => resolve()));
    this.#end = () => (child.kill("SIGKILL"), exited);
  }

  static async start(auth = ""): Promise<Tinyproxy> {
    const probe = await listening(createServer());
    const port = portOf(probe);
    await new Promise<void>((resolve) => void probe.close(() => resolve()));
    const folder = mkdtempSync(join(tmpdir(), "caisson-proxy-"));
    writeFileSync(join(folder, "conf"), `Port ${port}\nListen 127.0.0.1\nTimeout 60\nLogLevel Info\n${auth}\n`);
    const proxy = new Tinyproxy(port, folder);
    await until(() => reachable(port), { what: "the proxy listens", detail: () => proxy.log });
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function reachable(port: number): Promise<boolean> {
  try {
    (await RawClient.connect(port)).close();
    return true;
  } catch {
    return false;
  }
}

test(
  "wss:// through a proxy with a password, by the environment; the password is told to nobody",
  needs("tinyproxy"),
  async () => {
    using authority = await Authority.create();
    await using proxy = await Tinyproxy.start("BasicAuth user s3cretword");
    // 0.0.0.0 leads to this machine, but is not known for it: loopback is never reached through a proxy.
    const pair = await authority.issue(["0.0.0.0", "127.0.0.1"]);
    await using rig = await Rig.start({
      serve: { listen: "off", listenTls: "127.0.0.1:0", tls: [pair], catchAll: "demo" },
      connect: { ca: authority.ca },
    });
    const server = `wss://0.0.0.0:${new URL(rig.server.url).port}`;
    const environment = (credentials: string): Readonly<Record<string, string>> => ({
      HTTPS_PROXY: `http://${credentials}127.0.0.1:${proxy.port}`,
      NO_PROXY: "",
    });
    const args = ["http", "1", "--json", "--server", server, "--ca", authority.caFile, "--name", "proxied"];
    {
      await using client = startCaisson(args, { env: environment("user:s3cretword@") });
      assert.equal((await client.event("tunnel"))["name"], "proxied");
      assert.match(proxy.log, /CONNECT 0\.0\.0\.0:/);
      assert.equal((await client.stop()).code, 0);
      assert.doesNotMatch(client.lines.join() + client.stderr, /s3cretword|dXNlcjpzM2NyZXR3b3Jk/);
    }
    await using stranger = startCaisson([...args, "--first-connect-timeout", "0"], { env: environment("user:wr0ng@") });
    assert.equal((await stranger.exit()).code, 5);
    assert.match(stranger.stderr, /the proxy http:\/\/127\.0\.0\.1:\d+ refused the user name or the password/);
    assert.doesNotMatch(stranger.lines.join() + stranger.stderr, /wr0ng/);
  },
);

test("ws:// through a proxy without a password, by options", needs("tinyproxy"), async () => {
  await using proxy = await Tinyproxy.start();
  await using rig = await Rig.start();
  const proxies = { http: `http://127.0.0.1:${proxy.port}` };
  const tunnel = await rig.connectAnother({ server: `ws://0.0.0.0:${rig.port}`, name: "other", proxies });
  assert.match(proxy.log, /CONNECT 0\.0\.0\.0:/);
  assert.equal((await rig.fetch("/", { headers: { host: "other.localhost" } })).status, 200);
  await tunnel.close();
});

const misbehaviours: readonly [what: string, answer: string | undefined, message: RegExp][] = [
  ["wants a password", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", /wants a user name and a password/],
  ["refuses", "HTTP/1.0 403 Filtered\r\n\r\n", /refused the connection with 403/],
  ["answers nonsense", "SSH-2.0-hello\r\n\r\n", /no HTTP/],
  ["answers without an end", "x".repeat(20_000), /no HTTP/],
  ["says nothing", undefined, /did not answer within/],
];

for (const [what, answer, message] of misbehaviours) {
  test(`a proxy that ${what} is reported, and nothing is left`, async () => {
    await using proxy = await RawTarget.start((socket) => {
      socket.on("data", () => answer !== undefined && socket.write(answer));
    });
    const ledger = new Ledger();
    const failed = connect({
      server: "ws://0.0.0.0:9",
      target: 1,
      proxies: { http: `http://127.0.0.1:${proxy.port}` },
      subscribers: [ledger],
      limits: { dialMs: 300, firstConnectMs: 0 },
    });
    await assert.rejects(failed, (error) => {
      assert.ok(error instanceof CaissonError);
      assert.equal(error.code, "E_CONNECT");
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(ledger.outstanding, {});
    await until(() => proxy.sockets.size === 0, { what: "the connection to the proxy is closed" });
  });
}
