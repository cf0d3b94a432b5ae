// What the private listener asks and tells of the role that it serves: server and client implement the same interface in
// assemble/. Whatever a role does not have is absent, and its endpoints answer 501 with the reason.

import type { ForcedGc } from "../leaks/gc-clock.ts";
import type { HeapTrail } from "../leaks/heap-trail.ts";
import type { ResourceReport } from "../leaks/resource-report.ts";
import type { OpenSnapshot, TakeOptions } from "../leaks/snapshots.ts";
import type { SnapshotEntry, SnapshotForecast, SnapshotResult } from "../leaks/snapshot-entry.ts";
import type { RetainedResource } from "../leaks/watch-record.ts";
import type { Arrivals } from "../observe/arrivals.ts";
import type { ExpositionFormat } from "../observe/exposition-format.ts";
import type { LogLevel } from "../observe/log-level.ts";
import type { Metrics } from "../observe/metrics.ts";

/** One open tunnel, as GET /api/tunnels lists it. */
export interface TunnelRow {
  readonly name: string;
  readonly type: "http" | "tcp" | "tls";
  /** What the client forwards to, as far as it told; empty if it did not. */
  readonly target: string;
  /** How long it is open, in milliseconds. */
  readonly sinceMs: number;
  readonly requests: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Streams that are open now. */
  readonly streams: number;
  readonly clientVersion: string;
  /** Lowest round trip of the last 10 seconds in milliseconds, 0 if unknown. */
  readonly rttMs: number;
}

/** The part of a snapshot store that the listener needs; leaks/snapshots.ts implements it. */
export interface SnapshotAccess {
  forecast(): SnapshotForecast;
  take(options: TakeOptions): Promise<SnapshotResult>;
  list(): Promise<readonly SnapshotEntry[]>;
  open(id: string): Promise<OpenSnapshot | undefined>;
  remove(id: string): Promise<boolean>;
}

/** The part of a log that the listener needs; observe/log.ts implements it. */
export interface LogControl {
  level: LogLevel;
  readonly tail: { lines(): readonly string[] };
}

/** What the live page reads besides the answers of the other endpoints. */
export interface LiveSources {
  readonly traffic: Pick<Metrics, "totals" | "measureLatency">;
  readonly heapTrail: Pick<HeapTrail, "points" | "added" | "slope">;
  readonly arrivals: Pick<Arrivals, "count" | "latest">;
  /** The retained resources, longest closed first, at most so many. */
  retained(limit: number): readonly RetainedResource[];
}

/** Leak reports in both forms that GET /debug/leaks answers with. */
export interface LeakReports {
  readonly json: unknown;
  readonly text: string;
}

/** One role, as its operators see it. No method may throw; those with a promise may reject, which is answered with 500. */
export interface AdminSubject {
  readonly role: "server" | "client";
  readonly version: string;
  /** Why the role is not ready for traffic, in words; undefined if it is. */
  unreadiness(): string | undefined;
  /** The metrics in one format. */
  metrics(format: ExpositionFormat): Promise<string>;
  resources(): ResourceReport;
  /** Waits for a new sample of the descriptors if the one that `resources` would tell of is too old. Never rejects. */
  freshDescriptors?(): Promise<unknown>;
  tunnels(): readonly TunnelRow[];
  /** Closes a tunnel by the operator's wish; false if there is none of that name. */
  closeTunnel(name: string): boolean;
  /** Forces a major collection. */
  collectGarbage(): Promise<ForcedGc>;
  leaks?(): LeakReports | Promise<LeakReports>;
  readonly snapshots?: SnapshotAccess | undefined;
  readonly log?: LogControl | undefined;
  readonly live?: LiveSources | undefined;
}
