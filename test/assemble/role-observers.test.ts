// The observers of a role hear of streams and exchanges another way than of everything else. Whichever way a resource
// comes and goes, the accounts are the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RoleObservers } from "../../src/assemble/role-observers.ts";
import { ageStepMs } from "../../src/leaks/open-ages.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import { CollectionWatcher } from "../../src/leaks/watcher.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import type { ResourceKind } from "../../src/lifecycle/resource.ts";
import { resourceKinds } from "../../src/lifecycle/resource.ts";
import type { Runtime } from "../../src/lifecycle/runtime.ts";
import { createRuntime } from "../../src/lifecycle/runtime.ts";
import { Arrivals } from "../../src/observe/arrivals.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { HandClock, SampleResource } from "../leaks/sample.ts";
import { FakeReadings } from "../observe/fakes.ts";

interface Observed {
  readonly ledger: Ledger;
  readonly watcher: CollectionWatcher;
  readonly arrivals: Arrivals;
  readonly runtime: Runtime;
}

/** Calls `use` with the observers of one role, and disposes of them. */
function observing(use: (observed: Observed) => void): void {
  const ledger = new Ledger();
  const watcher = new CollectionWatcher({ clock: new HandClock(), watchAll: true });
  const metrics = new Metrics({ version: "test", readings: new FakeReadings() });
  const arrivals = new Arrivals();
  try {
    const runtime = createRuntime(fanout(new RoleObservers({ ledger, watcher, metrics, arrivals })));
    use({ ledger, watcher, arrivals, runtime });
  } finally {
    watcher.dispose();
    metrics.dispose();
  }
}

/** Whom the core tells of a kind. */
function eventsOf(runtime: Runtime, kind: ResourceKind): Runtime["streams"] {
  if (kind === "stream") return runtime.streams;
  return kind === "exchange" ? runtime.exchanges : runtime.events;
}

test("opened = closed + live, reasons, oldest ages and what is watched are right for every kind", () => {
  const step = fc.record({
    kind: fc.constantFrom(...resourceKinds),
    reason: fc.constantFrom("done", "cut"),
    closes: fc.nat(),
    afterMs: fc.integer({ min: 0, max: 2 * ageStepMs }),
    directly: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) =>
      observing(({ ledger, watcher, arrivals, runtime }) => {
        const open: SampleResource[] = [];
        const closes = new Map<string, number>();
        let nowMs = 1000;
        for (const { kind, reason, closes: at, afterMs, directly } of steps) {
          nowMs += afterMs;
          const [leaving] = at % 2 === 0 ? open.splice(at % Math.max(1, open.length), 1) : [];
          const resource = leaving ?? new SampleResource(kind, nowMs);
          // Subscribers' own resources, and tests, use the general way for every kind.
          const events = directly ? runtime.events : eventsOf(runtime, resource.kind);
          if (leaving) {
            events.closed(leaving, reason);
            closes.set(`${leaving.kind} ${reason}`, (closes.get(`${leaving.kind} ${reason}`) ?? 0) + 1);
          } else {
            events.opened(resource);
            open.push(resource);
          }
        }
        for (const kind of resourceKinds) {
          const live = open.filter((resource) => resource.kind === kind);
          const { opened, closed, reasons } = ledger.accounts[kind];
          assert.equal(opened - closed, live.length);
          for (const reason of ["done", "cut"])
            assert.equal(reasons.get(reason) ?? 0, closes.get(`${kind} ${reason}`) ?? 0);
          const oldestMs = live.length === 0 ? 0 : nowMs - Math.min(...live.map(({ openedAtMs }) => openedAtMs));
          const told = ledger.oldestAgeMs(kind, nowMs);
          assert.ok(told >= oldestMs && told <= oldestMs + ageStepMs, `${told} for ${oldestMs}`);
          const { watched, pending } = watcher.reading(kind);
          assert.deepEqual([watched, pending], [opened, closed]);
        }
        const standing = (["session", "tunnel"] as const).map((kind) => ledger.accounts[kind]);
        assert.equal(
          arrivals.count,
          standing.reduce((sum, { opened, closed }) => sum + opened + closed, 0),
        );
      }),
    ),
    { numRuns: 60 },
  );
});
