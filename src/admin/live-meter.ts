// Reads a role once per second while a live page is open. It owns what measures only then (the delay of the event loop,
// fine response times) and releases it in dispose(). Nothing of it exists while nobody looks.

import type { IntervalHistogram } from "node:perf_hooks";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { ResourceReport } from "../leaks/resource-report.ts";
import { resourceKinds } from "../lifecycle/resource.ts";
import { LatencyCells, percentileMs } from "../observe/latency-cells.ts";
import type { TrafficTotals } from "../observe/metrics.ts";
import type { LiveAbout, LiveHeap, LiveKind, LiveLoop, LiveNow, LiveTraffic } from "./live-frame.ts";
import type { AdminSubject, LiveSources, TunnelRow } from "./subject.ts";

/** A role that can be shown live. */
export type LiveSubject = AdminSubject & { readonly live: LiveSources };

/** Whether a role can be. */
export function canBeShownLive(subject: AdminSubject): subject is LiveSubject {
  return subject.live !== undefined;
}

/** The most rows of tunnels in a frame. */
export const maxTunnelRows = 100;
const maxRetainedRows = 50;
/** Over how many readings response times are taken. */
const latencyReadings = 10;
const loopResolutionMs = 10;

/** What a role said in one reading. */
export interface LiveReading {
  readonly now: LiveNow;
  /** Grow when the heap's trail, or the list of arrivals, has changed. */
  readonly heapVersion: number;
  readonly arrivalsVersion: number;
}

/** Runs from its construction until {@link dispose}. */
export class LiveMeter {
  readonly #subject: LiveSubject;
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: loopResolutionMs });
  /** The cells of the last readings; the newest last, which is being filled. */
  readonly #latency: LatencyCells[] = [];
  #utilization = performance.eventLoopUtilization();
  #totals: TrafficTotals;
  #readAtMs: number = performance.now();
  #isFirst = true;

  constructor(subject: LiveSubject) {
    this.#subject = subject;
    this.#totals = subject.live.traffic.totals();
    this.#delays.enable();
    this.#nextCells();
  }

  /** Everything as it is now, and rates since the last reading. */
  read(): LiveReading {
    const { live, log } = this.#subject;
    const nowMs = performance.now();
    const elapsedSeconds = Math.max(0.001, (nowMs - this.#readAtMs) / 1000);
    this.#readAtMs = nowMs;
    const report = this.#subject.resources();
    const now: LiveNow = {
      atMs: Date.now(),
      uptimeSeconds: process.uptime(),
      unready: this.#subject.unreadiness() ?? null,
      logLevel: log?.level ?? null,
      traffic: this.#traffic(elapsedSeconds),
      loop: this.#loop(),
      memory: report.memory,
      majorGcs: report.majorGcs,
      fds: report.fds,
      kinds: kindsOf(report),
      retained: live.retained(maxRetainedRows),
      tunnels: shownTunnels(this.#subject.tunnels()),
      forecast: this.#subject.snapshots?.forecast() ?? null,
    };
    this.#isFirst = false;
    return { now, heapVersion: live.heapTrail.added, arrivalsVersion: live.arrivals.count };
  }

  /** Stops measuring. Idempotent. */
  dispose(): void {
    this.#subject.live.traffic.measureLatency(undefined);
    this.#delays.disable();
  }

  #traffic(elapsedSeconds: number): LiveTraffic {
    const totals = this.#subject.live.traffic.totals();
    const before = this.#totals;
    this.#totals = totals;
    // The first reading comes at once: over a few milliseconds no rate means anything.
    const rate = (now: number, then: number): number => (this.#isFirst ? 0 : (now - then) / elapsedSeconds);
    const counts = this.#latencyCounts();
    this.#nextCells();
    return {
      requestsPerSecond: rate(totals.requests, before.requests),
      failuresPerSecond: rate(totals.failures, before.failures),
      bytesInPerSecond: rate(totals.bytesIn, before.bytesIn),
      bytesOutPerSecond: rate(totals.bytesOut, before.bytesOut),
      p50Ms: percentileMs(counts, 0.5) ?? null,
      p99Ms: percentileMs(counts, 0.99) ?? null,
    };
  }

  #latencyCounts(): Uint32Array {
    const sum = new Uint32Array(this.#latency[0]?.counts.length ?? 0);
    for (const { counts } of this.#latency)
      for (const [cell, count] of counts.entries()) sum[cell] = (sum[cell] ?? 0) + count;
    return sum;
  }

  /** The oldest cells are emptied and filled again. */
  #nextCells(): void {
    const reused = this.#latency.length < latencyReadings ? undefined : this.#latency.shift();
    reused?.counts.fill(0);
    const cells = reused ?? new LatencyCells();
    this.#latency.push(cells);
    this.#subject.live.traffic.measureLatency(cells);
  }

  #loop(): LiveLoop | null {
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, this.#utilization);
    this.#utilization = current;
    const delays = this.#delays;
    if (delays.count === 0) return null;
    // The monitor counts its own interval as delay.
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - loopResolutionMs);
    const loop = {
      p50Ms: late(delays.percentile(50)),
      p99Ms: late(delays.percentile(99)),
      maxMs: late(delays.max),
      busy: utilization,
    };
    delays.reset();
    return loop;
  }
}

/** What stays the same. `instance` tells this process from the next one. */
export function aboutOf(subject: LiveSubject, instance: string): LiveAbout {
  const { role, version, snapshots } = subject;
  return { role, version, node: process.version, pid: process.pid, instance, snapshots: snapshots !== undefined };
}

/** The trail of the heap, in ages rather than times: the page has another clock. */
export function heapOf({ heapTrail }: LiveSources): LiveHeap {
  const nowMs = performance.now();
  const slope = heapTrail.slope(nowMs);
  return {
    points: heapTrail.points.map(({ atMs, bytes }) => [Math.round(nowMs - atMs), bytes] as const),
    bytesPerHour: slope?.bytesPerHour ?? null,
    slopePoints: slope?.points ?? 0,
    slopeMs: slope?.overMs ?? 0,
  };
}

function kindsOf({ kinds }: ResourceReport): LiveNow["kinds"] {
  const shown: Partial<Record<(typeof resourceKinds)[number], LiveKind>> = {};
  for (const kind of resourceKinds) {
    // A stand-in for tests may leave kinds out.
    const reading: ResourceReport["kinds"][typeof kind] | undefined = kinds[kind];
    if (!reading) continue;
    const { closedBy: _, ...figures } = reading;
    shown[kind] = figures;
  }
  return shown;
}

/** All tunnels if they fit; else those with open streams, then the newest. One pass: there may be thousands. */
export function shownTunnels(rows: readonly TunnelRow[]): LiveNow["tunnels"] {
  if (rows.length <= maxTunnelRows) return { total: rows.length, rows };
  const shown = new Set<TunnelRow>();
  for (const row of rows) {
    if (shown.size >= maxTunnelRows) break;
    if (row.streams > 0) shown.add(row);
  }
  for (let n = rows.length - 1; n >= 0 && shown.size < maxTunnelRows; n -= 1) {
    const row = rows[n];
    if (row) shown.add(row);
  }
  return { total: rows.length, rows: [...shown] };
}
