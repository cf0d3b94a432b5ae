// Everything in leaks/ together, in a process that must end by itself once it was disposed of.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

const at = (path: string): string => JSON.stringify(new URL(`../../src/${path}.js`, import.meta.url));

const child = `
  import { Deadlines } from ${at("lifecycle/deadlines")};
  import { fanout } from ${at("lifecycle/fanout")};
  import { Scope } from ${at("lifecycle/scope")};
  import { Descriptors } from ${at("leaks/descriptors")};
  import { GcClock } from ${at("leaks/gc-clock")};
  import { GcSchedule } from ${at("leaks/gc-schedule")};
  import { HeapFloor } from ${at("leaks/heap-floor")};
  import { Ledger } from ${at("leaks/ledger")};
  import { Operations } from ${at("leaks/op-scope")};
  import { ProbeRegistry } from ${at("leaks/probes")};
  import { ResourceReporter } from ${at("leaks/resource-report")};
  import { takeOnSignal } from ${at("leaks/snapshot-signal")};
  import { SnapshotStore } from ${at("leaks/snapshots")};
  import { CollectionWatcher } from ${at("leaks/watcher")};

  const clock = new GcClock();
  const ledger = new Ledger();
  const watcher = new CollectionWatcher({ clock });
  const events = fanout(ledger, watcher);
  const deadlines = new Deadlines({ events });
  const operations = new Operations();
  const probes = new ProbeRegistry();
  const heapFloor = new HeapFloor(clock);
  const descriptors = new Descriptors();
  const schedule = new GcSchedule({ clock, deadlines, events, subjects: [watcher, operations] });
  const store = new SnapshotStore({ folder: process.argv[1], events, deadlines });
  const scope = new Scope((error) => { throw error; });
  takeOnSignal(store, { scope, events, onResult() {} });
  const inventory = () => ({ held: { deadline: deadlines.size, snapshot: store.held }, probes: {} });
  const from = { ledger, watcher, clock, inventory, probes, operations, heapFloor, descriptors };
  const reporter = new ResourceReporter(from);
  void operations.run("never", () => new Promise(() => {}));
  const taken = await store.take({ trigger: "program" });
  await clock.force();
  await descriptors.sample();
  const { kinds } = reporter.report();

  scope.close("closed");
  for (const part of [schedule, store, watcher, heapFloor, operations, probes, clock]) part.dispose();
  await descriptors.dispose();
  process.stdout.write(JSON.stringify({ taken: taken.ok, live: kinds.deadline.live, held: kinds.deadline.held, left: ledger.outstanding }));
`;

test("with everything disposed of nothing is open, and the process ends by itself", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "caisson-disposal-"));
  t.after(() => rm(folder, { recursive: true }));
  const node = spawn(process.execPath, ["--input-type=module", "-e", child, folder], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  const [output, exit] = await Promise.all([text(node.stdout), once(node, "exit")]);
  assert.deepEqual(JSON.parse(output), { taken: true, live: 2, held: 2, left: {} });
  assert.deepEqual(exit, [0, null]);
});
