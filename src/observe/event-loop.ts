// Measures the event loop and the garbage collector of this process for metrics. It owns one delay monitor and one
// performance observer, both without a hold on the process, and releases them in dispose().

import type { IntervalHistogram, PerformanceEntry } from "node:perf_hooks";
import { constants, monitorEventLoopDelay, performance, PerformanceObserver } from "node:perf_hooks";
import { HistogramCells } from "./histogram-cells.ts";

/** Kinds of garbage collections, as metrics name them. */
export const gcKinds = ["minor", "major", "incremental", "weakcb"] as const;
/** One of {@link gcKinds}. */
export type GcKind = (typeof gcKinds)[number];

/** Delays of the event loop since the last reading, in seconds. */
export interface LoopDelay {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

const gcSeconds: readonly number[] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];
const resolutionMs = 20;
/** Several scrapers share a reading for so long, so that none takes the others' delays away. */
const shareMs = 4_000;

/** Runs from its construction until {@link dispose}. */
export class EventLoopMonitor {
  readonly gcPauses: Readonly<Record<GcKind, HistogramCells>> = {
    minor: new HistogramCells(gcSeconds),
    major: new HistogramCells(gcSeconds),
    incremental: new HistogramCells(gcSeconds),
    weakcb: new HistogramCells(gcSeconds),
  };
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #collections: PerformanceObserver = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) this.gcPauses[gcKindOf(entry)].observe(entry.duration / 1000);
  });
  #utilization = performance.eventLoopUtilization();
  #delay: LoopDelay | undefined;
  #utilizationShare = 0;
  #readAtMs = 0;

  constructor() {
    this.#delays.enable();
    this.#collections.observe({ entryTypes: ["gc"] });
  }

  /** Delays since the last reading, as far as that is some seconds ago; else the last reading. Undefined before the first sample. */
  delay(): LoopDelay | undefined {
    this.#read();
    return this.#delay;
  }

  /** The share of time that the event loop was busy, 0 to 1, over the same span. */
  utilization(): number {
    this.#read();
    return this.#utilizationShare;
  }

  /** Stops measuring. Idempotent. */
  dispose(): void {
    this.#delays.disable();
    this.#collections.disconnect();
  }

  #read(): void {
    const nowMs = performance.now();
    if (this.#readAtMs !== 0 && nowMs - this.#readAtMs < shareMs) return;
    this.#readAtMs = nowMs;
    const current = performance.eventLoopUtilization();
    this.#utilizationShare = performance.eventLoopUtilization(current, this.#utilization).utilization;
    this.#utilization = current;
    const delays = this.#delays;
    if (delays.count === 0) return;
    // The monitor counts its own interval as delay; what is above it is what the loop was late by.
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1000);
    this.#delay = {
      min: late(delays.min),
      max: late(delays.max),
      mean: late(delays.mean),
      p50: late(delays.percentile(50)),
      p90: late(delays.percentile(90)),
      p99: late(delays.percentile(99)),
    };
    delays.reset();
  }
}

function gcKindOf(entry: PerformanceEntry): GcKind {
  const detail: unknown = "detail" in entry ? entry.detail : undefined;
  const kind: unknown = typeof detail === "object" && detail !== null && "kind" in detail ? detail.kind : undefined;
  switch (kind) {
    case constants.NODE_PERFORMANCE_GC_MAJOR:
      return "major";
    case constants.NODE_PERFORMANCE_GC_INCREMENTAL:
      return "incremental";
    case constants.NODE_PERFORMANCE_GC_WEAKCB:
      return "weakcb";
    default:
      return "minor";
  }
}
