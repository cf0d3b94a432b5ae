import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { TunnelEvents } from "../../src/lifecycle/events.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import type { Inventory } from "../../src/lifecycle/resource.ts";
import { resourceKinds } from "../../src/lifecycle/resource.ts";
import { Descriptors } from "../../src/leaks/descriptors.ts";
import { GcClock } from "../../src/leaks/gc-clock.ts";
import { HeapFloor } from "../../src/leaks/heap-floor.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import { Operations } from "../../src/leaks/op-scope.ts";
import { ProbeRegistry } from "../../src/leaks/probes.ts";
import { ResourceReporter } from "../../src/leaks/resource-report.ts";
import { CollectionWatcher } from "../../src/leaks/watcher.ts";
import { collectUntil, SampleResource } from "./sample.ts";

interface Rig {
  readonly clock: GcClock;
  readonly probes: ProbeRegistry;
  readonly operations: Operations;
  readonly descriptors: Descriptors;
  readonly reporter: ResourceReporter;
  readonly events: TunnelEvents;
}

function rig(t: TestContext, held: Set<SampleResource>): Rig {
  const clock = new GcClock();
  const ledger = new Ledger();
  const watcher = new CollectionWatcher({ clock, graceMs: 0, watchAll: true });
  const probes = new ProbeRegistry();
  const operations = new Operations();
  const heapFloor = new HeapFloor(clock);
  const descriptors = new Descriptors();
  const inventory = (): Inventory => ({ held: { session: held.size }, probes: { routes: 3 } });
  const reporter = new ResourceReporter({
    ledger,
    watcher,
    clock,
    inventory,
    probes,
    operations,
    heapFloor,
    descriptors,
  });
  t.after(async () => {
    for (const part of [watcher, heapFloor, operations, probes, clock]) part.dispose();
    await descriptors.dispose();
  });
  return { clock, probes, operations, descriptors, reporter, events: fanout(ledger, watcher) };
}

test("the three ledgers disagree as the fault does: not closed, still held, still referred to, lost", async (t) => {
  const held = new Set<SampleResource>();
  const referring: SampleResource[] = [];
  const { clock, reporter, events } = rig(t, held);
  const session = (
    fault: "none" | "notClosed" | "notRemoved" | "referredTo" | "lost",
    kind: "session" | "pipe",
  ): void => {
    const resource = new SampleResource(kind);
    events.opened(resource);
    if (fault === "lost") return;
    if (kind === "session") held.add(resource);
    if (fault === "referredTo") referring.push(resource);
    if (fault !== "notClosed") events.closed(resource, fault);
    if (fault !== "notRemoved" && fault !== "notClosed") held.delete(resource);
  };
  for (let n = 0; n < 100; n += 1) session("none", "session");
  session("notClosed", "session");
  for (let n = 0; n < 2; n += 1) session("notRemoved", "session");
  for (let n = 0; n < 3; n += 1) session("referredTo", "session");
  for (let n = 0; n < 4; n += 1) session("lost", "pipe");
  await collectUntil(clock, () => reporter.report().kinds.session.retained > 0);
  const { kinds, majorGcs } = reporter.report();
  const { oldestSeconds, ...counts } = kinds.session;
  assert.deepEqual(counts, {
    opened: 106,
    closed: 105,
    closedBy: { none: 100, notRemoved: 2, referredTo: 3 },
    live: 1,
    held: 3,
    uncollected: 5,
    retained: 5,
    collectedUnclosed: 0,
    watchedOneIn: 1,
  });
  assert.ok(oldestSeconds > 0);
  assert.equal(kinds.pipe.live, 4);
  assert.equal(kinds.pipe.collectedUnclosed, 4);
  // Pipes were opened, and this role's inventory has no container for them: unknown, not zero.
  assert.equal(kinds.pipe.held, null);
  assert.equal(kinds.tunnel.held, 0);
  assert.equal(majorGcs, clock.majors);
  assert.equal(referring.length, 3);
});

test("the report is JSON with every kind, and tells probes, operations, memory, descriptors and handles", async (t) => {
  const { clock, probes, operations, descriptors, reporter } = rig(t, new Set());
  probes.add("pool", () => 2);
  await operations.run("connect", () => Promise.resolve());
  await clock.force();
  await descriptors.sample();
  const report = reporter.report();
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  assert.deepEqual(Object.keys(report.kinds).toSorted(), resourceKinds.toSorted());
  assert.deepEqual(report.probes, { routes: 3, pool: 2 });
  assert.equal(report.operations["connect"]?.settled, 1);
  assert.ok(report.majorGcs >= 1);
  const { rss, heapUsed, heapTotal, heapLimit, heapFloor } = report.memory;
  assert.ok(rss > heapTotal && heapTotal >= heapUsed && heapLimit > heapTotal && (heapFloor ?? 0) > 0);
  if (process.platform === "linux") assert.ok((report.fds?.open ?? 0) > 0);
  else assert.equal(report.fds, null);
  assert.ok(Object.values(report.handles).every((count) => count > 0));
});

test("metrics get the same figures as the report", (t) => {
  const { reporter, events } = rig(t, new Set());
  events.opened(new SampleResource("session"));
  const { session } = reporter.kinds({ held: {}, probes: {} });
  assert.equal(session.opened, 1);
  assert.equal(session.live, 1);
  assert.equal(session.held, undefined);
  assert.equal(session.reasons.size, 0);
});
