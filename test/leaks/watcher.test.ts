import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { createScope, createRuntime } from "../../src/lifecycle/runtime.ts";
import { listen } from "../../src/lifecycle/listener.ts";
import type { TunnelEvents } from "../../src/lifecycle/events.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import type { ResourceKind } from "../../src/lifecycle/resource.ts";
import { GcClock } from "../../src/leaks/gc-clock.ts";
import { CollectionWatcher } from "../../src/leaks/watcher.ts";
import { collectUntil, HandClock, SampleResource } from "./sample.ts";

/** Opens and closes `count` resources; every hundredth goes through `leak`. */
function churn(
  events: TunnelEvents,
  kind: ResourceKind,
  count: number,
  leak: (resource: SampleResource) => void,
): void {
  for (let n = 0; n < count; n += 1) {
    const resource = new SampleResource(kind);
    events.opened(resource);
    if (n % 100 === 7) leak(resource);
    events.closed(resource, "done");
  }
}

test("exactly the kept ones of a hundred times as many are retained, whatever keeps them", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const emitter = new EventEmitter({ captureRejections: false }).setMaxListeners(0);
  const registered = new Map<number, SampleResource>();
  const longLived = new Promise<void>(() => {});
  const ways: Record<string, (resource: SampleResource) => void> = {
    "an entry in a map": (resource) => registered.set(registered.size, resource),
    "a listener on a longer-lived emitter": (resource) => emitter.on("event", resource.onEvent),
    "a reaction to a longer-lived promise": (resource) => void longLived.then(resource.onEvent),
  };
  for (const [way, leak] of Object.entries(ways)) {
    const watcher = new CollectionWatcher({ clock, graceMs: 0 });
    churn(watcher, "session", 2000, leak);
    assert.equal(watcher.reading("session").uncollected, 2000, way);
    await collectUntil(clock, () => watcher.reading("session").retained > 0);
    const reading = watcher.reading("session");
    assert.equal(reading.retained, 20, way);
    assert.equal(reading.uncollected, 20, way);
    assert.equal(reading.collectedUnclosed, 0, way);
    assert.equal(reading.delays.count, 1980, way);
    assert.equal(watcher.reading("tunnel").watched, 0);
    assert.equal(watcher.retained(5).length, 5);
    assert.match(watcher.retained()[0]?.label ?? "", /^session#\d+$/);
    watcher.dispose();
  }
  assert.equal(registered.size + emitter.listenerCount("event"), 40);
  assert.ok(longLived instanceof Promise);
});

test("what is let go after it was retained is not retained any more", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const watcher = new CollectionWatcher({ clock, graceMs: 0 });
  t.after(() => watcher.dispose());
  const kept = new Set<SampleResource>();
  churn(watcher, "tunnel", 300, (resource) => kept.add(resource));
  await collectUntil(clock, () => watcher.reading("tunnel").retained === 3);
  kept.clear();
  await collectUntil(clock, () => watcher.reading("tunnel").retained === 0);
  assert.equal(watcher.reading("tunnel").uncollected, 0);
  assert.equal(watcher.size, 0);
});

test("20,000 clean closes raise no alarm", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const watcher = new CollectionWatcher({ clock, graceMs: 0 });
  t.after(() => watcher.dispose());
  for (let round = 0; round < 10; round += 1) {
    churn(watcher, "visitor_socket", 2000, () => {});
    await clock.force();
    assert.equal(watcher.reading("visitor_socket").retained, 0);
  }
  await collectUntil(clock, () => watcher.reading("visitor_socket").uncollected === 0);
  const { delays } = watcher.reading("visitor_socket");
  assert.equal(delays.count, 20_000);
  assert.ok(delays.sum >= delays.count && delays.sum <= 4 * delays.count, `${delays.sum} collections in all`);
  // The first forced collection takes all but a few, and is counted as the first.
  assert.ok((delays.counts[0] ?? 0) > 19_000, delays.counts.join(" "));
});

test("what is collected without having been closed is counted exactly", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const watcher = new CollectionWatcher({ clock });
  t.after(() => watcher.dispose());
  const held: SampleResource[] = [];
  const open = (): void => {
    for (let n = 0; n < 50; n += 1) {
      watcher.opened(new SampleResource("pipe"));
      const resource = new SampleResource("pipe");
      held.push(resource);
      watcher.opened(resource);
    }
  };
  open();
  await collectUntil(clock, () => watcher.reading("pipe").collectedUnclosed > 0);
  assert.equal(watcher.reading("pipe").collectedUnclosed, 50);
  assert.equal(held.length, 50);
  for (const resource of held) watcher.closed(resource);
  assert.equal(watcher.reading("pipe").pending, 50);
});

