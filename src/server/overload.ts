// Whether this process is too busy for more: by its memory and by how late its event loop is. It reads both at most four
// times a second, and only while somebody asks; it owns no timer, and a delay monitor only where a limit is set on it.

import type { IntervalHistogram } from "node:perf_hooks";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { ServerLimits } from "./limits.ts";

/** Why something new is turned away, as metrics name it. */
export type OverloadReason = "overload_memory" | "overload_loop";

/** What the judgement rests on. */
export interface OverloadReadings {
  /** The share of the memory it may have that this process uses, 0 to 1 and above. */
  memoryShare(): number;
  /** By how much the event loop was late, in milliseconds; see {@link LoopLateness}. */
  loopLateMs(): number;
  /** Releases what reading takes. Idempotent. */
  dispose(): void;
}

type OverloadLimits = Pick<ServerLimits, "busyMemoryPercent" | "fullMemoryPercent" | "maxLoopDelayMs">;

/** A reading serves for so long, in milliseconds. */
const readingAgeMs = 250;
/** Delays of the event loop count for one to two of these, in milliseconds. */
const windowMs = 5_000;
const resolutionMs = 20;

/** The judgement of one server. */
export class OverloadGuard {
  readonly #limits: OverloadLimits;
  readonly #readings: OverloadReadings;
  #readAtMs = -Infinity;
  #memoryPercent = 0;
  #lateMs = 0;

  constructor(limits: OverloadLimits, readings: OverloadReadings) {
    this.#limits = limits;
    this.#readings = readings;
  }

  /**
   * Why no stream is to be opened now; undefined if one may be. `nowMs` is `performance.now()`, or of the moment at which
   * the request came: what is asked with every request reads no clock of its own.
   */
  refusesStreams(nowMs: number): OverloadReason | undefined {
    this.#read(nowMs);
    if (this.#memoryPercent > this.#limits.busyMemoryPercent) return "overload_memory";
    return this.#lateMs > this.#limits.maxLoopDelayMs ? "overload_loop" : undefined;
  }

  /** Why no client is to be let in now; undefined if one may be. */
  refusesSessions(): OverloadReason | undefined {
    this.#read(performance.now());
    return this.#memoryPercent > this.#limits.fullMemoryPercent ? "overload_memory" : undefined;
  }

  /** Measures no more. Idempotent. */
  close(): void {
    this.#readings.dispose();
  }

  #read(nowMs: number): void {
    if (nowMs - this.#readAtMs < readingAgeMs) return;
    this.#readAtMs = nowMs;
    this.#memoryPercent = this.#readings.memoryShare() * 100;
    this.#lateMs = this.#readings.loopLateMs();
  }
}

/** Reads this process. `memoryLimit` is what its control groups allow it, in bytes; Infinity without. */
export function processReadings(limits: OverloadLimits, memoryLimit: number): OverloadReadings {
  const lateness = Number.isFinite(limits.maxLoopDelayMs) ? new LoopLateness() : undefined;
  return {
    memoryShare(): number {
      const { used_heap_size: heap, heap_size_limit: heapLimit } = getHeapStatistics();
      const whole = Number.isFinite(memoryLimit) ? process.memoryUsage.rss() / memoryLimit : 0;
      return Math.max(heap / heapLimit, whole);
    },
    loopLateMs: () => lateness?.lateMs() ?? 0,
    dispose: () => lateness?.dispose(),
  };
}

/**
 * The third longest delay of the event loop in the last five to ten seconds: about the 99th percentile of the 250 that
 * an idle loop has in five. One long standstill, a sleep of the machine say, is none.
 */
export class LoopLateness {
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  #sinceMs = performance.now();
  #before = 0;

  constructor() {
    this.#delays.enable();
  }

  /** In milliseconds. */
  lateMs(): number {
    const current = this.#thirdLongestMs();
    const lateMs = Math.max(this.#before, current);
    const ageMs = performance.now() - this.#sinceMs;
    if (ageMs < windowMs) return lateMs;
    this.#sinceMs += ageMs;
    // What was measured over a much longer time says little of the last seconds.
    this.#before = ageMs < 2 * windowMs ? current : 0;
    this.#delays.reset();
    return lateMs;
  }

  /** Stops measuring. Idempotent. */
  dispose(): void {
    this.#delays.disable();
  }

  #thirdLongestMs(): number {
    const { count } = this.#delays;
    if (count < 3) return 0;
    // The monitor counts its own interval as delay.
    return Math.max(0, this.#delays.percentile((100 * (count - 2)) / count) / 1e6 - resolutionMs);
  }
}
