// Targets behind TLS: who is trusted, what a distrusted one looks like, and that cuts stay cuts.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { createServer } from "node:tls";
import { until } from "../support/until.ts";
import { testCertificate, testKey } from "../support/certificate.ts";
import { portOf, TargetConnection } from "./targets.ts";
import { Uplink } from "./uplink.ts";

class TlsTarget {
  readonly connections: TargetConnection[] = [];
  readonly names: (string | false)[] = [];
  readonly reuses: boolean[] = [];
  readonly #server = createServer({ cert: testCertificate, key: testKey, ALPNProtocols: ["http/1.1"] });

  static async open(): Promise<TlsTarget> {
    const target = new TlsTarget();
    const server = target.#server;
    server.on("secureConnection", (socket: TLSSocket) => {
      target.names.push(socket.servername ?? false);
      target.reuses.push(socket.isSessionReused());
      assert.equal(socket.alpnProtocol, "http/1.1");
      target.connections.push(new TargetConnection(socket));
    });
    server.on("tlsClientError", () => {}); // Distrust is what some tests are about.
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return target;
  }

  get port(): number {
    return portOf(this.#server);
  }

  async next(n: number): Promise<TargetConnection> {
    await until(() => this.connections.length > n, { what: `connection ${n}` });
    const connection = this.connections[n];
    assert.ok(connection);
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

const get = "GET / HTTP/1.1\nHost: demo.test";

void test("a target whose authority is given is trusted, by name and by address", async () => {
  await using target = await TlsTarget.open();
  for (const [n, host] of ["localhost", "127.0.0.1"].entries()) {
    await using uplink = await Uplink.open({ target: `https://${host}:${target.port}`, ca: testCertificate });
    const visit = uplink.visit(get);
    const connection = await target.next(n);
    await connection.head();
    connection.write("HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
    await visit.over();
    assert.equal(visit.body, "ok");
    assert.equal(uplink.held()["tls_context"], 1);
  }
  assert.deepEqual(target.names, ["localhost", false]);
});

void test("a target that nobody vouches for is not, and the reason is told", async () => {
  await using target = await TlsTarget.open();
  await using uplink = await Uplink.open({ target: `https://127.0.0.1:${target.port}` });
  const visit = await uplink.get("/");
  assert.equal(visit.reset, "target_unreachable");
  assert.match(uplink.requests[0]?.failure ?? "", /self[- ]signed/);
  assert.equal(
    target.connections.every(({ received }) => received === ""),
    true,
  );
});

void test("unless any certificate will do", async () => {
  await using target = await TlsTarget.open();
  await using uplink = await Uplink.open({ target: `https://127.0.0.1:${target.port}`, insecure: true });
  const visit = uplink.visit(get);
  const connection = await target.next(0);
  await connection.head();
  connection.write("HTTP/1.1 204 No Content\n\n");
  await visit.over();
  assert.equal(visit.status, 204);
});

void test("a later connection resumes the TLS session of an earlier one", async () => {
  await using target = await TlsTarget.open();
  await using uplink = await Uplink.open({ target: `https://localhost:${target.port}`, ca: testCertificate });
  for (let n = 0; n < 2; n += 1) {
    const visit = uplink.visit(get);
    const connection = await target.next(n);
    await connection.head();
    connection.write("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 2\n\nok");
    await visit.over();
    await connection.gone();
  }
  assert.deepEqual(target.reuses, [false, true]);
});

void test("a cut in the middle of a body is told as one", async () => {
  await using target = await TlsTarget.open();
  await using uplink = await Uplink.open({ target: `https://localhost:${target.port}`, ca: testCertificate });
  for (const [n, head] of ["Content-Length: 100", "Transfer-Encoding: chunked"].entries()) {
    const visit = uplink.visit(get);
    const connection = await target.next(n);
    await connection.head();
    connection.write(`HTTP/1.1 200 OK\n${head}\n\n5\nhello\n`);
    await until(() => visit.bodyBytes > 0, { what: "some has arrived" });
    connection.socket.destroy();
    await visit.over();
    assert.equal(visit.reset, "target_cut");
  }
});

void test("an upgrade over TLS becomes a pipe, and a visitor that leaves cuts it", async () => {
  await using target = await TlsTarget.open();
  await using uplink = await Uplink.open({ target: `https://localhost:${target.port}`, ca: testCertificate });
  const visit = uplink.visit("GET / HTTP/1.1\nHost: demo.test\nConnection: Upgrade\nUpgrade: websocket", {
    upgrade: true,
  });
  const connection = await target.next(0);
  await connection.head();
  connection.write("HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\n\nhi");
  await until(() => visit.body === "hi", { what: "the pipe stands" });
  visit.stream?.sendData(Buffer.from("there"), "more");
  await connection.read("there");
  visit.stream?.reset("cancelled");
  await connection.gone();
  await until(() => uplink.held()["local_socket"] === 0, { what: "the connection is gone" });
});
