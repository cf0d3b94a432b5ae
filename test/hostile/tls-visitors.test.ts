// Visitors who misuse the way in: silence, halves, nonsense and too many at once before a TLS connection stands, bad
// files and a PROXY header from those who may not send one. Nothing is kept for them, and the next visitor is served.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";
import { connect as connectTcp, createServer } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { connect } from "../../src/assemble/connect.ts";
import { serve } from "../../src/assemble/serve.ts";
import type { ServeOptions } from "../../src/assemble/serve.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { newToken } from "../../src/tokens/token-text.ts";
import { Authority } from "../support/authority.ts";
import { needs } from "../support/debian.ts";
import { firstHello } from "../support/first-hello.ts";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import { runCaisson } from "../support/run.ts";
import { fetchTls } from "../support/tls-visitor.ts";
import { until } from "../support/until.ts";
import { portOf } from "../support/ws-pair.ts";
import { Words } from "./words.ts";

const options = needs("openssl");
const firstRecord = Buffer.from("160301020001", "hex");

class TlsRig {
  readonly rig: Rig;
  readonly words: Words;
  readonly port: number;
  readonly #authority: Authority;

  private constructor(rig: Rig, words: Words, authority: Authority) {
    this.rig = rig;
    this.words = words;
    this.port = Number(new URL(rig.server.tlsUrl).port);
    this.#authority = authority;
  }

  static async start(extra: ServeOptions = {}): Promise<TlsRig> {
    const authority = await Authority.create();
    const words = new Words();
    const pair = await authority.issue(["*.tunnels.test"]);
    const rig = await Rig.start({
      serverSubscribers: [words],
      target: (request, response) => {
        if (request.method === "GET") response.end(String(request.headers["x-forwarded-for"]));
      },
      serve: {
        listen: "127.0.0.1:0",
        listenTls: "127.0.0.1:0",
        tls: [pair],
        catchAll: "demo",
        domain: "tunnels.test",
        ...extra,
      },
    });
    return new TlsRig(rig, words, authority);
  }

  get arriving(): number {
    return this.rig.server.inventory().probes["visitors.arriving"] ?? -1;
  }

