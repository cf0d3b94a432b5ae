// Behind a balancer that speaks the PROXY protocol: the visitor's own address reaches the target and counts for limits.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { Authority } from "../support/authority.ts";
import { needs } from "../support/debian.ts";
import { RawClient } from "../support/raw-client.ts";
import { RawTarget } from "../support/raw-target.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { Words } from "../hostile/words.ts";

const balancer = { localAddress: "127.0.0.9" };
const get = "GET / HTTP/1.1\r\nHost: demo.localhost\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n";
const version2 = Buffer.from(
  `0d0a0d0a000d0a515549540a21210024${"20010db8000000000000000000000001".repeat(2)}d4310050`,
  "hex",
);

async function rigBehindBalancer(words: Words, more: object = {}): Promise<Rig> {
  return Rig.start({
    serverSubscribers: [words],
    target: (request, response) => response.end(`for ${String(request.headers["x-forwarded-for"])}.`),
    serve: { listen: "127.0.0.1:0", catchAll: "demo", proxyProtocol: true, trustedProxies: ["127.0.0.9"], ...more },
  });
}

test("the address in the header is the visitor's, whatever pieces it comes in", async () => {
  await using rig = await rigBehindBalancer(new Words());
  for (const [header, address] of [
    [Buffer.from("PROXY TCP4 192.0.2.7 192.0.2.8 54321 443\r\n"), "192.0.2.7"],
    [version2, "2001:db8::1"],
    [Buffer.from("PROXY UNKNOWN\r\n"), "1.1.1.1, 127.0.0.9"],
  ] as const) {
    for (const cut of [0, 5, header.length]) {
      const visitor = await RawClient.connect(rig.port, balancer);
      const bytes = Buffer.concat([header, Buffer.from(get)]);
      visitor.send(bytes.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      visitor.send(bytes.subarray(cut));
      await visitor.receive(`for ${address}.`);
      // The connection goes on like any other.
      visitor.send(get);
      await until(() => visitor.text.split("for ").length === 3, { what: "a second answer" });
      visitor.close();
    }
  }
});

test("limits per address go by the visitor, not by the balancer", async () => {
  const words = new Words();
  await using rig = await rigBehindBalancer(words, { limits: { maxVisitorsPerAddress: 2 } });
  const visitors: RawClient[] = [];
  for (const address of ["192.0.2.1", "192.0.2.1", "192.0.2.2"]) {
    const visitor = await RawClient.connect(rig.port, balancer);
    visitor.send(`PROXY TCP4 ${address} 192.0.2.8 1 2\r\n${get}`);
    await visitor.receive(`for ${address}.`);
    visitors.push(visitor);
  }
  const third = await RawClient.connect(rig.port, balancer);
  third.send(`PROXY TCP4 192.0.2.1 192.0.2.8 1 2\r\n${get}`);
  await third.ended();
  assert.equal(third.text, "");
  assert.deepEqual(words.refusals, ["visitors_per_address"]);
  for (const visitor of [...visitors, third]) visitor.close();
});

test("IPv6 visitors are counted by their /64", async () => {
  const words = new Words();
  await using rig = await rigBehindBalancer(words, { limits: { maxVisitorsPerAddress: 2 } });
  const visitors: RawClient[] = [];
  for (const [address, served] of [
    ["2001:db8::1", true],
    ["2001:db8::9:1", true],
    ["2001:db8::ffff:ffff:ffff:ffff", false],
    ["2001:db8:0:1::1", true],
  ] as const) {
    const visitor = await RawClient.connect(rig.port, balancer);
    visitor.send(`PROXY TCP6 ${address} 2001:db8::1 1 2\r\n${get}`);
    if (served) await visitor.receive(`for ${address}.`);
    else await visitor.ended();
    visitors.push(visitor);
  }
  assert.deepEqual(words.refusals, ["visitors_per_address"]);
  for (const visitor of visitors) visitor.close();
});

test("on the port of a TCP tunnel: the header goes no further, what follows it does, in whatever pieces", async () => {
  await using target = await RawTarget.start((socket) => socket.pipe(socket), { halfOpen: true });
  const words = new Words();
  await using rig = await Rig.start({
    targetPort: target.port,
    serverSubscribers: [words],
    serve: {
      listen: "127.0.0.1:0",
      tcpPorts: "24000-24400",
      proxyProtocol: true,
      trustedProxies: ["127.0.0.9"],
      limits: { maxVisitorsPerAddress: 2 },
    },
    connect: { type: "tcp" },
  });
  const port = Number(new URL(rig.tunnel.url.replace("tcp:", "http:")).port);
  const header = Buffer.from("PROXY TCP4 192.0.2.7 192.0.2.8 54321 443\r\n");
  for (const [head, cuts] of [
    [header, [0, 5, header.length, header.length + 2]],
    [version2, [0, 15, version2.length, version2.length + 2]],
  ] as const) {
    for (const cut of cuts) {
      const visitor = await RawClient.connect(port, balancer);
      const bytes = Buffer.concat([head, Buffer.from("hello")]);
      visitor.send(bytes.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      visitor.send(bytes.subarray(cut));
      // It need not wait for an answer before it ends its side.
      visitor.end();
      assert.equal(await visitor.ended(), "fin");
      assert.equal(visitor.text, "hello");
      visitor.close();
    }
  }
  await rig.quiet();
  // It is the visitor who has only so many places, not the balancer.
  const visitors: RawClient[] = [];
  for (const address of ["192.0.2.1", "192.0.2.1", "192.0.2.2"]) {
    const visitor = await RawClient.connect(port, balancer);
    visitor.send(`PROXY TCP4 ${address} 192.0.2.8 1 2\r\nhello`);
    await visitor.receive("hello");
    visitors.push(visitor);
  }
  const third = await RawClient.connect(port, balancer);
  third.send("PROXY TCP4 192.0.2.1 192.0.2.8 1 2\r\nhello");
  await third.ended();
  const without = await RawClient.connect(port, balancer);
  without.send("hello");
  await without.ended();
  assert.deepEqual([third.text, without.text], ["", ""]);
  assert.deepEqual(words.refusals, ["visitors_per_address", "proxy_protocol"]);
  // From anybody else it is nothing but bytes for the target.
  const stranger = await RawClient.connect(port);
  stranger.send(header);
  await stranger.receive(header.toString());
  for (const visitor of [...visitors, third, without, stranger]) visitor.close();
  await rig.quiet();
});

test("on a TCP port: a header that does not come to its end, and a visitor who waits for the client behind it", async () => {
  await using target = await RawTarget.start((socket) => socket.pipe(socket));
  const words = new Words();
  await using rig = await Rig.start({
    targetPort: target.port,
    relay: {},
    serverSubscribers: [words],
    serve: {
      listen: "127.0.0.1:0",
      tcpPorts: "24000-24400",
      proxyProtocol: true,
      trustedProxies: ["127.0.0.9"],
      limits: { arrivalMs: 1_000 },
    },
    connect: { type: "tcp", limits: { stableMs: 1 } },
  });
  const port = Number(new URL(rig.tunnel.url.replace("tcp:", "http:")).port);
  const silent = await RawClient.connect(port, balancer);
  const half = await RawClient.connect(port, balancer);
  half.send("PROXY TCP4 192.0.2.");
  await until(() => rig.server.inventory().probes["visitors.arriving"] === 2, { what: "both are on their way in" });
  await Promise.all([silent.ended(), half.ended()]);
  assert.deepEqual(words.refusals, ["arrival_timeout", "arrival_timeout"]);
  let back = false;
  rig.tunnel.on("tunnel", () => (back = true));
  rig.relay.cut();
  const noticed = (): boolean => back || rig.server.inventory().probes["names.held"] === 1;
  await until(noticed, { what: "the server has noticed" });
  const waiting = await RawClient.connect(port, balancer);
  waiting.send("PROXY TCP4 192.0.2.1 192.0.2.8 1 2\r\nhello");
  await waiting.receive("hello");
  for (const visitor of [silent, half, waiting]) visitor.close();
  await rig.quiet();
});

test("a header in front of TLS", needs("openssl"), async () => {
  using authority = await Authority.create();
  const pair = await authority.issue(["*.tunnels.test"]);
  const tls = { listenTls: "127.0.0.1:0", tls: [pair], domain: "tunnels.test" };
  await using rig = await rigBehindBalancer(new Words(), tls);
  const raw = connect({ port: Number(new URL(rig.server.tlsUrl).port), host: "127.0.0.1", ...balancer });
  await once(raw, "connect");
  raw.write("PROXY TCP4 192.0.2.7 192.0.2.8 54321 443\r\n");
  const socket = connectTls({ socket: raw, servername: "demo.tunnels.test", ca: authority.ca });
  await once(socket, "secureConnect");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.write(get.replace("demo.localhost", "demo.tunnels.test"));
  await until(() => text.includes("for 192.0.2.7."), { what: "the answer", detail: () => text });
  socket.destroy();
});
