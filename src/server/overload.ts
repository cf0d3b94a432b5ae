// Whether this process is too busy for more: by its memory and by how late its event loop is. It reads both at most four
// times a second, and only while somebody asks; it owns no timer, and a delay monitor only where a limit is set on it.

import { getHeapStatistics } from "node:v8";
import type { ServerLimits } from "./limits.ts";
import { LoopLateness } from "./loop-lateness.ts";

/** Why something new is turned away, as metrics name it. */
export type OverloadReason = "overload_memory" | "overload_loop";

/** What the judgement rests on. */
export interface OverloadReadings {
  /** The share of the memory it may have that this process uses, 0 to 1 and above. */
  memoryShare(): number;
  /** Whether the event loop is late again and again; see {@link LoopLateness}. */
  loopIsLate(): boolean;
  /** Releases what reading takes. Idempotent. */
  dispose(): void;
}

type OverloadLimits = Pick<ServerLimits, "busyMemoryPercent" | "fullMemoryPercent" | "maxLoopDelayMs">;

/** A reading serves for so long, in milliseconds. */
const readingAgeMs = 250;

/** The judgement of one server. */
export class OverloadGuard {
  readonly #limits: OverloadLimits;
  readonly #readings: OverloadReadings;
  #readAtMs = -Infinity;
  #memoryPercent = 0;
  #late = false;

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
    return this.#late ? "overload_loop" : undefined;
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
    this.#late = this.#readings.loopIsLate();
  }
}

/** Reads this process. `memoryLimit` is what its control groups allow it, in bytes; Infinity without. */
export function processReadings(limits: OverloadLimits, memoryLimit: number): OverloadReadings {
  const { maxLoopDelayMs } = limits;
  const lateness = Number.isFinite(maxLoopDelayMs) ? new LoopLateness(maxLoopDelayMs) : undefined;
  return {
    memoryShare(): number {
      const { used_heap_size: heap, heap_size_limit: heapLimit } = getHeapStatistics();
      const whole = Number.isFinite(memoryLimit) ? process.memoryUsage.rss() / memoryLimit : 0;
      return Math.max(heap / heapLimit, whole);
    },
    loopIsLate: () => lateness?.read() ?? false,
    dispose: () => lateness?.dispose(),
  };
}
