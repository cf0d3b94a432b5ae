// Stand-ins for the core's resources, and waiting for what the collector decides.

import { CaissonError } from "../../src/lifecycle/errors.ts";
import type { Resource, ResourceKind } from "../../src/lifecycle/resource.ts";
import type { GcClock, MajorGc, MajorGcListener } from "../../src/leaks/gc-clock.ts";
import type { MajorGcs } from "../../src/leaks/watcher.ts";

/** A resource of any kind. */
export class SampleResource implements Resource {
  readonly kind: ResourceKind;
  readonly openedAtMs: number;
  /** What it can be kept alive by, in a test that leaks it. */
  readonly onEvent = (): SampleResource => this;

  constructor(kind: ResourceKind, openedAtMs: number = performance.now()) {
    this.kind = kind;
    this.openedAtMs = openedAtMs;
  }
}

/** A clock that strikes when the test says so. */
export class HandClock implements MajorGcs {
  readonly listeners: Set<MajorGcListener> = new Set();
  turns = 0;

  /** As of a collection that nobody forced. */
  readonly counted = false;

  onMajor(listener: MajorGcListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  strike(startedAtMs: number): void {
    this.turns += 1;
    const gc: MajorGc = { startedAtMs, tookMs: 1, turns: this.turns };
    for (const listener of this.listeners) listener(gc);
  }
}

/** Forces collections until `done`, at most `most` of them. */
export async function collectUntil(clock: GcClock, done: () => boolean, most = 12): Promise<void> {
  for (let n = 0; n < most; n += 1) {
    await clock.force();
    if (done()) return;
  }
  throw new CaissonError("E_INTERNAL", `not so after ${most} collections: ${String(done)}`);
}

/** Looks at `done` every turn of the event loop until it holds, at most `mostMs`. */
export async function until(done: () => boolean, mostMs = 10_000): Promise<void> {
  const endMs = performance.now() + mostMs;
  while (!done()) {
    if (performance.now() > endMs) throw new CaissonError("E_INTERNAL", `not so after ${mostMs} ms: ${String(done)}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}
