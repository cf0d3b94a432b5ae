// How late the event loop is, as one figure that fills with late time and empties with other time. It owns a delay
// monitor and no timer. One long standstill (a snapshot, a process that was stopped, a machine that slept) is no lateness.

import type { IntervalHistogram } from "node:perf_hooks";
import { monitorEventLoopDelay } from "node:perf_hooks";

/** Turns that were too late, in milliseconds. */
interface LateTurns {
  readonly wholeMs: number;
  /** The same, where none counts for more than a second. */
  readonly countedMs: number;
}

/** What happened since the last time. */
export interface LoopPeriod extends LateTurns {
  /** In milliseconds, late turns included. */
  readonly elapsedMs: number;
}

/** One turn counts for no more than this, in milliseconds: so at least three make an overload. */
const longestTurnMs = 1_000;
/** The loop is late while this much late time is not made up for, in milliseconds: half of five seconds. */
const lateMs = 2_500;
/** More is not kept, in milliseconds: so it ends at most 2.5 s after the last late turn. */
const mostMs = 5_000;

/** The figure. Pure arithmetic. */
export class LateTime {
  #ms = 0;

  /** Whether the loop was late for more than half of the last seconds. */
  get late(): boolean {
    return this.#ms >= lateMs;
  }

  /** Adds a period. */
  add({ elapsedMs, wholeMs, countedMs }: LoopPeriod): void {
    const otherMs = Math.max(0, elapsedMs - wholeMs);
    this.#ms = Math.min(mostMs, Math.max(0, this.#ms + countedMs - otherMs));
  }
}

const resolutionMs = 20;
/** Late turns that are counted before the monitor starts over. */
const mostTurns = 64;
/** While nothing is late the monitor starts over after this, in milliseconds. */
const freshMs = 30_000;
const none: LateTurns = { wholeMs: 0, countedMs: 0 };

/** The lateness of this process's loop. */
export class LoopLateness {
  readonly #limitMs: number;
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #time = new LateTime();
  /** What was read since the monitor started over: time, and the late turns in it. */
  #recordedMs = 0;
  #turns: LateTurns = none;

  /** `limitMs`: a turn that is later than this is too late. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#delays.enable();
  }

  /** Reads what happened since the last call; answers whether the loop is late again and again. */
  read(): boolean {
    const { count, mean } = this.#delays;
    const recordedMs = count === 0 ? 0 : (count * mean) / 1e6;
    const turns = this.#lateTurns(count);
    const wholeMs = turns.wholeMs - this.#turns.wholeMs;
    const countedMs = turns.countedMs - this.#turns.countedMs;
    this.#time.add({ elapsedMs: Math.max(0, recordedMs - this.#recordedMs), wholeMs, countedMs });
    this.#recordedMs = recordedMs;
    this.#turns = turns;
    // Not every time: a monitor that starts over misses the turn that it starts in, which is the late one.
    if (turns.number >= mostTurns || (wholeMs === 0 && recordedMs > freshMs)) {
      this.#delays.reset();
      this.#recordedMs = 0;
      this.#turns = none;
    }
    return this.#time.late;
  }

  /** Stops measuring. Idempotent. */
  dispose(): void {
    this.#delays.disable();
  }

  /** All since the monitor started over. */
  #lateTurns(count: number): LateTurns & { readonly number: number } {
    let wholeMs = 0;
    let countedMs = 0;
    let number = 0;
    for (; number < Math.min(count, mostTurns); number += 1) {
      // The longest come first. The monitor counts its own interval as delay.
      const turnMs = this.#delays.percentile((100 * (count - number)) / count) / 1e6 - resolutionMs;
      if (turnMs <= this.#limitMs) break;
      wholeMs += turnMs;
      countedMs += Math.min(turnMs, longestTurnMs);
    }
    return { wholeMs, countedMs, number };
  }
}
