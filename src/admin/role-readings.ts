// What a role's metrics read at a scrape: the ledgers of leaks/ and the role's own containers, in the form that observe/
// asks for. It keeps nothing.

import type { Side } from "../lifecycle/events.ts";
import type { Inventory, ResourceKind } from "../lifecycle/resource.ts";
import { resourceKinds } from "../lifecycle/resource.ts";
import type { Descriptors } from "../leaks/descriptors.ts";
import type { HeapFloor } from "../leaks/heap-floor.ts";
import type { Operations } from "../leaks/op-scope.ts";
import type { ProbeRegistry } from "../leaks/probes.ts";
import type { ResourceReporter } from "../leaks/resource-report.ts";
import type { SnapshotStore } from "../leaks/snapshots.ts";
import type { CollectionWatcher } from "../leaks/watcher.ts";
import type { HistogramReading, MetricReadings, SpanExportReading } from "../observe/readings.ts";

/** Where metrics are read from. */
export interface RoleReadingsOptions {
  readonly inventory: () => Inventory;
  readonly reporter: ResourceReporter;
  readonly watcher: CollectionWatcher;
  readonly probes: ProbeRegistry;
  readonly operations: Operations;
  readonly heapFloor: HeapFloor;
  readonly descriptors: Descriptors;
  /** Asked at every scrape: the store may come later than the metrics. */
  readonly snapshots?: () => SnapshotStore | undefined;
  /** Open tunnels by type; without it all of them count as http. */
  readonly tunnelTypes?: () => Readonly<Record<"http" | "tcp" | "tls", number>>;
  readonly bufferedBytes?: (inventory: Inventory) => Partial<Record<Side, number>>;
  readonly certificateExpirySeconds?: () => number | undefined;
  readonly spanExports?: SpanExportReading | undefined;
}

/** The readings of one role. */
export function roleReadings(from: RoleReadingsOptions): MetricReadings {
  const { inventory, reporter, watcher, probes, operations, heapFloor, descriptors, snapshots } = from;
  return {
    inventory,
    resources: (held) => reporter.kinds(held),
    probes: () => probes.readings(),
    collectionDelays: () => collectionDelays(watcher),
    descriptors: () => descriptors.latest,
    heapFloorBytes: () => heapFloor.bytes,
    abandonedOperations: () => abandoned(operations),
    ...(snapshots && {
      snapshots: () => snapshots()?.tallies() ?? [],
      snapshotStalls: () => snapshots()?.stalls,
    }),
    ...(from.tunnelTypes && { tunnelTypes: from.tunnelTypes }),
    ...(from.bufferedBytes && { bufferedBytes: from.bufferedBytes }),
    ...(from.spanExports && { spanExports: () => from.spanExports }),
    ...(from.certificateExpirySeconds && { certificateExpirySeconds: from.certificateExpirySeconds }),
  };
}

function collectionDelays(watcher: CollectionWatcher): Partial<Record<ResourceKind, HistogramReading>> {
  const readings: Partial<Record<ResourceKind, HistogramReading>> = {};
  for (const kind of resourceKinds) {
    const { watched, delays } = watcher.reading(kind);
    if (watched > 0) readings[kind] = delays;
  }
  return readings;
}

function abandoned(operations: Operations): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(operations.readings()).map(([name, reading]) => [name, reading.abandoned]));
}
