// The three ledgers side by side, as GET /debug/resources shows them. It reads, and keeps nothing.

import { getHeapStatistics } from "node:v8";
import type { Inventory, ResourceKind } from "../lifecycle/resource.ts";
import { byKind } from "./by-kind.ts";
import type { DescriptorReading, Descriptors } from "./descriptors.ts";
import type { GcClock } from "./gc-clock.ts";
import type { HeapFloor } from "./heap-floor.ts";
import type { Ledger } from "./ledger.ts";
import type { OperationReading, Operations } from "./op-scope.ts";
import type { ProbeRegistry } from "./probes.ts";
import type { CollectionWatcher } from "./watcher.ts";

/** What is known of one kind of resource. */
export interface KindReading {
  readonly opened: number;
  readonly closed: number;
  /** Closes by reason; their sum is `closed`. */
  readonly reasons: ReadonlyMap<string, number>;
  /** opened - closed. */
  readonly live: number;
  /** What the containers hold; undefined where the role has no container of this kind. */
  readonly held: number | undefined;
  /** Closed, watched and not collected. */
  readonly uncollected: number;
  /** Uncollected for so long that something must still refer to it. */
  readonly retained: number;
  readonly collectedUnclosed: number;
  /** Age of the oldest open one, in seconds; 0 if none is open. */
  readonly oldestSeconds: number;
  /** Of how many one is watched by the collector's ledger (`uncollected`, `retained`, `collectedUnclosed`); 1 when all are. */
  readonly watchedOneIn: number;
}

/** A {@link KindReading} as JSON shows it. */
export interface KindReport extends Omit<KindReading, "reasons" | "held"> {
  /** Null where things of this kind were opened, but the role has no container to count them in. */
  readonly held: number | null;
  readonly closedBy: Readonly<Record<string, number>>;
}

/** Memory of the process, in bytes. */
export interface MemoryReport {
  readonly rss: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly heapLimit: number;
  /** Lowest heapUsed after the latest major collections; null before the first. */
  readonly heapFloor: number | null;
  readonly external: number;
  readonly arrayBuffers: number;
}

/** The answer of GET /debug/resources. */
export interface ResourceReport {
  readonly kinds: Readonly<Record<ResourceKind, KindReport>>;
  /** Sizes of named containers and listener counts of long-lived emitters. */
  readonly probes: Readonly<Record<string, number>>;
  /** Asynchronous operations by name. */
  readonly operations: Readonly<Record<string, OperationReading>>;
  readonly majorGcs: number;
  readonly memory: MemoryReport;
  /** File descriptors and TCP sockets, `ageSeconds` old; null until they were sampled once, and where there is no /proc. */
  readonly fds: DescriptorReading | null;
  /** What keeps the event loop alive, by type, as Node names it. */
  readonly handles: Readonly<Record<string, number>>;
}

/** Where a report is read from. */
export interface ResourceReporterOptions {
  readonly ledger: Ledger;
  readonly watcher: CollectionWatcher;
  readonly clock: GcClock;
  readonly inventory: () => Inventory;
  readonly probes: ProbeRegistry;
  readonly operations: Operations;
  readonly heapFloor: HeapFloor;
  readonly descriptors: Descriptors;
}

/** Reads the ledgers of one role. */
export class ResourceReporter {
  readonly #from: ResourceReporterOptions;

  constructor(from: ResourceReporterOptions) {
    this.#from = from;
  }

  /** Everything, as it stands now; the descriptors as they were last sampled. */
  report(): ResourceReport {
    const { inventory, probes, operations, clock, descriptors } = this.#from;
    const held = inventory();
    return {
      kinds: byKind((kind) => kindReport(this.#reading(kind, held))),
      probes: { ...held.probes, ...probes.readings() },
      operations: operations.readings(),
      majorGcs: clock.majors,
      memory: this.#memory(),
      fds: descriptors.latest ?? null,
      handles: activeHandles(),
    };
  }

  /** Every kind, against an inventory that was read at the same moment; what metrics show. */
  kinds(inventory: Inventory): Record<ResourceKind, KindReading> {
    return byKind((kind) => this.#reading(kind, inventory));
  }

  #reading(kind: ResourceKind, inventory: Inventory): KindReading {
    const { ledger, watcher } = this.#from;
    const { opened, closed, reasons } = ledger.accounts[kind];
    const watch = watcher.reading(kind);
    return {
      opened,
      closed,
      reasons,
      live: opened - closed,
      held: inventory.held[kind],
      uncollected: watch.uncollected,
      retained: watch.retained,
      collectedUnclosed: watch.collectedUnclosed,
      oldestSeconds: ledger.oldestAgeMs(kind) / 1000,
      watchedOneIn: watch.oneIn,
    };
  }

  #memory(): MemoryReport {
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    const heapLimit = getHeapStatistics().heap_size_limit;
    const heapFloor = this.#from.heapFloor.bytes ?? null;
    return { rss, heapUsed, heapTotal, heapLimit, heapFloor, external, arrayBuffers };
  }
}

function kindReport({ opened, closed, live, held, reasons, ...watched }: KindReading): KindReport {
  // What was never opened is not held anywhere either.
  const known = held ?? (opened === 0 ? 0 : null);
  return { opened, closed, live, held: known, ...watched, closedBy: Object.fromEntries(reasons) };
}

/** What keeps the event loop alive, counted by the names that Node gives, such as TCPSocketWrap. */
export function activeHandles(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
