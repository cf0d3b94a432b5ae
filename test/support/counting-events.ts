// A tiny ledger for tests: what was opened and not closed, what was violated, refused or thrown.

import assert from "node:assert/strict";
import type { Side, TunnelEvents } from "../../src/lifecycle/events.ts";
import type { Resource } from "../../src/lifecycle/resource.ts";

/** Counts what the core reports. */
export class CountingEvents implements TunnelEvents {
  readonly violations: string[] = [];
  readonly faults: { where: string; error: unknown }[] = [];
  readonly closeReasons: Map<string, string[]> = new Map();
  readonly pauses: Side[] = [];
  opens = 0;
  heartbeats = 0;
  readonly #open = new Set<Resource>();

  opened(resource: Resource): void {
    assert.ok(!this.#open.has(resource), `${resource.kind} opened twice`);
    this.opens += 1;
    this.#open.add(resource);
  }

  closed(resource: Resource, reason: string): void {
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

  violated(_: unknown, reason: string): void {
    this.violations.push(reason);
  }

  faulted(where: string, error: unknown): void {
    this.faults.push({ where, error });
  }

  heartbeat(): void {
    this.heartbeats += 1;
  }

  paused(side: Side): void {
    this.pauses.push(side);
  }

  exchangeStarted(): undefined {
    return undefined;
  }

  bytes(): void {}
  exchangeEnded(): void {}
  sessionConnected(): void {}
  refused(): void {}
  badRequest(): void {}
}
