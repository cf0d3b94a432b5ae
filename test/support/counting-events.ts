// A strict ledger for tests: by identity, so that what is opened or closed twice fails where it happens; and what was
// violated, thrown or paused.

import assert from "node:assert/strict";
import type { Side } from "../../src/lifecycle/events.ts";
import { QuietEvents } from "../../src/lifecycle/quiet-events.ts";
import type { Resource } from "../../src/lifecycle/resource.ts";

/** Counts what the core reports. */
export class CountingEvents extends QuietEvents {
  readonly violations: string[] = [];
  readonly faults: { where: string; error: unknown }[] = [];
  readonly closeReasons: Map<string, string[]> = new Map();
  readonly pauses: Side[] = [];
  opens = 0;
  heartbeats = 0;
  readonly #open = new Set<Resource>();

  override opened(resource: Resource): void {
    assert.ok(!this.#open.has(resource), `${resource.kind} opened twice`);
    this.opens += 1;
    this.#open.add(resource);
  }

  override closed(resource: Resource, reason: string): void {
    assert.ok(this.#open.delete(resource), `${resource.kind} closed twice, or never opened`);
    const reasons = this.closeReasons.get(resource.kind) ?? [];
    reasons.push(reason);
    this.closeReasons.set(resource.kind, reasons);
  }

  /** Open resources by kind; empty if all is closed. */
  get outstanding(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { kind } of this.#open) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }

  override violated(_: unknown, reason: string): void {
    this.violations.push(reason);
  }

  override faulted(where: string, error: unknown): void {
    this.faults.push({ where, error });
  }

  override heartbeat(): void {
    this.heartbeats += 1;
  }

  override paused(side: Side): void {
    this.pauses.push(side);
  }
}
