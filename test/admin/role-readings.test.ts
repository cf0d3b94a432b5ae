// The ledgers of leaks/ as metrics: what leaks shows at a scrape as exactly that number, and what was never told is absent.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { roleReadings } from "../../src/admin/role-readings.ts";
import { Descriptors } from "../../src/leaks/descriptors.ts";
import { GcClock } from "../../src/leaks/gc-clock.ts";
import { HeapFloor } from "../../src/leaks/heap-floor.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import { Operations } from "../../src/leaks/op-scope.ts";
import { ProbeRegistry } from "../../src/leaks/probes.ts";
import { ResourceReporter } from "../../src/leaks/resource-report.ts";
import { CollectionWatcher } from "../../src/leaks/watcher.ts";
import type { TunnelEvents } from "../../src/lifecycle/events.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import type { Inventory } from "../../src/lifecycle/resource.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { fakeSession } from "../observe/fakes.ts";
import { valueOf } from "../observe/exposition-text.ts";
import { findProgram, needs } from "../support/debian.ts";
import { eventually } from "./rig.ts";

/** Opens and closes 300 sessions, and keeps every hundredth. A function of its own, so that no local variable keeps another. */
function churn(events: TunnelEvents): object[] {
  const leaked: object[] = [];
  for (let number = 0; number < 300; number += 1) {
    const session = fakeSession();
    events.opened(session);
    if (number % 100 === 0) leaked.push(session);
    events.closed(session, "goodbye");
  }
  return leaked;
}

test("one leaked session in a hundred is exactly that in a scrape", { ...needs("promtool") }, async (t) => {
  const clock = new GcClock();
  const ledger = new Ledger();
  const watcher = new CollectionWatcher({ clock, graceMs: 0 });
  const probes = new ProbeRegistry();
  const operations = new Operations();
  const heapFloor = new HeapFloor(clock);
  const descriptors = new Descriptors();
  const held = new Set<object>();
  const inventory = (): Inventory => ({ held: { session: held.size }, probes: { "names.live": 3 } });
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
  const readings = roleReadings({
    inventory,
    reporter,
    watcher,
    probes,
    operations,
    heapFloor,
    descriptors,
    tunnelTypes: () => ({ http: 1, tcp: 2, tls: 3 }),
    bufferedBytes: () => ({ session: 5 }),
    certificateExpirySeconds: () => undefined,
  });
  const metrics = new Metrics({ readings, version: "0.1.0" });
  t.after(async () => {
    metrics.dispose();
    watcher.dispose();
    operations.dispose();
    heapFloor.dispose();
    clock.dispose();
    await descriptors.dispose();
  });

  const events = fanout(ledger, watcher, metrics);
  const leaked = churn(events);
  const open = fakeSession();
  events.opened(open);
  held.add(open);
  for (let collection = 0; collection < 6; collection += 1) await clock.force();

  const series = (name: string): string => `${name}{kind="session"}`;
  let text = "";
  await eventually("everything else was collected", async () => {
    await clock.force();
    text = await metrics.render("text");
    return valueOf(text, series("caisson_resources_uncollected")) === leaked.length;
  });
  assert.equal(valueOf(text, series("caisson_resources_opened_total")), 301);
  assert.equal(valueOf(text, 'caisson_resources_closed_total{kind="session",reason="goodbye"}'), 300);
  assert.equal(valueOf(text, series("caisson_resources_live")), 1);
  assert.equal(valueOf(text, series("caisson_resources_held")), 1);
  assert.equal(valueOf(text, series("caisson_resources_retained")), 3);
  assert.equal(valueOf(text, series("caisson_resources_collected_unclosed_total")), 0);
  assert.equal(valueOf(text, 'caisson_collection_delay_major_gcs_count{kind="session"}'), 297);
  assert.equal(valueOf(text, 'caisson_tunnels{type="tcp"}'), 2);
  assert.equal(valueOf(text, 'caisson_tunnels{type="tls"}'), 3);
  assert.equal(valueOf(text, 'caisson_probe_size{probe="names.live"}'), 3);
  assert.ok(valueOf(text, "caisson_heap_floor_bytes") > 1_000_000);
  assert.ok(!/^caisson_(?:certificate_expiry_seconds|heap_snapshot_stall_seconds_count) /mu.test(text));
  const checked = spawnSync(findProgram("promtool") ?? "", ["check", "metrics"], { input: text, encoding: "utf8" });
  assert.equal(`${checked.stdout}${checked.stderr}`, "");
});
