// Peers of the private listener that mean ill: they read nothing, send slowly, come in crowds or guess. It goes on
// answering, holds little, and lets go of them.

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { AdminClient } from "../../src/admin/admin-client.ts";
import { closeOf, errorOf, eventually, openDeaf, raw, startAdmin, token } from "./rig.ts";

const scrape = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** A role whose scrape is larger than what kernels buffer. */
const largeScrape = "x".repeat(16 * 1024 * 1024);

test("a scraper that never reads is dropped, and others are served meanwhile", async (t) => {
  const { listener, ask, faults } = await startAdmin(t, {
    stallMs: 500,
    extend: (role) => Object.assign(role, { metrics: () => Promise.resolve(largeScrape) }),
  });
  const { port } = addressOf(listener.address);
  const deaf = await openDeaf(port);
  deaf.write(scrape);
  await eventually("its request is in flight", () => listener.load.requests === 1);
  assert.equal((await ask("/livez")).status, 200);
  await eventually("it was cut", () => listener.load.requests === 0);
  await eventually("it is gone", () => listener.load.connections === 0);
  deaf.destroy();
  assert.deepEqual(faults, []);
});

test("a crowd of deaf scrapers is bounded in number", async (t) => {
  const { listener, role, ask } = await startAdmin(t, { maxConnections: 20, stallMs: 60_000 });
  const { port } = addressOf(listener.address);
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return Promise.resolve();
  });
  for (let batch = 0; batch < 6; batch += 1) {
    const opened = await Promise.all(Array.from({ length: 50 }, () => openDeaf(port)));
    for (const socket of opened) socket.write(scrape);
    sockets.push(...opened);
  }
  assert.ok(listener.load.connections <= 20);
  assert.equal((await ask("/livez")).status, 200);
  assert.ok(role.readings.inventoryReads <= 301);
});

test("pipelined requests beyond a few cut the connection, and leave nothing in flight", async (t) => {
  const { listener, role, ask } = await startAdmin(t);
  const { port } = addressOf(listener.address);
  const deaf = await openDeaf(port);
  deaf.write(scrape.repeat(1_000));
  await closeOf(deaf.resume());
  await eventually("nothing is in flight", () => listener.load.requests === 0);
  assert.ok(role.readings.inventoryReads <= 5, String(role.readings.inventoryReads));
  assert.equal((await ask("/livez")).status, 200);
  // A few are answered in order.
  const text = await raw(
    port,
    `${scrape.repeat(2)}GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  );
  assert.equal(text.match(/^HTTP\/1\.1 200 /gmu)?.length, 3);
});

test("slow heads and slow bodies are cut", async (t) => {
  const { listener } = await startAdmin(t, { stallMs: 500 });
  const { port } = addressOf(listener.address);
  const heads = ["", "GET /livez HT", "GET /livez HTTP/1.1\r\nHost: localhost\r\n"];
  const body = `PUT /api/log-level HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 100\r\n\r\n{`;
  await Promise.all([...heads, body].map((bytes) => raw(port, bytes)));
  await eventually("all are gone", () => listener.load.connections === 0 && listener.load.requests === 0);
});

test("garbage and oversized heads are refused", async (t) => {
  const { listener, ask } = await startAdmin(t);
  const { port } = addressOf(listener.address);
  for (const bytes of ["\0\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/3\r\n\r\n", "A".repeat(100_000)]) {
    assert.match(await raw(port, bytes), /^(?:HTTP\/1\.1 4\d\d |$)/u);
  }
  const large = await raw(port, `GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ${"y".repeat(20_000)}\r\n\r\n`);
  assert.match(large, /^HTTP\/1\.1 431 /u);
  assert.equal((await ask("/livez")).status, 200);
});

test("thousands of wrong tokens are answered briefly, and the right one still works", async (t) => {
  const { listener, ask, guesses } = await startAdmin(t);
  const guesser = new AdminClient(listener.address, "csa_wrong-wrong-wrong-wrong");
  const statuses = new Map<number, number>();
  for (let batch = 0; batch < 40; batch += 1) {
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, number) =>
        number % 2 === 0
          ? guesser.ask("/debug/resources")
          : guesser
              .ask("/login", { method: "POST", body: { token: `guess ${batch} ${number}` } })
              .catch(() => undefined),
      ),
    );
    for (const reply of replies) if (reply) statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
  }
  const limited = await guesser.ask("/debug/resources");
  assert.equal(errorOf(limited), "too_many_guesses");
  assert.ok(Number(limited.headers["retry-after"]) >= 1);
  assert.equal(limited.headers.connection, "close");
  assert.deepEqual(
    [...statuses.keys()].toSorted((a, b) => a - b),
    [401, 429],
  );
  assert.ok((statuses.get(401) ?? 0) < 100);
  assert.ok(guesses.length < 100);
  assert.equal((await ask("/debug/resources")).status, 200);
  const login = await new AdminClient(listener.address).ask("/login", { method: "POST", body: { token } });
  assert.equal(login.status, 204);
  for (const path of ["/livez", "/readyz", "/metrics"]) assert.equal((await guesser.ask(path)).status, 200);
});

test("peers that leave in the middle of an answer leave nothing behind", async (t) => {
  const { listener, faults } = await startAdmin(t, {
    extend: (role) => Object.assign(role, { metrics: () => Promise.resolve(largeScrape) }),
  });
  const { port } = addressOf(listener.address);
  for (let peer = 0; peer < 20; peer += 1) {
    const deaf = await openDeaf(port);
    deaf.write(scrape);
    await eventually("its request is in flight", () => listener.load.requests > 0);
    deaf.resetAndDestroy();
  }
  await eventually("nothing is in flight", () => listener.load.requests === 0 && listener.load.connections === 0);
  assert.deepEqual(faults, []);
});

test("hundreds of questions leave no sockets or timers behind", async (t) => {
  const { listener, ask } = await startAdmin(t);
  const client = new AdminClient(listener.address);
  const round = async (count: number): Promise<void> => {
    for (let scrapes = 0; scrapes < count; scrapes += 1) await client.ask("/livez");
  };
  await round(200);
  const before = process.getActiveResourcesInfo().length;
  await round(500);
  await eventually("resources are as before", () => process.getActiveResourcesInfo().length <= before + 2);
  assert.deepEqual(listener.load.requests, 0);
  assert.equal((await ask("/livez")).status, 200);
});

test("closing lets an answer in flight end, and cuts who does not read it", async (t) => {
  const whole = "y".repeat(8 * 1024 * 1024);
  let answer: (text: string) => void = () => undefined;
  const pending = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const { listener, ask } = await startAdmin(t, { extend: (role) => Object.assign(role, { metrics: () => pending }) });
  const reply = ask("/metrics");
  await eventually("it is in flight", () => listener.load.requests === 1);
  const closing = listener.close();
  answer(whole);
  assert.equal((await reply).body.length, whole.length);
  await closing;

  const stuck = await startAdmin(t, {
    extend: (role) => Object.assign(role, { metrics: () => Promise.resolve(largeScrape) }),
  });
  const deaf = await openDeaf(stuck.port);
  deaf.write(scrape);
  await eventually("it is in flight", () => stuck.listener.load.requests === 1);
  await stuck.listener.close();
  await eventually("nothing is left", () => stuck.listener.load.connections + stuck.listener.load.requests === 0);
  deaf.destroy();
});

function addressOf(address: object): { readonly port: number } {
  assert.ok("port" in address && typeof address.port === "number");
  return { port: address.port };
}
