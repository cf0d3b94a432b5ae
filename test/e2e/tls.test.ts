// TLS in front of visitors and sessions: the same service as without, and what only TLS has.

import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { createServer } from "node:http";
import type { ServeOptions } from "../../src/assemble/serve.ts";
import { Authority } from "../support/authority.ts";
import type { IssuedPair } from "../support/authority.ts";
import { needs } from "../support/debian.ts";
import { RawTarget } from "../support/raw-target.ts";
import type { RigOptions } from "../support/rig.ts";
import { Rig } from "../support/rig.ts";
import { connectTls, fetchTls } from "../support/tls-visitor.ts";
import { until } from "../support/until.ts";
import { portOf } from "../support/ws-pair.ts";

const options = needs("openssl");
const usual: ServeOptions = { listen: "127.0.0.1:0", catchAll: "demo", domain: "tunnels.test" };

async function withTls(
  authority: Authority,
  extra: RigOptions & { readonly pairs?: readonly IssuedPair[] } = {},
): Promise<{ rig: Rig; port: number; ca: string }> {
  const pairs = extra.pairs ?? [await authority.issue(["tunnels.test", "*.tunnels.test", "127.0.0.1"])];
  const serve: ServeOptions = { listenTls: "127.0.0.1:0", tls: pairs, ...extra.serve };
  const rig = await Rig.start({ ...extra, serve: { ...usual, ...serve } });
  return { rig, port: Number(new URL(rig.server.tlsUrl).port), ca: authority.ca };
}

test("a visitor over TLS reaches the target, which is told so", options, async () => {
  using authority = await Authority.create();
  const { rig, port, ca } = await withTls(authority, {
    target: (request, response) => response.end(JSON.stringify(request.headers)),
  });
  await using closing = rig;
  assert.equal(rig.tunnel.url, `https://demo.tunnels.test:${port}`);
  assert.equal(rig.server.tlsUrl, `https://tunnels.test:${port}`);
  const answer = await fetchTls("/", { port, ca, headers: { "x-forwarded-proto": "http" } });
  const headers = JSON.parse(answer.body) as Record<string, string>;
  assert.equal(headers["x-forwarded-proto"], "https");
  assert.equal(headers["x-forwarded-for"], "127.0.0.1");
  assert.equal(headers["x-forwarded-host"], "demo.tunnels.test");
  const plain = JSON.parse((await rig.fetch("/")).body) as Record<string, string>;
  assert.equal(plain["x-forwarded-proto"], "http");
  assert.ok(closing);
});

test("a client that connects by wss:// carries large bodies both ways", options, async () => {
  using authority = await Authority.create();
  const body = Buffer.alloc(3_000_000, "0123456789abcdef");
  const pair = await authority.issue(["tunnels.test", "*.tunnels.test", "127.0.0.1"]);
  await using rig = await Rig.start({
    serve: { ...usual, listen: "off", listenTls: "127.0.0.1:0", tls: [pair] },
    target: (request, response) => void request.pipe(response),
    connect: { ca: authority.ca },
  });
  const port = Number(new URL(rig.server.tlsUrl).port);
  const answer = await fetchTls("/", { port, ca: authority.ca, method: "POST", body });
  assert.equal(answer.status, 200);
  assert.equal(answer.body, body.toString());
});

test("WebSockets work over TLS at both ends", options, async () => {
  using authority = await Authority.create();
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  {
    const { rig, port, ca } = await withTls(authority, { targetPort: portOf(http) });
    await using closing = rig;
    const visitor = new WebSocket(`wss://127.0.0.1:${port}/`, [], {
      ca,
      headers: { host: "demo.tunnels.test" },
    });
    await once(visitor, "open");
    const payload = Buffer.alloc(500_000, "ws");
    visitor.send(payload);
    const [echo] = (await once(visitor, "message")) as [Buffer];
    assert.ok(payload.equals(echo));
    visitor.close();
    await once(visitor, "close");
    await closing.quiet();
  }
  sockets.close();
  http.close();
});

test("a transfer that breaks off is a reset, over TLS too", options, async () => {
  using authority = await Authority.create();
  await using target = await RawTarget.start((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
      setTimeout(() => socket.destroy(), 100);
    });
  });
  const { rig, port, ca } = await withTls(authority, { targetPort: target.port });
  await using closing = rig;
  const visitor = await connectTls(port, { ca });
  let ended = false;
  visitor.on("end", () => (ended = true));
  visitor.write("GET / HTTP/1.1\r\nHost: demo.tunnels.test\r\n\r\n");
  visitor.resume();
  const [error] = (await once(visitor, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
  assert.equal(ended, false);
  assert.ok(closing);
});

test("each name has its certificate: exact, by wildcard, and the first for all others", options, async () => {
  using authority = await Authority.create();
  const pairs = [
    await authority.issue(["fallback.test"]),
    await authority.issue(["*.tunnels.test"]),
    await authority.issue(["exact.tunnels.test"]),
  ];
  const { rig, port, ca } = await withTls(authority, { pairs, serve: { limits: { maxTlsContexts: 2 } } });
  await using closing = rig;
  const seen = async (servername: string | undefined): Promise<string> => {
    const socket = await connectTls(port, { ca, rejectUnauthorized: false, servername: servername ?? "" });
    const { subjectaltname = "" } = socket.getPeerCertificate();
    socket.destroy();
    return subjectaltname;
  };
  assert.equal(await seen("exact.tunnels.test"), "DNS:exact.tunnels.test");
  assert.equal(await seen("other.tunnels.test"), "DNS:*.tunnels.test");
  assert.equal(await seen("EXACT.tunnels.test"), "DNS:exact.tunnels.test");
  assert.equal(await seen("two.labels.tunnels.test"), "DNS:fallback.test");
  assert.equal(await seen(undefined), "DNS:fallback.test");
  // Only so many are kept, and what was let go is accounted for.
  assert.equal(rig.server.inventory().held.tls_context, 2);
  assert.equal(rig.serverLedger.accounts.tls_context.opened - rig.serverLedger.accounts.tls_context.closed, 2);
  assert.ok(closing);
});

