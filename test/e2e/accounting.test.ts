// The ledgers of a whole system through its private listeners: what is open, what is held, and a seeded leak as its exact
// number.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import type { CaissonTunnel } from "../../src/assemble/connect.ts";
import type { Resource } from "../../src/lifecycle/resource.ts";
import { resourceKinds } from "../../src/lifecycle/resource.ts";
import { QuietEvents } from "../../src/lifecycle/quiet-events.ts";
import type { AdminReader } from "../support/admin-reader.ts";
import { brokenLaws, PrivateAdmin, sampleOf } from "../support/admin-reader.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

/** ws's close timeout for these tests: closed sessions may be referred to for that long and 5 s more. Milliseconds. */
const closeTimeoutMs = 100;
const sessions = 300;
const oneIn = 100;

/** A subscriber with a leak: it keeps one closed session in a hundred. */
class Keeper extends QuietEvents {
  readonly kept: Resource[] = [];
  #closed = 0;

  override closed(resource: Resource): void {
    if (resource.kind !== "session") return;
    this.#closed += 1;
    if (this.#closed % oneIn === 0) this.kept.push(resource);
  }
}

test("a leak of one session in a hundred shows as exactly that number, and is gone when it is", async () => {
  using admin = new PrivateAdmin();
  const keeper = new Keeper();
  await using rig = await Rig.start({
    serve: { listen: "127.0.0.1:0", admin: admin.options, subscribers: [keeper], limits: { closeTimeoutMs } },
    connect: { subscribers: [] },
  });
  const reader = admin.reader(rig.server);
  const startedAtMs = performance.now();
  for (let made = 0; made < sessions; made += 20) {
    const batch = Array.from({ length: 20 }, (_, at) => rig.connectAnother({ name: `s-${made + at}` }));
    const tunnels: CaissonTunnel[] = await Promise.all(batch);
    await Promise.all(tunnels.map((tunnel) => tunnel.close({ force: true })));
  }
  await until(() => keeper.kept.length === sessions / oneIn, { what: "every session has closed" });
  // Before the grace is over nothing is suspected, however many collections there are.
  await reader.collect(6);
  const young = await reader.resources();
  assert.equal(young.kinds.session.uncollected, keeper.kept.length);
  assert.equal(young.kinds.session.retained, 0);
  await until(
    async () => {
      await reader.collect(1);
      return (await reader.resources()).kinds.session.retained >= sessions / oneIn;
    },
    { what: "the leak is decided", timeoutMs: 30_000 },
  );
  assert.ok(performance.now() - startedAtMs < 60_000, "a minute has passed");

  // Exactly that number, and it stays so.
  await reader.collect(6);
  const report = await reader.resources();
  assert.deepEqual(brokenLaws(report), []);
  const { session } = report.kinds;
  assert.equal(session.retained, sessions / oneIn);
  assert.equal(session.uncollected, sessions / oneIn);
  assert.equal(session.closed, sessions);
  assert.equal(session.live, 1);
  assert.equal(session.held, 1);
  for (const kind of resourceKinds.filter((name) => name !== "session" && report.kinds[name].watchedOneIn === 1)) {
    // What a session owns hangs on it; nothing else does.
    const { retained } = report.kinds[kind];
    assert.ok(retained === 0 || retained === sessions / oneIn, `${kind}: ${retained}`);
  }
  const metrics = await reader.metrics();
  assert.equal(sampleOf(metrics, 'caisson_resources_retained{kind="session"}'), sessions / oneIn);
  assert.equal(sampleOf(metrics, 'caisson_resources_uncollected{kind="session"}'), sessions / oneIn);
  assert.equal(sampleOf(metrics, 'caisson_resources_live{kind="session"}'), 1);

  keeper.kept.length = 0;
  await until(
    async () => {
      await reader.collect(1);
      return (await reader.resources()).kinds.session.uncollected === 0;
    },
    { what: "the leak is gone" },
  );
  assert.equal(sampleOf(await reader.metrics(), 'caisson_resources_retained{kind="session"}'), 0);
});

/** Requests, uploads, aborts and a WebSocket. */
async function someTraffic(rig: Rig): Promise<void> {
  for (let n = 0; n < 20; n += 1) {
    await rig.fetch(`/${n}`);
    await rig.fetch(`/up-${n}`, { method: "POST", body: "x".repeat(n * 5_000) });
  }
  const gone = AbortSignal.timeout(20);
  await fetch(`http://127.0.0.1:${rig.port}/never`, { signal: gone }).then(
    () => assert.fail("this request is never answered"),
    () => undefined,
  );
  const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/ws`);
  await new Promise((resolve) => void socket.once("error", resolve)); // The target makes no WebSockets: 400.
}

test("on both sides, in quiet and in traffic: opened = closed + live, and containers hold what is live", async () => {
  using serverAdmin = new PrivateAdmin();
  using clientAdmin = new PrivateAdmin();
  await using rig = await Rig.start({
    target: (request, response) => {
      request.resume();
      if (request.url !== "/never") response.end("here");
    },
    serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: serverAdmin.options },
    connect: { admin: clientAdmin.options },
  });
  const readers: readonly (readonly [string, AdminReader])[] = [
    ["server", serverAdmin.reader(rig.server)],
    ["client", clientAdmin.reader(rig.tunnel)],
  ];
  await someTraffic(rig);
  for (const [side, reader] of readers) {
    const quiet = async (): Promise<boolean> => {
      const report = await reader.resources();
      return report.kinds.exchange.live === 0 && report.kinds.stream.live === 0 && brokenLaws(report).length === 0;
    };
    await until(quiet, { what: `the ${side} is quiet and its ledgers agree` });
    const { kinds, memory, probes, fds } = await reader.resources();
    if (process.platform === "linux") assert.ok((fds?.open ?? 0) > 0 && (fds?.ageSeconds ?? 99) < 35, side);
    assert.ok((probes["process.listeners"] ?? 0) > 0, side);
    assert.deepEqual([probes["sessions.outbox_streams"], probes["sessions.unanswered_resets"]], [0, 0], side);
    if (side === "server") assert.ok((probes["servers.listeners"] ?? 0) > 0);
    assert.ok(kinds.exchange.closed >= 40, side);
    assert.ok(memory.heapUsed > 0 && Object.keys(probes).length > 0, side);
    const metrics = await reader.metrics();
    for (const kind of resourceKinds) {
      const { opened, live, held } = kinds[kind];
      if (opened === 0) continue;
      // Nothing of these is opened by looking, so two looks agree.
      if (kind !== "deadline" && kind !== "listener") {
        assert.equal(sampleOf(metrics, `caisson_resources_opened_total{kind="${kind}"}`), opened, kind);
        assert.equal(sampleOf(metrics, `caisson_resources_live{kind="${kind}"}`), live, kind);
      }
      if (held !== null) {
        assert.equal(
          sampleOf(metrics, `caisson_resources_held{kind="${kind}"}`),
          sampleOf(metrics, `caisson_resources_live{kind="${kind}"}`),
          kind,
        );
      }
    }
  }
  const [row] = await serverAdmin
    .reader(rig.server)
    .json<{ name: string; requests: number; clientVersion: string }[]>("/api/tunnels");
  assert.equal(row?.name, "demo");
  assert.ok((row?.requests ?? 0) >= 40);
  assert.match(row?.clientVersion ?? "", /^\d+\.\d+\.\d+/u);
});
