// Counts major garbage collections, and asks for one. It never counts minor ones: those never finalise anything.
// It owns one PerformanceObserver and decides nothing: when to ask is gc-schedule.ts's business.

import { constants, PerformanceObserver } from "node:perf_hooks";
import type { PerformanceEntry, PerformanceObserverEntryList } from "node:perf_hooks";
import { findCollector } from "./force-gc.ts";

/** Major collections that were reported together: several may happen while the event loop is blocked. */
export interface MajorGc {
  /** When the earliest of them began, on the clock of `performance.now()`, in milliseconds. */
  readonly startedAtMs: number;
  /** How long all of them took, in milliseconds. */
  readonly tookMs: number;
  /** The value of {@link GcClock.turns} after them. */
  readonly turns: number;
}

/** Hears of major collections, in a turn of the event loop after they ended. Must not throw. */
export type MajorGcListener = (gc: MajorGc) => void;

/** What a forced collection did. Bytes. */
export interface ForcedGc {
  readonly tookMs: number;
  readonly before: NodeJS.MemoryUsage;
  readonly after: NodeJS.MemoryUsage;
}

/** The clock of everything that waits for the collector. */
export class GcClock {
  readonly #observer: PerformanceObserver;
  readonly #listeners = new Set<MajorGcListener>();
  #majors = 0;
  #turns = 0;
  #forced = 0;
  #collect: (() => Promise<void>) | undefined;
  #forcing: Promise<ForcedGc> | undefined;
  #turnsAtForce = 0;

  constructor() {
    this.#observer = new PerformanceObserver((list) => this.#observe(list));
    this.#observer.observe({ entryTypes: ["gc"] });
  }

  /** Major collections since the clock was made. */
  get majors(): number {
    return this.#majors;
  }

  /**
   * Turns of the event loop in which major collections were reported. Collections of one turn count once, because the
   * finalisation callbacks of the first could not run before the last: what waits for the collector counts these.
   */
  get turns(): number {
    return this.#turns;
  }

  /**
   * Whether the collection whose finalisation callbacks run now is among {@link turns} already. A forced one is reported
   * before its callbacks run, any other after them.
   */
  get counted(): boolean {
    return this.#forcing !== undefined && this.#turns > this.#turnsAtForce;
  }

  /** Collections that {@link force} asked for. */
  get forced(): number {
    return this.#forced;
  }

  /** How many listeners there are. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Adds a listener; returns the function that removes it. */
  onMajor(listener: MajorGcListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Forces one asynchronous major collection and resolves when it was done and counted. Calls that overlap share one.
   * Stalls the event loop for about 1 ms per MB of live heap.
   */
  force(): Promise<ForcedGc> {
    this.#forcing ??= this.#force().finally(() => {
      this.#forcing = undefined;
    });
    return this.#forcing;
  }

  /** Stops counting. Idempotent. */
  dispose(): void {
    this.#observer.disconnect();
    this.#listeners.clear();
  }

  async #force(): Promise<ForcedGc> {
    this.#forced += 1;
    this.#turnsAtForce = this.#turns;
    this.#collect ??= findCollector();
    const before = process.memoryUsage();
    const startedAtMs = performance.now();
    await this.#collect();
    const tookMs = performance.now() - startedAtMs;
    return { tookMs, before, after: process.memoryUsage() };
  }

  #observe(list: PerformanceObserverEntryList): void {
    const majors = list.getEntries().filter(isMajor);
    if (majors.length === 0) return;
    this.#majors += majors.length;
    this.#turns += 1;
    const gc: MajorGc = {
      startedAtMs: Math.min(...majors.map((entry) => entry.startTime)),
      tookMs: majors.reduce((sum, entry) => sum + entry.duration, 0),
      turns: this.#turns,
    };
    for (const listener of this.#listeners) listener(gc);
  }
}

function isMajor(entry: PerformanceEntry): boolean {
  const detail: unknown = "detail" in entry ? entry.detail : undefined;
  if (typeof detail !== "object" || detail === null || !("kind" in detail)) return false;
  return detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
