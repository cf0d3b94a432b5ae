// Clients that come back: after a restart of the server under the same names, after every possible cut of a login or of an
// exchange, and over a link that delivers eight bytes at a time.

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import type { CaissonTunnel } from "../../src/assemble/connect.ts";
import { connect } from "../../src/assemble/connect.ts";
import type { CaissonServer } from "../../src/assemble/serve.ts";
import { serve } from "../../src/assemble/serve.ts";
import { TunnelClient } from "../../src/client/tunnel-client.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import { createRuntime } from "../../src/lifecycle/runtime.ts";
import { HttpTarget } from "../support/http-target.ts";
import { Relay } from "../../bench/gate/network/relay.ts";
import { openSockets } from "../support/open-files.ts";
import { RawClient } from "../support/raw-client.ts";
import { assertNothingHeld, Rig } from "../support/rig.ts";
import { digestOf, seededDigest, seededStream } from "../support/seeded-bytes.ts";
import { bytesPath, seededTarget } from "../support/seeded-target.ts";
import { until } from "../support/until.ts";
import { visit, visitText } from "../support/visitor.ts";

/** How many bytes cross the link until the first tunnel stands, with a margin. */
const loginBytes = 1_100;
/** How many cross it for one exchange, with a margin. */
const exchangeBytes = 1_200;
/** The cuts that are tried at once: each has a relay and a client of its own. */
const atOnce = 100;

const line = "0123456789".repeat(8);
const body = line.repeat(5);

/** Sends its lines one after the other, so that each travels by itself. */
function fiveLines(_: IncomingMessage, response: ServerResponse): void {
  response.setHeader("Content-Length", body.length);
  response.flushHeaders();
  let lines = 0;
  const pump = setInterval(() => {
    response.write(line);
    lines += 1;
    if (lines === 5) response.end();
  }, 5);
  response.once("close", () => clearInterval(pump));
}

function portOf(server: CaissonServer): number {
  return Number(new URL(server.url).port);
}

/** Calls `attempt` for each number below `count`, some of them at a time. */
async function forEachCut(count: number, attempt: (n: number) => Promise<void>): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => n);
  for (let from = 0; from < count; from += atOnce) await Promise.all(numbers.slice(from, from + atOnce).map(attempt));
}

/** A server with its ledger, shared by many clients. Disposing of it proves that nothing is left. */
class SharedServer {
  readonly #ledger: Ledger = new Ledger();
  readonly #socketsBefore: number = openSockets() ?? 0;
  #server: CaissonServer | undefined;

  static async start(): Promise<SharedServer> {
    const shared = new SharedServer();
    const limits = { maxVisitorsPerAddress: 2_000 };
    shared.#server = await serve({ listen: "127.0.0.1:0", subscribers: [shared.#ledger], limits });
    return shared;
  }

  get port(): number {
    return this.#server ? portOf(this.#server) : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.close({ force: true });
    assert.deepEqual(this.#ledger.outstanding, {}, "the server's ledger");
    assertNothingHeld(this.#server?.inventory().held ?? {}, "the server");
    await until(() => (openSockets() ?? 0) <= this.#socketsBefore, {
      what: "every socket is closed",
      detail: openSockets,
    });
  }
}

/** A client behind a relay of its own, that waits for nothing between its attempts to log in. */
class ImpatientClient {
  readonly relay: Relay;
  readonly name: string;
  readonly #ledger: Ledger = new Ledger();
  readonly #client: TunnelClient;
  readonly #serverPort: number;

  private constructor(relay: Relay, name: string, ports: { readonly target: number; readonly server: number }) {
    this.relay = relay;
    this.name = name;
    this.#serverPort = ports.server;
    this.#client = new TunnelClient({
      runtime: createRuntime(this.#ledger),
      version: "0.0.0",
      servers: [`ws://127.0.0.1:${relay.port}`],
      tunnels: [{ kind: "http", target: String(ports.target), name }],
      random: () => 0,
    });
  }

  /** Logs in, through a relay that cuts once after so many bytes. */
  static async start(
    name: string,
    ports: { readonly target: number; readonly server: number },
    cutAfter = 1e9,
  ): Promise<ImpatientClient> {
    const relay = await Relay.start({ port: ports.server });
    relay.cutAfter(cutAfter);
    const client = new ImpatientClient(relay, name, ports);
    try {
      await client.#client.start();
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw new Error(`the login that was cut after ${cutAfter} bytes`, { cause: error });
    }
    return client;
  }