test("a closed resource is pending, then suspect, then retained; the grace and four collections decide", () => {
  const clock = new HandClock();
  let nowMs = 1000;
  const watcher = new CollectionWatcher({ clock, graceMs: 35_000, now: () => nowMs });
  const states = (): number[] => {
    const { pending, suspect, retained } = watcher.reading("session");
    return [pending, suspect, retained];
  };
  const resource = new SampleResource("session", 500);
  watcher.opened(resource);
  watcher.closed(resource);
  watcher.closed(resource);
  // Collections during the grace do not count: whoever closes it may rightly refer to it.
  for (nowMs = 2000; nowMs <= 35_000; nowMs += 1000) clock.strike(nowMs);
  assert.deepEqual(states(), [1, 0, 0]);
  nowMs = 35_999;
  assert.equal(watcher.awaiting, false);
  nowMs = 36_000;
  assert.equal(watcher.awaiting, true);
  // A collection that began before the grace ended does not count either.
  clock.strike(35_999);
  assert.deepEqual(states(), [1, 0, 0]);
  clock.strike(36_000);
  assert.deepEqual(states(), [0, 1, 0]);
  clock.strike(37_000);
  clock.strike(38_000);
  assert.deepEqual(states(), [0, 1, 0]);
  assert.equal(watcher.awaiting, true);
  clock.strike(39_000);
  assert.deepEqual(states(), [0, 0, 1]);
  assert.equal(watcher.awaiting, false);
  nowMs = 40_000;
  assert.deepEqual(watcher.retained(), [{ label: "session#1", kind: "session", closedForMs: 39_000, openForMs: 500 }]);
  watcher.dispose();
  assert.equal(clock.listeners.size, 0);
});

test("hot kinds are sampled, all others watched; watchAll watches everything", () => {
  const clock = new HandClock();
  const open = (watcher: CollectionWatcher, kind: ResourceKind): number => {
    for (let n = 0; n < 20_000; n += 1) watcher.opened(new SampleResource(kind));
    const { watched } = watcher.reading(kind);
    watcher.dispose();
    return watched;
  };
  const sampled = open(new CollectionWatcher({ clock }), "exchange");
  assert.ok(sampled > 100 && sampled < 320, `${sampled} of 20,000`);
  assert.equal(open(new CollectionWatcher({ clock }), "visitor_socket"), 20_000);
  assert.equal(open(new CollectionWatcher({ clock, watchAll: true }), "exchange"), 20_000);
  assert.equal(open(new CollectionWatcher({ clock, sampling: { session: 0 } }), "session"), 0);
});

test("the registry calls back although only a role's events refer to the watcher", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  let collected = 0;
  const assemble = (): TunnelEvents => {
    const watcher = new CollectionWatcher({ clock, graceMs: 0 });
    clock.onMajor(() => {
      collected = watcher.reading("stream").delays.count;
    });
    return fanout(noEvents, watcher);
  };
  const events = assemble();
  for (let n = 0; n < 3; n += 1) await clock.force();
  churn(events, "stream", 20_000, () => {});
  await collectUntil(clock, () => collected > 0);
});

test("through a scope: what it released is collected, its forgotten listener is retained", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const watcher = new CollectionWatcher({ clock, graceMs: 0, watchAll: true });
  t.after(() => watcher.dispose());
  const runtime = createRuntime(fanout(watcher));
  const emitter = new EventEmitter();
  const open = (forget: boolean): void => {
    const session = new SampleResource("session");
    runtime.events.opened(session);
    const scope = createScope(runtime, "test");
    scope.own(session, (owned, reason) => runtime.events.closed(owned, reason));
    if (forget) emitter.on("shared", session.onEvent);
    else listen(emitter, "shared", session.onEvent, { scope, events: runtime.events });
    scope.close("done");
  };
  for (let n = 0; n < 9; n += 1) open(n === 4);
  assert.equal(emitter.listenerCount("shared"), 1);
  await collectUntil(clock, () => watcher.reading("session").retained > 0);
  assert.equal(watcher.reading("session").retained, 1);
  assert.equal(watcher.reading("listener").uncollected, 0);
  assert.equal(watcher.reading("listener").delays.count, 8);
});

test("a watched object costs at most 300 bytes", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const count = 40_000;
  const costs: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const watcher = new CollectionWatcher({ clock });
    const resources = Array.from({ length: count }, () => new SampleResource("session"));
    const before = (await clock.force()).after.heapUsed;
    for (const resource of resources) watcher.opened(resource);
    const { after } = await clock.force();
    assert.equal(watcher.size, resources.length);
    costs.push((after.heapUsed - before) / count);
    watcher.dispose();
  }
  assert.ok(Math.min(...costs) <= 300, `${costs.join(", ")} bytes`);
});
