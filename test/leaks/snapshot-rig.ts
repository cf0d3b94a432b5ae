// A snapshot store in a folder of its own, on a ground that tests can make short of memory, disk or an engine.

import { writeFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Deadlines } from "../../src/lifecycle/deadlines.ts";
import { fanout } from "../../src/lifecycle/fanout.ts";
import { QuietEvents } from "../../src/lifecycle/quiet-events.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import type { SnapshotGround } from "../../src/leaks/snapshot-ground.ts";
import { snapshotGround } from "../../src/leaks/snapshot-ground.ts";
import type { SnapshotStoreOptions } from "../../src/leaks/snapshots.ts";
import { SnapshotStore } from "../../src/leaks/snapshots.ts";

const megabyte = 1024 * 1024;
/** What ends a complete snapshot, and little else. */
export const tinySnapshot = '{"snapshot":{},"strings":["<dummy>"]}';

class Faults extends QuietEvents {
  readonly heard: string[] = [];

  override faulted(where: string, error: unknown): void {
    this.heard.push(`${where}: ${String(error)}`);
  }
}

/** What a test works with. */
export interface SnapshotRig {
  readonly store: SnapshotStore;
  readonly folder: string;
  readonly ledger: Ledger;
  readonly faults: readonly string[];
  /** The names of all files in the folder. */
  files(): Promise<string[]>;
}

/** Plenty of everything, and an engine whose snapshots are tiny. Overridden by the test. */
export function roomyGround(changes: Partial<SnapshotGround> = {}): SnapshotGround {
  return {
    heapUsed: () => 10 * megabyte,
    headroom: () => 1000 * megabyte,
    diskFree: () => Promise.resolve(1000 * megabyte),
    engine: () => ({ write: writeTiny }),
    cure: () => Promise.resolve(),
    ...changes,
  };
}

/** A store that is disposed of, and whose folder is removed, after the test; then nothing of it may be left open. */
export async function snapshotRig(t: TestContext, options: Partial<SnapshotStoreOptions> = {}): Promise<SnapshotRig> {
  const parent = await mkdtemp(join(tmpdir(), "caisson-snapshots-"));
  const folder = options.folder ?? join(parent, "snapshots");
  const ledger = new Ledger();
  const faults = new Faults();
  const events = fanout(ledger, faults);
  const deadlines = new Deadlines({ events, tickMs: 10 });
  const store = new SnapshotStore({ folder, events, deadlines, ground: snapshotGround, ...options });
  t.after(async () => {
    store.dispose();
    await rm(parent, { recursive: true, force: true });
    if (deadlines.size > 0 || ledger.live("snapshot") > 0) throw new Error("the store left something open");
  });
  return { store, folder, ledger, faults: faults.heard, files: () => readdir(folder) };
}

function writeTiny(path: string): void {
  writeFileSync(path, tinySnapshot);
}