  /** Sends a request of a visitor through it. */
  async answers(): Promise<boolean> {
    const headers = { host: `${this.name}.localhost` };
    return (await visitText(this.#serverPort, "/", { headers })).body === body;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#client.close();
    void this.#client.close();
    await closed;
    await this.relay.close();
    assert.deepEqual(this.#ledger.outstanding, {}, "the client's ledger");
    assertNothingHeld(this.#client.inventory().held, "the client");
  }
}

test("a login that is cut after any byte is followed by one that succeeds, under the same name", async () => {
  await using target = await HttpTarget.start(fiveLines);
  await using shared = await SharedServer.start();
  const ports = { target: target.port, server: shared.port };
  await forEachCut(loginBytes, async (bytes) => {
    await using client = await ImpatientClient.start(`cut-${bytes}`, ports, bytes);
    // The last cuts are still to come.
    client.relay.cutAfter(1e9);
    assert.ok(await client.answers(), `after a cut at ${bytes}`);
  });
});

test("an exchange that is cut after any byte is right, refused, or visibly cut; the next one is right", async () => {
  await using target = await HttpTarget.start(fiveLines);
  await using shared = await SharedServer.start();
  const ports = { target: target.port, server: shared.port };
  const outcomes = { whole: 0, refused: 0, cut: 0 };
  await forEachCut(exchangeBytes, async (bytes) => {
    await using client = await ImpatientClient.start(`cut-${bytes}`, ports);
    client.relay.cutAfter(bytes);
    const visitor = await RawClient.connect(shared.port);
    visitor.send(`GET / HTTP/1.1\r\nHost: ${client.name}.localhost\r\n\r\n`);
    await until(() => visitor.ending !== "open" || visitor.text.endsWith(body) || /Caisson-Error/.test(visitor.text), {
      what: "the visitor has an answer",
      detail: () => ({ bytes, text: visitor.text }),
    });
    if (visitor.text.endsWith(body)) outcomes.whole += 1;
    else if (/^HTTP\/1\.1 50[23] /.test(visitor.text)) outcomes.refused += 1;
    else {
      assert.equal(visitor.ending, "reset", `a cut at ${bytes} looks like a clean end`);
      outcomes.cut += 1;
    }
    visitor.close();
    client.relay.cutAfter(1e9);
    // The link may be cut and not yet known to be: what hits it is told so, and the next request waits for the client.
    await until(() => client.answers(), { what: `a request is answered after a cut at ${bytes}` });
  });
  for (const [outcome, count] of Object.entries(outcomes)) assert.ok(count > 0, `no exchange was ${outcome}`);
});

test("all clients of a restarted server are back under their names, asked for and random", async () => {
  await using target = await HttpTarget.start(fiveLines);
  const secret = "only for this test, and long enough";
  const before = openSockets() ?? 0;
  const ledgers = [new Ledger(), new Ledger()] as const;
  const clients = new Ledger();
  const first = await serve({ listen: "127.0.0.1:0", secret, subscribers: [ledgers[0]] });
  const tunnels: CaissonTunnel[] = [];
  for (let n = 0; n < 40; n += 1) {
    const wanted = n % 2 === 0 ? { name: `client-${n}` } : {};
    const options = { server: first.url.replace("http", "ws"), target: target.port, subscribers: [clients], ...wanted };
    tunnels.push(await connect(options));
  }
  const stood = new Map<string, string>();
  for (const tunnel of tunnels) tunnel.on("tunnel", ({ name }) => void stood.set(tunnel.name, name));
  const where = new URL(first.url).host;
  await first.close({ force: true });
  assert.deepEqual(ledgers[0].outstanding, {}, "the first server's ledger");
  const second = await serve({ listen: where, secret, subscribers: [ledgers[1]] });
  await until(() => stood.size === tunnels.length, {
    what: "all are back",
    timeoutMs: 30_000,
    detail: () => stood.size,
  });
  for (const { name } of tunnels) {
    assert.equal(stood.get(name), name);
    assert.equal((await visitText(portOf(second), "/", { headers: { host: `${name}.localhost` } })).body, body);
  }
  await Promise.all(tunnels.map((tunnel) => tunnel.close({ force: true })));
  await second.close({ force: true });
  assert.deepEqual(clients.outstanding, {}, "the clients' ledger");
  assert.deepEqual(ledgers[1].outstanding, {}, "the second server's ledger");
  await until(() => (openSockets() ?? 0) <= before, { what: "every socket is closed", detail: openSockets });
});

test("a link that delivers eight bytes at a time carries everything unchanged", async () => {
  const length = 300_000;
  await using rig = await Rig.start({ target: seededTarget, relay: { pieceBytes: 8 } });
  const headers = { "content-length": String(length) };
  const [down, up] = await Promise.all([
    visit(rig.port, bytesPath("down", length, "chunked")).then(digestOf),
    visitText(rig.port, "/", { method: "POST", headers, body: seededStream("up", length) }),
  ]);
  assert.deepEqual(down, await seededDigest("down", length));
  assert.deepEqual(JSON.parse(up.body), await seededDigest("up", length));
  assert.equal(rig.clientLedger.accounts.session.opened, 1, "in one session");
});

test("a slow link with a long way carries many exchanges at once", async () => {
  await using rig = await Rig.start({ target: seededTarget, relay: { delayMs: 40 } });
  const answers = Array.from({ length: 50 }, async (_, n) => {
    const seed = `slow ${n}`;
    const response = await visit(rig.port, bytesPath(seed, 20_000 + n));
    assert.deepEqual(await digestOf(response), await seededDigest(seed, 20_000 + n));
  });
  await Promise.all(answers);
});