  async servesOn(): Promise<void> {
    const answer = await fetchTls("/", { port: this.port, ca: this.#authority.ca });
    assert.deepEqual([answer.status, answer.body], [200, "127.0.0.1"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig.close();
    this.#authority[Symbol.dispose]();
  }
}

test(
  "silence, a part of a ClientHello and one byte at a time: closed without a word when the time is over",
  options,
  async () => {
    await using tls = await TlsRig.start({ limits: { arrivalMs: 500 } });
    const silent = await RawClient.connect(tls.port);
    const partial = await RawClient.connect(tls.port);
    partial.send(firstRecord);
    const trickling = await RawClient.connect(tls.port);
    trickling.send(Buffer.concat([firstRecord, Buffer.from([0, 1, 252])]));
    await until(() => tls.arriving === 3, { what: "all of them are on the way" });
    while (trickling.ending === "open") {
      trickling.send("\0");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const visitor of [silent, partial, trickling]) {
      await visitor.ended();
      assert.equal(visitor.text, "");
      visitor.close();
    }
    assert.deepEqual(tls.words.refusals, ["arrival_timeout", "arrival_timeout", "arrival_timeout"]);
    await tls.servesOn();
  },
);

test("a ClientHello, and then nothing", options, async () => {
  await using tls = await TlsRig.start({ limits: { arrivalMs: 500 } });
  // A client whose words reach the server, but that never sees an answer.
  const raw = connectTcp({ port: tls.port, host: "127.0.0.1" });
  const halfway = connectTls({ socket: raw, servername: "demo.tunnels.test" });
  halfway.on("error", () => undefined);
  raw.on("error", () => undefined);
  raw.pause();
  const visitor = await RawClient.connect(tls.port);
  const [hello] = await Promise.all([
    firstHello({ servername: "demo.tunnels.test" }),
    until(() => tls.arriving >= 1, { what: "one is on the way" }),
  ]);
  visitor.send(hello);
  await until(() => visitor.bytes.length > 0, { what: "the server has answered" });
  await visitor.ended();
  visitor.close();
  halfway.destroy();
  raw.destroy();
  await until(() => tls.arriving === 0, { what: "nobody is on the way" });
  assert.ok(tls.words.refusals.includes("arrival_timeout"));
  await tls.servesOn();
});

test("what is no TLS, or not a good one, is closed and counted", options, async () => {
  await using tls = await TlsRig.start();
  const cases: readonly [what: string, bytes: Buffer | string, reason: string][] = [
    ["plain HTTP", "GET / HTTP/1.1\r\nHost: demo.tunnels.test\r\n\r\n", "not_tls"],
    ["SSH", "SSH-2.0-OpenSSH_9.2\r\n", "not_tls"],
    ["another message", Buffer.from("1603010004020000ff", "hex"), "bad_client_hello"],
    ["too large", Buffer.from("160301000401ffffff", "hex"), "hello_too_large"],
    ["a PROXY header that nobody asked for", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "not_tls"],
  ];
  for (const [what, bytes, reason] of cases) {
    const visitor = await RawClient.connect(tls.port);
    visitor.send(bytes);
    await visitor.ended();
    assert.equal(visitor.text, "", what);
    assert.equal(tls.words.refusals.at(-1), reason, what);
    visitor.close();
  }
  await tls.servesOn();
});

test("only so many may be on their way at once; they hold up nobody who has arrived", options, async () => {
  await using tls = await TlsRig.start({ limits: { maxArrivals: 5 } });
  const crowd = await Promise.all(Array.from({ length: 5 }, () => RawClient.connect(tls.port)));
  await until(() => tls.arriving === 5, { what: "they are on the way" });
  const more = await RawClient.connect(tls.port);
  await more.ended();
  assert.deepEqual(tls.words.refusals, ["arrivals"]);
  assert.equal((await tls.rig.fetch("/")).status, 200, "visitors without TLS come in");
  for (const visitor of [...crowd, more]) visitor.close();
  await until(() => tls.arriving === 0, { what: "they are gone" });
  await tls.servesOn();
});

test("nonsense inside of an encrypted connection cuts it, and the request with it", options, async () => {
  await using tls = await TlsRig.start();
  // Between visitor and server, where bytes can be slipped in beneath the encryption.
  const relay = createServer((visitor) => {
    const onwards = connectTcp({ port: tls.port, host: "127.0.0.1" });
    visitor.on("error", () => undefined).on("data", (chunk) => onwards.write(chunk));
    onwards.on("data", (chunk) => visitor.write(chunk));
    onwards.on("error", () => undefined).on("close", () => visitor.destroy());
    relay.once("slip", (bytes: Buffer) => onwards.write(bytes));
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  const secured = connectTls({
    port: portOf(relay),
    host: "127.0.0.1",
    servername: "demo.tunnels.test",
    rejectUnauthorized: false,
  });
  let closed = false;
  secured.on("error", () => undefined).on("close", () => (closed = true));
  await once(secured, "secureConnect");
  secured.write("POST / HTTP/1.1\r\nHost: demo.tunnels.test\r\nContent-Length: 100\r\n\r\nhello");
  await until(() => tls.rig.serverLedger.live("exchange") === 1, { what: "the request is under way" });
  relay.emit("slip", Buffer.alloc(64, "x"));
  await until(() => closed, { what: "the connection is closed", detail: () => tls.rig.serverLedger.outstanding });
  relay.close();
  await tls.rig.quiet();
  await tls.servesOn();
});

test("a PROXY header: believed from trusted peers only, and nothing else from them", options, async () => {
  await using tls = await TlsRig.start({
    proxyProtocol: true,
    trustedProxies: ["127.0.0.9"],
    limits: { arrivalMs: 500 },
  });
  const balancer = { localAddress: "127.0.0.9" };
  for (const bytes of ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PROXY TCP4 nonsense\r\n", "PROXY "]) {
    const visitor = await RawClient.connect(tls.rig.port, balancer);
    visitor.send(bytes);
    await visitor.ended();
    assert.equal(visitor.text, "");
    visitor.close();
  }
  assert.deepEqual(tls.words.refusals, ["proxy_protocol", "proxy_protocol", "arrival_timeout"]);
  const stranger = await RawClient.connect(tls.rig.port);
  stranger.send("PROXY TCP4 127.0.0.9 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\nHost: demo.tunnels.test\r\n\r\n");
  await stranger.receive("HTTP/1.1 400");
  stranger.close();
  await tls.servesOn();
});

test("a server whose certificate has expired, or is another's, gets no token", options, async () => {
  using authority = await Authority.create();
  using stranger = await Authority.create();
  const words = new Words();
  for (const [whose, pair, message] of [
    ["expired", await authority.issue(["localhost"], { expired: true }), /certificate has expired/],
    ["of another name", await authority.issue(["elsewhere.test"]), /altnames|does not match/],
    ["of an unknown authority", await stranger.issue(["localhost"]), /self.signed|unable to (?:get|verify)/],
  ] as const) {
    const listening = { listen: "off", listenTls: "127.0.0.1:0", tls: [pair], subscribers: [words] };
    await using server = await serve({ ...listening, onWarning: () => undefined });
    const { port } = new URL(server.tlsUrl);
    const refused = connect({
      server: `wss://localhost:${port}`,
      target: 1,
      token: newToken(),
      ca: authority.ca,
      limits: { firstConnectMs: 1 },
    });
    await assert.rejects(refused, (error) => {
      assert.ok(error instanceof CaissonError, whose);
      assert.equal(error.code, "E_CONNECT", whose);
      assert.match(error.message, message, whose);
      return true;
    });
  }
  assert.deepEqual(words.logins, []);
});

test("files that cannot be used end the start, and the message says which and why", options, async () => {
  using authority = await Authority.create();
  const good = await authority.issue(["a.test"]);
  const other = await authority.issue(["b.test"]);
  const file = (name: string, text: string): string => {
    const path = join(authority.folder, name);
    writeFileSync(path, text);
    return path;
  };
  const cases: readonly [cert: string, key: string, message: RegExp][] = [
    [good.cert, other.key, /does not belong to the certificate/],
    [good.key, good.cert, /swapped/],
    [good.cert, file("empty", ""), /holds no PEM private key/],
    [good.cert, join(authority.folder, "missing"), /cannot read .*missing/],
    [file("half", "-----BEGIN CERTIFICATE-----\nMIIB"), good.key, /cannot be read/],
    [good.cert, file("cipher", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), /encrypted/],
  ];
  for (const [cert, key, message] of cases) {
    const refused = serve({ listen: "off", listenTls: "127.0.0.1:0", tls: [{ cert, key }] });
    await assert.rejects(refused, (error) => {
      assert.ok(error instanceof CaissonError);
      assert.equal(error.code, "E_CONFIG");
      assert.match(error.message, message);
      return true;
    });
  }
});

test(
  "the command line: a certificate without a key, nothing to listen on, an expired certificate",
  options,
  async () => {
    using authority = await Authority.create();
    const good = await authority.issue(["a.test"]);
    const alone = await runCaisson(["serve", "--listen-tls", "127.0.0.1:0", "--tls-cert", good.cert, "--admin", "off"]);
    assert.deepEqual([alone.code, /--tls-key for each --tls-cert/.test(alone.stderr)], [2, true], alone.stderr);
    const none = await runCaisson(["serve", "--listen-tls", "127.0.0.1:0", "--admin", "off"]);
    assert.deepEqual([none.code, /--tls-cert F --tls-key F/.test(none.stderr)], [3, true], none.stderr);
    const expired = await authority.issue(["a.test"], { expired: true });
    const warnings: string[] = [];
    const server = await serve({
      listen: "off",
      listenTls: "127.0.0.1:0",
      tls: [expired],
      onWarning: (message) => void warnings.push(message),
    });
    await server.close({ force: true });
    assert.match(warnings.join(), /has expired/);
  },
);
