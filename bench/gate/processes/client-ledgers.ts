// The three ledgers of all clients of one process, as plain counts: what the private listener tells of a server.

import type { Inventory, TunnelEvents } from "../../../src/internals.ts";
import { Ledger, resourceKinds } from "../../../src/internals.ts";
import { GcClock } from "../../../src/leaks/gc-clock.ts";
import { CollectionWatcher } from "../../../src/leaks/watcher.ts";
import type { Counts } from "./orders.ts";

/** How long after its close a resource may be referred to, in milliseconds: the close timeout of the clients, and 5 s. */
export const clientGraceMs = 6_000;

/** Subscribes to every client of this process, for as long as the process lives. */
export class ClientLedgers {
  readonly #ledger: Ledger = new Ledger();
  readonly #watcher: CollectionWatcher = new CollectionWatcher({
    clock: new GcClock(),
    graceMs: clientGraceMs,
    watchAll: true,
  });

  /** To be given to each client. */
  get subscribers(): readonly TunnelEvents[] {
    return [this.#ledger, this.#watcher];
  }

  /** Counts as `KIND.FIELD`; `held` is what the containers of `inventories`, one for each client that stands, hold together. */
  counts(inventories: readonly Inventory[]): Counts {
    const counts: Record<string, number> = {};
    for (const kind of resourceKinds) {
      const { opened, closed } = this.#ledger.accounts[kind];
      if (opened === 0) continue;
      const { uncollected, retained, collectedUnclosed } = this.#watcher.reading(kind);
      const oldestSeconds = this.#ledger.oldestAgeMs(kind) / 1_000;
      const live = opened - closed;
      const held = inventories.reduce((sum, inventory) => sum + (inventory.held[kind] ?? 0), 0);
      for (const [field, value] of Object.entries({
        opened,
        closed,
        live,
        held,
        uncollected,
        retained,
        collectedUnclosed,
        oldestSeconds,
      })) {
        counts[`${kind}.${field}`] = value;
      }
    }
    return counts;
  }
}
