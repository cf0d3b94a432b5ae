// The families about the three ledgers, probes, descriptors and heap snapshots. All of them are read at the scrape from
// whoever keeps the books; nothing is counted up and down here.

import type { ResourceKind } from "../lifecycle/resource.ts";
import { resourceKinds } from "../lifecycle/resource.ts";
import type { Emit, Exposition } from "./prometheus.ts";
import type { ResourceReading } from "./readings.ts";
import type { ScrapeReadings } from "./scrape-readings.ts";
import { closedEntries } from "./word-counts.ts";

/** Probes beyond these are summed up as `other`. */
const maxProbes = 100;

/** Adds the families to an exposition. */
export function addResourceFamilies(exposition: Exposition, readings: ScrapeReadings): void {
  addLedgerFamilies(exposition, readings);
  addCollectionFamilies(exposition, readings);
  addProcessFamilies(exposition, readings);
  addSnapshotFamilies(exposition, readings);
  addSpanFamilies(exposition, readings);
}

function addLedgerFamilies(exposition: Exposition, readings: ScrapeReadings): void {
  const each = eachKind(readings);
  exposition.counter(
    { name: "caisson_resources_opened_total", help: "Resources that were opened.", labels: ["kind"] },
    each((emit, kind, { opened }) => emit(opened, { kind })),
  );
  exposition.counter(
    { name: "caisson_resources_closed_total", help: "Resources that were closed.", labels: ["kind", "reason"] },
    each((emit, kind, { reasons }) => {
      for (const [reason, count] of closedEntries(reasons)) emit(count, { kind, reason });
    }),
  );
  exposition.gauge(
    { name: "caisson_resources_live", help: "Opened and not closed, by the ledger.", labels: ["kind"] },
    each((emit, kind, { live }) => emit(live, { kind })),
  );
  exposition.gauge(
    { name: "caisson_resources_held", help: "Held by a container right now.", labels: ["kind"] },
    each((emit, kind, { held }) => emit(held, { kind })),
  );
  exposition.gauge(
    { name: "caisson_resource_oldest_age_seconds", help: "Age of the oldest live resource.", labels: ["kind"] },
    each((emit, kind, { oldestSeconds }) => emit(oldestSeconds, { kind })),
  );
}

function addCollectionFamilies(exposition: Exposition, readings: ScrapeReadings): void {
  const each = eachKind(readings);
  exposition.gauge(
    { name: "caisson_resources_uncollected", help: "Closed and not yet garbage collected.", labels: ["kind"] },
    each((emit, kind, { uncollected }) => emit(uncollected, { kind })),
  );
  exposition.gauge(
    {
      name: "caisson_resources_retained",
      help: "Closed long ago and not collected by several major GCs: something still refers to them.",
      labels: ["kind"],
    },
    each((emit, kind, { retained }) => emit(retained, { kind })),
  );
  exposition.counter(
    {
      name: "caisson_resources_collected_unclosed_total",
      help: "Garbage collected although never closed: a handle that was lost.",
      labels: ["kind"],
    },
    each((emit, kind, { collectedUnclosed }) => emit(collectedUnclosed, { kind })),
  );
  exposition.histogram(
    {
      name: "caisson_collection_delay_major_gcs",
      help: "Major GCs between the close of a resource and its collection.",
      labels: ["kind"],
    },
    (emit) => {
      for (const [kind, reading] of Object.entries(readings.direct.collectionDelays?.() ?? {})) emit(reading, { kind });
    },
  );
  exposition.counter(
    {
      name: "caisson_operations_abandoned_total",
      help: "Asynchronous operations that can never settle any more.",
      labels: ["operation"],
    },
    (emit) => {
      const counts = closedEntries(Object.entries(readings.direct.abandonedOperations?.() ?? {}));
      for (const [operation, count] of counts) emit(count, { operation });
    },
  );
}

function addProcessFamilies(exposition: Exposition, readings: ScrapeReadings): void {
  exposition.gauge(
    { name: "caisson_probe_size", help: "Sizes of maps, sets, queues, pools and emitters.", labels: ["probe"] },
    (emit) => {
      const sizes = Object.entries({ ...readings.inventory().probes, ...readings.direct.probes?.() });
      for (const [probe, size] of closedEntries(sizes, maxProbes)) emit(size, { probe });
    },
  );
  exposition.gauge(
    { name: "caisson_descriptors", help: "Open file descriptors, by type.", labels: ["type"] },
    (emit) => {
      for (const [type, count] of closedEntries(Object.entries(readings.direct.descriptors?.()?.types ?? {}))) {
        emit(count, { type });
      }
    },
  );
  exposition.gauge(
    { name: "caisson_tcp_sockets", help: "TCP sockets of this process, by state.", labels: ["state"] },
    (emit) => {
      for (const [state, count] of closedEntries(Object.entries(readings.direct.descriptors?.()?.tcp ?? {}))) {
        emit(count, { state });
      }
    },
  );
  exposition.gauge(
    { name: "caisson_heap_floor_bytes", help: "The lowest heap in use after a major GC of late." },
    (emit) => emit(readings.direct.heapFloorBytes?.()),
  );
}

function addSpanFamilies(exposition: Exposition, readings: ScrapeReadings): void {
  exposition.counter({ name: "caisson_trace_spans_exported_total", help: "Spans that were sent." }, (emit) =>
    emit(readings.direct.spanExports?.()?.exported),
  );
  exposition.counter(
    {
      name: "caisson_trace_spans_dropped_total",
      help: "Spans that were recorded and never arrived, by cause.",
      labels: ["reason"],
    },
    (emit) => {
      for (const [reason, count] of Object.entries(readings.direct.spanExports?.()?.dropped ?? {})) {
        emit(count, { reason });
      }
    },
  );
}

function addSnapshotFamilies(exposition: Exposition, readings: ScrapeReadings): void {
  exposition.counter(
    {
      name: "caisson_heap_snapshots_total",
      help: "Heap snapshots that were asked for, by trigger and result.",
      labels: ["trigger", "result"],
    },
    (emit) => {
      for (const { trigger, result, count } of readings.direct.snapshots?.() ?? []) emit(count, { trigger, result });
    },
  );
  exposition.histogram(
    { name: "caisson_heap_snapshot_stall_seconds", help: "How long heap snapshots stopped the event loop." },
    (emit) => emit(readings.direct.snapshotStalls?.()),
  );
}

type EmitKind = (emit: Emit, kind: ResourceKind, reading: ResourceReading) => void;

function eachKind(readings: ScrapeReadings): (emitKind: EmitKind) => (emit: Emit) => void {
  return (emitKind) => (emit) => {
    const resources = readings.resources();
    for (const kind of resourceKinds) {
      const reading = resources[kind];
      if (reading) emitKind(emit, kind, reading);
    }
  };
}
