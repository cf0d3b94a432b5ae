// The families about the process and about Node, under the names that dashboards know from elsewhere, as far as promtool
// accepts them. Unlike prom-client's own collectors these can be stopped.

import { getHeapSpaceStatistics } from "node:v8";
import { EventLoopMonitor, gcKinds } from "./event-loop.ts";
import { maxDescriptors, virtualMemoryBytes } from "./process-facts.ts";
import type { Exposition } from "./prometheus.ts";
import type { ScrapeReadings } from "./scrape-readings.ts";
import { closedEntries } from "./word-counts.ts";

/** What these families need to know. */
export interface RuntimeFamiliesOptions {
  /** The version of this package. */
  readonly version: string;
  readonly readings: ScrapeReadings;
}

/** Owns the collectors behind the families. */
export class RuntimeFamilies {
  readonly #loop: EventLoopMonitor = new EventLoopMonitor();

  constructor(exposition: Exposition, options: RuntimeFamiliesOptions) {
    addVersions(exposition, options.version);
    addProcess(exposition, options.readings);
    addMemory(exposition, options.readings);
    addEventLoop(exposition, this.#loop);
  }

  /** Stops the collectors. Idempotent. */
  dispose(): void {
    this.#loop.dispose();
  }
}

function addVersions(exposition: Exposition, version: string): void {
  exposition.gauge(
    { name: "caisson_build_info", help: "Always 1; says which versions run.", labels: ["version", "node"] },
    (emit) => emit(1, { version, node: process.version }),
  );
  exposition.gauge(
    {
      name: "nodejs_version_info",
      help: "Always 1; the version of Node.",
      labels: ["version", "major", "minor", "patch"],
    },
    (emit) => {
      const [major = "", minor = "", patch = ""] = process.versions.node.split(".");
      emit(1, { version: process.version, major, minor, patch });
    },
  );
}

function addProcess(exposition: Exposition, readings: ScrapeReadings): void {
  exposition.counter({ name: "process_cpu_user_seconds_total", help: "CPU time in user mode." }, (emit) =>
    emit(readings.cpu().user / 1e6),
  );
  exposition.counter({ name: "process_cpu_system_seconds_total", help: "CPU time in the kernel." }, (emit) =>
    emit(readings.cpu().system / 1e6),
  );
  exposition.counter({ name: "process_cpu_seconds_total", help: "CPU time." }, (emit) => {
    const { user, system } = readings.cpu();
    emit((user + system) / 1e6);
  });
  const startedAtSeconds = Math.round(Date.now() / 1000 - process.uptime());
  exposition.gauge({ name: "process_start_time_seconds", help: "When the process started, since the epoch." }, (emit) =>
    emit(startedAtSeconds),
  );
  exposition.gauge({ name: "process_resident_memory_bytes", help: "Resident memory." }, (emit) =>
    emit(readings.memory().rss),
  );
  exposition.gauge({ name: "process_virtual_memory_bytes", help: "Virtual memory." }, (emit) =>
    emit(virtualMemoryBytes()),
  );
  exposition.gauge({ name: "process_open_fds", help: "Open file descriptors, as last sampled." }, (emit) =>
    emit(readings.direct.descriptors?.()?.open),
  );
  exposition.gauge({ name: "process_max_fds", help: "The limit of open file descriptors." }, (emit) =>
    emit(maxDescriptors()),
  );
  exposition.gauge(
    {
      name: "nodejs_active_resources",
      help: "What keeps the event loop alive, by Node's name for it.",
      labels: ["type"],
    },
    (emit) => {
      // Thousands of sockets, and a dozen names: what is done per name is not done per socket.
      const counts = new Map<string, number>();
      for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
      const words = Array.from(counts, ([type, count]) => [type.toLowerCase(), count] as const);
      for (const [type, count] of closedEntries(words)) emit(count, { type });
    },
  );
}

function addMemory(exposition: Exposition, readings: ScrapeReadings): void {
  exposition.gauge({ name: "nodejs_heap_size_total_bytes", help: "Memory that V8 has reserved." }, (emit) =>
    emit(readings.memory().heapTotal),
  );
  exposition.gauge({ name: "nodejs_heap_size_used_bytes", help: "Memory that V8 uses." }, (emit) =>
    emit(readings.memory().heapUsed),
  );
  exposition.gauge(
    { name: "nodejs_external_memory_bytes", help: "Memory outside of V8 that its objects own." },
    (emit) => emit(readings.memory().external),
  );
  exposition.gauge({ name: "nodejs_array_buffers_bytes", help: "Memory of buffers." }, (emit) =>
    emit(readings.memory().arrayBuffers),
  );
  for (const [suffix, help, key] of [
    ["total", "Size of each heap space.", "space_size"],
    ["used", "Used part of each heap space.", "space_used_size"],
    ["available", "Free part of each heap space.", "space_available_size"],
  ] as const) {
    exposition.gauge({ name: `nodejs_heap_space_size_${suffix}_bytes`, help, labels: ["space"] }, (emit) => {
      for (const space of getHeapSpaceStatistics()) {
        emit(space[key], { space: space.space_name.replace(/_space$/u, "") });
      }
    });
  }
}

function addEventLoop(exposition: Exposition, loop: EventLoopMonitor): void {
  for (const key of ["min", "max", "mean", "p50", "p90", "p99"] as const) {
    exposition.gauge(
      {
        name: `nodejs_eventloop_lag_${key}_seconds`,
        help: `How late the event loop was, ${key} since the last scrape.`,
      },
      (emit) => emit(loop.delay()?.[key]),
    );
  }
  exposition.gauge(
    { name: "nodejs_eventloop_utilization_ratio", help: "Share of time that the event loop was busy, of late." },
    (emit) => emit(loop.utilization()),
  );
  exposition.histogram(
    { name: "nodejs_gc_duration_seconds", help: "Pauses of the garbage collector.", labels: ["kind"] },
    (emit) => {
      for (const kind of gcKinds) emit(loop.gcPauses[kind], { kind });
    },
  );
}