test("a session is resumed, with an older protocol and with HTTP/2 alone it does not begin", options, async () => {
  using authority = await Authority.create();
  const { rig, port, ca } = await withTls(authority, { serve: { limits: { arrivalMs: 1_000 } } });
  await using closing = rig;
  const first = await connectTls(port, { ca });
  const [session] = (await once(first, "session")) as [Buffer];
  first.destroy();
  const second = await connectTls(port, { ca, session });
  assert.equal(second.isSessionReused(), true);
  assert.equal(second.getProtocol(), "TLSv1.3");
  second.destroy();
  const both = await connectTls(port, { ca, ALPNProtocols: ["h2", "http/1.1"], maxVersion: "TLSv1.2" });
  assert.equal(both.alpnProtocol, "http/1.1");
  both.destroy();
  await assert.rejects(connectTls(port, { ca, ALPNProtocols: ["h2"] }));
  const old = { ca, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  await assert.rejects(connectTls(port, old));
  await until(() => rig.server.inventory().probes["visitors.arriving"] === 0, { what: "nobody is on the way" });
  assert.ok(closing);
});

test("new files are taken when they are good, and the last good ones stay otherwise", options, async () => {
  using authority = await Authority.create();
  const names = ["tunnels.test", "*.tunnels.test"];
  const live = await authority.issue(names);
  const next = await authority.issue(names);
  const expired = await authority.issue(names, { expired: true });
  const warnings: string[] = [];
  const { rig, port, ca } = await withTls(authority, {
    pairs: [live],
    serve: { limits: { certificatePollMs: 100 }, onWarning: (message) => void warnings.push(message) },
  });
  await using closing = rig;
  const serial = async (): Promise<string> => {
    const socket = await connectTls(port, { ca });
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const before = await serial();
  const warned = (pattern: RegExp): Promise<void> =>
    until(() => warnings.some((text) => pattern.test(text)), { what: `a warning ${pattern}`, detail: () => warnings });
  const good = readFileSync(live.cert);

  writeFileSync(live.cert, good.subarray(0, 200)); // Half-written.
  await warned(/the certificate in .* cannot be read/);
  assert.equal(await serial(), before);
  writeFileSync(live.cert, readFileSync(next.cert)); // The key has not come yet.
  await warned(/does not belong to the certificate/);
  assert.equal(await serial(), before);
  writeFileSync(live.key, "");
  await warned(/holds no PEM private key/);
  copyFileSync(expired.cert, live.cert);
  copyFileSync(expired.key, live.key);
  await warned(/has expired/);
  assert.equal(await serial(), before);
  copyFileSync(next.cert, live.cert);
  copyFileSync(next.key, live.key);
  await until(async () => (await serial()) !== before, { what: "the new certificate is shown" });
  assert.equal(rig.server.inventory().held.tls_context, 2, "the old one is kept until there are too many");
  for (const text of warnings) assert.doesNotMatch(text, /PRIVATE KEY-----|MIG/);
  assert.ok(closing);
});

test("plain HTTP is sent to HTTPS where that is wanted, but not by a proxy that already had it", options, async () => {
  using authority = await Authority.create();
  const { rig, port, ca } = await withTls(authority, {
    serve: { redirectHttps: true, catchAll: "demo", trustedProxies: ["127.0.0.1"] },
  });
  await using closing = rig;
  const host = "demo.tunnels.test";
  const answer = await rig.fetch("/a/b?c=d", { method: "POST", body: "x", headers: { host } });
  assert.equal(answer.status, 308);
  assert.equal(answer.headers.location, `https://demo.tunnels.test:${port}/a/b?c=d`);
  assert.equal(answer.headers["caisson-error"], undefined);
  const own = await rig.fetch("/", { headers: { host: "tunnels.test" } });
  assert.equal(own.headers.location, `https://tunnels.test:${port}/`);
  const proxied = await rig.fetch("/", { headers: { host, "x-forwarded-proto": "https" } });
  assert.deepEqual([proxied.status, proxied.body], [200, "GET /"]);
  assert.equal((await fetchTls("/", { port, ca })).status, 200);
  assert.ok(closing);
});

test("a connection for one name carries no requests for another's", options, async () => {
  using authority = await Authority.create();
  const { rig, port, ca } = await withTls(authority);
  await using closing = rig;
  await rig.connectAnother({ name: "other" });
  const cases: readonly [sni: string, host: string, status: number][] = [
    ["demo.tunnels.test", "demo.tunnels.test", 200],
    ["demo.tunnels.test", "DEMO.tunnels.test:443", 200],
    ["demo.tunnels.test", "other.tunnels.test", 421],
    ["tunnels.test", "demo.tunnels.test", 421],
    ["demo.tunnels.test", "tunnels.test", 421],
    ["demo.tunnels.test", "elsewhere.test", 421],
  ];
  for (const [name, host, status] of cases) {
    const answer = await fetchTls("/", { port, ca, name, headers: { host } });
    assert.equal(answer.status, status, `${host} over ${name}`);
    if (status === 421) assert.equal(answer.headers["caisson-error"], "bad_request");
  }
  assert.ok(closing);
});
