// What the live page is told once per second, as JSON. Types only: the page's own sources import them.

import type { DescriptorReading } from "../leaks/descriptors.ts";
import type { MemoryReport } from "../leaks/resource-report.ts";
import type { SnapshotForecast } from "../leaks/snapshot-entry.ts";
import type { RetainedResource } from "../leaks/watch-record.ts";
import type { ResourceKind } from "../lifecycle/resource.ts";
import type { Arrival } from "../observe/arrivals.ts";
import type { LogLevel } from "../observe/log-level.ts";
import type { TunnelRow } from "./subject.ts";

/** What does not change while the process runs. */
export interface LiveAbout {
  readonly role: "server" | "client";
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  /** Differs between two processes. */
  readonly instance: string;
  /** Whether this process takes heap snapshots. */
  readonly snapshots: boolean;
}

/** Traffic over the last second; response times over the last ten. */
export interface LiveTraffic {
  readonly requestsPerSecond: number;
  readonly failuresPerSecond: number;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
  /** Times to the first byte in milliseconds; null when nothing was answered. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** How late the event loop was over the last second, and how busy. */
export interface LiveLoop {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** 0 to 1. */
  readonly busy: number;
}

/** The three ledgers of one kind. */
export interface LiveKind {
  readonly opened: number;
  readonly closed: number;
  readonly live: number;
  readonly held: number | null;
  readonly uncollected: number;
  readonly retained: number;
  readonly collectedUnclosed: number;
  readonly oldestSeconds: number;
  readonly watchedOneIn: number;
}

/** The heap after major collections. */
export interface LiveHeap {
  /** Milliseconds before this frame, and bytes; the oldest first. */
  readonly points: readonly (readonly [agoMs: number, bytes: number])[];
  /** Null while there are too few points to tell. */
  readonly bytesPerHour: number | null;
  /** Over how many points and how long the slope was taken. */
  readonly slopePoints: number;
  readonly slopeMs: number;
}

/** What is true at one moment. */
export interface LiveNow {
  /** Wall-clock time, in milliseconds since 1970. */
  readonly atMs: number;
  readonly uptimeSeconds: number;
  /** Why the role is not ready, in words; null if it is. */
  readonly unready: string | null;
  /** Null where this process writes no log. */
  readonly logLevel: LogLevel | null;
  readonly traffic: LiveTraffic;
  /** Null in the first frame. */
  readonly loop: LiveLoop | null;
  readonly memory: MemoryReport;
  readonly majorGcs: number;
  readonly fds: DescriptorReading | null;
  readonly kinds: Readonly<Partial<Record<ResourceKind, LiveKind>>>;
  readonly retained: readonly RetainedResource[];
  /** Busy ones first, then the newest; at most as many as fit a page. */
  readonly tunnels: { readonly total: number; readonly rows: readonly TunnelRow[] };
  readonly forecast: SnapshotForecast | null;
}

/** One event. What did not change since the frame before is left out; the first frame a page gets has everything. */
export interface LiveFrame {
  readonly now: LiveNow;
  readonly about?: LiveAbout;
  readonly heap?: LiveHeap;
  readonly arrivals?: readonly Arrival[];
}
