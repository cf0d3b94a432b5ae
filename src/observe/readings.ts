// What metrics read from the rest of a role at the moment of a scrape. Callbacks, never counters of their own: a gauge
// that is counted up and down drifts, one that is read cannot. Whatever a role cannot say is absent, never zero.

import type { Side } from "../lifecycle/events.ts";
import type { Inventory, ResourceKind } from "../lifecycle/resource.ts";

/** The three ledgers' view of one kind, as far as they are kept. */
export interface ResourceReading {
  readonly opened: number;
  readonly closed: number;
  /** Closes by reason; their sum is `closed`. */
  readonly reasons: ReadonlyMap<string, number>;
  readonly live: number;
  /** What containers hold; absent for a kind that this role keeps in none. */
  readonly held?: number | undefined;
  /** Closed and not yet collected; this and the next two are absent where no collection is watched. */
  readonly uncollected?: number | undefined;
  readonly retained?: number | undefined;
  readonly collectedUnclosed?: number | undefined;
  /** Age of the oldest live one, in seconds; absent if there is none or nobody knows. */
  readonly oldestSeconds?: number | undefined;
}

/** A histogram that somebody else has counted. */
export interface HistogramReading {
  /** Upper bounds in ascending order, without the infinite one. */
  readonly bounds: readonly number[];
  /** Observations per bucket, not cumulative; one more than bounds, the last above them all. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

/** Descriptors and TCP sockets of this process, sampled elsewhere and cached. */
export interface DescriptorReading {
  /** Open descriptors in all. */
  readonly open: number;
  /** By type: socket, pipe, file, anon_inode and the like. */
  readonly types: Readonly<Record<string, number>>;
  /** Own TCP sockets by state, lower-case, such as `close_wait`. */
  readonly tcp: Readonly<Record<string, number>>;
}

/** What became of heap snapshots. */
export interface SnapshotReading {
  readonly trigger: string;
  readonly result: string;
  readonly count: number;
}

/** What became of the spans that this process has recorded, as far as its own SDK tells. */
export interface SpanExportReading {
  readonly exported: number;
  readonly dropped: Readonly<Record<"queue_full" | "export_failed", number>>;
}

/** Everything that a scrape asks for. Only the first two are always there. */
export interface MetricReadings {
  inventory(): Inventory;
  resources(inventory: Inventory): Partial<Record<ResourceKind, ResourceReading>>;
  /** Sizes of what registered itself as a probe, besides those of the inventory. */
  probes?(): Readonly<Record<string, number>>;
  /** Open tunnels by type. */
  tunnelTypes?(): Readonly<Record<"http" | "tcp" | "tls", number>>;
  /** Bytes that wait in memory, by the side that is to take them. `inventory` is of the same moment. */
  bufferedBytes?(inventory: Inventory): Partial<Record<Side, number>>;
  /** How many major GCs passed between a close and its collection. */
  collectionDelays?(): Partial<Record<ResourceKind, HistogramReading>>;
  descriptors?(): DescriptorReading | undefined;
  /** The lowest heap in use after a major GC, in bytes. */
  heapFloorBytes?(): number | undefined;
  snapshots?(): readonly SnapshotReading[];
  /** How long heap snapshots have stopped the event loop, in seconds. */
  snapshotStalls?(): HistogramReading | undefined;
  /** Operations that can never settle any more, by name. */
  abandonedOperations?(): Readonly<Record<string, number>>;
  /** Absent without an SDK, or with one that somebody else has set up. */
  spanExports?(): SpanExportReading | undefined;
  /** Until the first certificate expires. */
  certificateExpirySeconds?(): number | undefined;
}
