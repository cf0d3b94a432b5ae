// TLS tunnels: what a visitor and the target say to each other is theirs alone. The server looks at the name in the
// ClientHello and at nothing else, and shares the port with the tunnels that it does decrypt.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import type { RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { WebSocket, WebSocketServer } from "ws";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { Authority } from "../support/authority.ts";
import { needs } from "../support/debian.ts";
import { firstHello, fragmentHello } from "../support/first-hello.ts";
import { PassRig, passName } from "../support/pass-rig.ts";
import { RawClient } from "../support/raw-client.ts";
import { RawTarget } from "../support/raw-target.ts";
import { Rig } from "../support/rig.ts";
import { digestOf, seededDigest, seededStream } from "../support/seeded-bytes.ts";
import { connectTls, fetchTls } from "../support/tls-visitor.ts";
import { until } from "../support/until.ts";
import { listening, portOf } from "../support/ws-pair.ts";

const options = needs("openssl");

/** Says back what it hears, and ends when the other side does. */
function echo(): Promise<RawTarget> {
  return RawTarget.start((socket) => socket.pipe(socket), { halfOpen: true });
}

/** Certificate and key of a target, by an authority that the server knows nothing of. */
async function ownCertificate(authority: Authority): Promise<{ readonly cert: Buffer; readonly key: Buffer }> {
  const pair = await authority.issue([passName]);
  return { cert: readFileSync(pair.cert), key: readFileSync(pair.key) };
}

test("the visitor sees the target's own certificate, over https and WebSocket", options, async () => {
  using authority = await Authority.create();
  const answer: RequestListener = (request, response) => response.end(JSON.stringify(request.headers));
  const https = createHttpsServer(await ownCertificate(authority), answer);
  const sockets = new WebSocketServer({ server: https });
  sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
  const target = await listening(https);
  {
    await using pass = await PassRig.start({ targetPort: portOf(target) });
    const { rig, port } = pass;
    assert.equal(rig.tunnel.url, `tls://${passName}:${port}`);
    assert.deepEqual(rig.tunnel.direct, { url: `tls://127.0.0.1:${port}`, host: passName });
    const { status, body } = await fetchTls("/", { port, ca: authority.ca, name: passName });
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body), { host: passName, connection: "close" }, "nothing is added");
    await assert.rejects(fetchTls("/", { port, ca: pass.ca, name: passName }), "not by the server's certificate");
    const trust = { ca: authority.ca, servername: passName };
    const visitor = new WebSocket(`wss://127.0.0.1:${port}/`, [], trust);
    await once(visitor, "open");
    const payload = Buffer.alloc(500_000, "ws");
    visitor.send(payload);
    const [back] = (await once(visitor, "message")) as [Buffer];
    assert.ok(payload.equals(back));
    visitor.close();
    await once(visitor, "close");
    await rig.quiet();
  }
  sockets.close();
  target.close();
});

test("what the server does not speak itself goes through: HTTP/2", options, async () => {
  using authority = await Authority.create();
  const http2 = createSecureServer(await ownCertificate(authority));
  http2.on("stream", (stream) => stream.end("two"));
  const target = await listening(http2);
  {
    await using pass = await PassRig.start({ targetPort: portOf(target) });
    const visitor = connectHttp2(`https://127.0.0.1:${pass.port}`, { ca: authority.ca, servername: passName });
    const request = visitor.request({ ":path": "/" });
    assert.equal(await request.setEncoding("utf8").reduce((text: string, part: string) => text + part, ""), "two");
    visitor.close();
    await once(visitor, "close");
  }
  target.close();
});

test("100 MB go both ways byte for byte, from the ClientHello on, and a half-close is kept", options, async () => {
  await using target = await echo();
  await using pass = await PassRig.start({ targetPort: target.port });
  const hello = await firstHello({ servername: passName });
  const size = 100_000_000;
  const visitor = connect({ port: pass.port, host: "127.0.0.1", allowHalfOpen: true });
  visitor.write(hello);
  seededStream("through", size).pipe(visitor);
  const reading = visitor[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let first = Buffer.alloc(0);
  while (first.length < hello.length) first = Buffer.concat([first, (await reading.next()).value ?? first]);
  assert.ok(first.subarray(0, hello.length).equals(hello), "the ClientHello as it was");
  // The echo ends only because the end of this direction came through while the other went on.
  const rest = { [Symbol.asyncIterator]: () => reading };
  const digest = await digestOf(joined(first.subarray(hello.length), rest));
  assert.deepEqual(digest, await seededDigest("through", size));
  visitor.destroy();
  await pass.rig.quiet();
});

async function* joined(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

test("a half-close inside of TLS is kept, either way", options, async () => {
  using authority = await Authority.create();
  const server = createTlsServer({ ...(await ownCertificate(authority)), allowHalfOpen: true }, (socket) => {
    let heard = "";
    socket.on("error", () => undefined).on("data", (chunk: Buffer) => (heard += chunk.toString()));
    socket.on("end", () => socket.end(`heard ${heard}`));
  });
  const target = await listening(server);
  {
    await using pass = await PassRig.start({ targetPort: portOf(target) });
    const halfOpen = { ca: authority.ca, servername: passName, allowHalfOpen: true };
    const visitor = await connectTls(pass.port, halfOpen);
    visitor.end("hello");
    const said = await digestOf(visitor as AsyncIterable<Buffer>);
    assert.equal(said.bytes, "heard hello".length);
    await pass.rig.quiet();
  }
  target.close();
});

test(
  "tunnels that are decrypted and that are not share a port; every other name is the server's",
  options,
  async () => {
    using authority = await Authority.create();
    const https = createHttpsServer(await ownCertificate(authority), (_, response) => response.end("the target"));
    const target = await listening(https);
    const plain = await RawTarget.start((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain"));
    });
    {
      await using pass = await PassRig.start({ targetPort: portOf(target) });
      const { rig, port, ca } = pass;
      await rig.connectAnother({ type: "http", name: "web", target: plain.port });
      for (let n = 0; n < 3; n += 1) {
        assert.equal((await fetchTls("/", { port, ca: authority.ca, name: passName })).body, "the target");
        assert.equal((await fetchTls("/", { port, ca, name: "web.tunnels.test" })).body, "plain");
      }
      const unknown = await fetchTls("/", { port, ca, name: "nobody.tunnels.test" });
      assert.deepEqual([unknown.status, unknown.headers["caisson-error"]], [404, "no_tunnel"]);
      const below = await connectTls(port, { ca, servername: `sub.${passName}`, checkServerIdentity: () => undefined });
      below.destroy();
      const nameless = await connectTls(port, { ca, servername: "", host: "127.0.0.1" });
      nameless.write(`GET / HTTP/1.1\r\nHost: ${passName}\r\nConnection: close\r\n\r\n`);
      const answer = Buffer.concat(await nameless.toArray()).toString();
      assert.match(answer, /^HTTP\/1\.1 421 [\s\S]*asks? for it by name/);
      const stolen = { port, ca, name: "web.tunnels.test", headers: { host: passName } };
      assert.equal((await fetchTls("/", stolen)).status, 421, "the name of the connection counts");
    }
    await plain[Symbol.asyncDispose]();
    target.close();
  },
);

test("requests over plain HTTP are told where to go, or sent there if the operator wants that", options, async () => {
  await using target = await echo();
  for (const redirectHttps of [false, true]) {
    await using pass = await PassRig.start({ targetPort: target.port, serve: { redirectHttps } });
    const answer = await pass.rig.fetch("/a?b", { headers: { host: passName } });
    if (redirectHttps) {
      assert.equal(answer.status, 308);
      assert.equal(answer.headers.location, `https://${passName}:${pass.port}/a?b`);
    } else {
      assert.equal(answer.status, 421);
      assert.equal(answer.headers["caisson-error"], "bad_request");
      assert.match(answer.body, /TLS connections/);
      assert.deepEqual(pass.words.badRequests, ["tls_only"]);
    }
    assert.equal(target.accepted, 0);
  }
});

test("a ClientHello in many pieces arrives as it was sent", options, async () => {
  await using target = await echo();
  await using pass = await PassRig.start({ targetPort: target.port });
  const hello = await firstHello({ servername: passName });
  const sent = [hello, fragmentHello(hello, 100), Buffer.concat([hello, Buffer.from("and more")])];
  for (const bytes of sent) {
    for (const step of [bytes.length, 150, 1]) {
      const visitor = await RawClient.connect(pass.port);
      for (let at = 0; at < bytes.length; at += step) {
        visitor.send(bytes.subarray(at, at + step));
        if (step > 1 || at % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      visitor.end();
      assert.equal(await visitor.ended(), "fin");
      assert.ok(visitor.bytes.equals(bytes), `${bytes.length} bytes by ${step}`);
      visitor.close();
    }
  }
  await pass.rig.quiet();
});

test("behind a balancer the PROXY header is read and the ClientHello behind it passed on", options, async () => {
  await using target = await echo();
  const serve = { proxyProtocol: true, trustedProxies: ["127.0.0.9"], limits: { maxVisitorsPerAddress: 1 } };
  await using pass = await PassRig.start({ targetPort: target.port, serve });
  const hello = await firstHello({ servername: passName });
  const header = Buffer.from("PROXY TCP4 192.0.2.7 192.0.2.8 54321 443\r\n");
  const balancer = { localAddress: "127.0.0.9" };
  const visitor = await RawClient.connect(pass.port, balancer);
  visitor.send(Buffer.concat([header, hello]));
  await until(() => visitor.bytes.length === hello.length, { what: "the hello comes back" });
  assert.ok(visitor.bytes.equals(hello));
  const second = await RawClient.connect(pass.port, balancer);
  second.send(Buffer.concat([header, hello]));
  await second.ended();
  assert.deepEqual(pass.words.refusals, ["visitors_per_address"], "the visitor's own address counts");
  for (const client of [visitor, second]) client.close();
  await pass.rig.quiet();
});

test("a name comes back after a lost session; visitors wait for it, with what they have said", options, async () => {
  await using target = await echo();
  const limits = { maxNameWaiters: 1 };
  await using pass = await PassRig.start({
    targetPort: target.port,
    relay: {},
    serve: { limits },
    connect: { limits: { stableMs: 1 } },
  });
  const { rig, port, words } = pass;
  const hello = await firstHello({ servername: passName });
  const open = await RawClient.connect(port);
  open.send(hello);
  await until(() => open.bytes.length === hello.length, { what: "a visitor is connected" });
  rig.relay.freeze();
  rig.relay.cut();
  assert.equal(await open.ended(), "reset", "with its client the connection goes");
  const waiting = await RawClient.connect(port);
  waiting.send(hello);
  waiting.end();
  await until(() => pass.probe("names.waiting") === 1, { what: "a visitor waits" });
  const tooMany = await RawClient.connect(port);
  tooMany.send(hello);
  assert.equal(await tooMany.ended(), "reset");
  assert.deepEqual(words.refusals, ["name_waiters"]);
  assert.equal((await rig.fetch("/", { headers: { host: passName } })).status, 421, "it waits for nothing");
  rig.relay.thaw();
  assert.equal(await waiting.ended(), "fin");
  assert.ok(waiting.bytes.equals(hello));
  for (const client of [open, waiting, tooMany]) client.close();
  await rig.quiet();
});

test("a target that refuses and a reset at either side are resets", options, async () => {
  await using target = await RawTarget.start((socket) => {
    socket.once("data", (hello: Buffer) => hello.length < 10_000 && socket.resetAndDestroy());
  });
  await using pass = await PassRig.start({ targetPort: target.port });
  const hello = await firstHello({ servername: passName });
  const cut = await RawClient.connect(pass.port);
  cut.send(hello);
  assert.equal(await cut.ended(), "reset");
  const leaver = await RawClient.connect(pass.port);
  leaver.send(Buffer.concat([hello, Buffer.alloc(20_000)]));
  await until(() => target.sockets.size === 1, { what: "the target has the visitor" });
  leaver.reset();
  await until(() => target.sockets.size === 0, { what: "the target sees it leave" });
  await target[Symbol.asyncDispose]();
  const refused = await RawClient.connect(pass.port);
  refused.send(hello);
  assert.equal(await refused.ended(), "reset");
  for (const client of [cut, leaver, refused]) client.close();
  await pass.rig.quiet();
});

test("a name is one tunnel's, of whatever kind; its session may have the others", options, async () => {
  await using target = await echo();
  await using pass = await PassRig.start({ targetPort: target.port });
  const { rig } = pass;
  await assert.rejects(rig.connectAnother({ type: "http" }), /another client has this name/);
  const web = await rig.connectAnother({ type: "http", name: "web" });
  await assert.rejects(rig.connectAnother({ type: "tls", name: "web" }), /another client has this name/);
  await web.close();
  const again = await rig.connectAnother({ type: "tls", name: "web" });
  assert.match(again.url, /^tls:\/\/web\./);
  const random = await rig.connectAnother({ type: "tls", name: undefined } as object);
  assert.match(random.url, /^tls:\/\/[a-z2-7]{16}\.tunnels\.test:\d+$/);
});

test("a server that does not listen for TLS says so, and what to do", options, async () => {
  await using rig = await Rig.start();
  await assert.rejects(rig.connectAnother({ type: "tls", name: "pass" }), (error) => {
    assert.ok(error instanceof CaissonError);
    assert.equal(error.code, "E_REFUSED");
    assert.match(error.message, /does not listen for TLS.*--listen-tls/);
    return true;
  });
});

test("a server that drains lets connections finish, and takes no new ones", options, async () => {
  await using target = await echo();
  await using pass = await PassRig.start({ targetPort: target.port, serve: { drainMs: 30_000 } });
  const hello = await firstHello({ servername: passName });
  const visitor = await RawClient.connect(pass.port);
  visitor.send(hello);
  await until(() => visitor.bytes.length === hello.length, { what: "it is connected" });
  const arriving = await RawClient.connect(pass.port);
  await until(() => pass.probe("visitors.arriving") === 1, { what: "another is on its way" });
  const closing = pass.rig.server.close();
  arriving.send(hello);
  assert.notEqual(await arriving.ended(), "open");
  await assert.rejects(RawClient.connect(pass.port));
  visitor.send("still here");
  await visitor.receive("still here");
  visitor.end();
  assert.equal(await visitor.ended(), "fin");
  await closing;
  for (const client of [visitor, arriving]) client.close();
});
