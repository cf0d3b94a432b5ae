// The used heap after major collections since the start, and how fast it grows. It keeps a fixed number of points: when
// they are full, each pair becomes its lower one, and from then on a point stands for twice as many collections, so that a
// year fits as well as a minute. Their room is there from the start, so that following the heap never adds to it. It never
// causes a collection.

import { getHeapStatistics } from "node:v8";
import type { GcClock } from "./gc-clock.ts";

/** How many points are kept at most; even. */
export const trailPoints = 128;
/** Fewer points, or a shorter time, tell nothing of growth. */
const minSlopePoints = 8;
const minSlopeMs = 60_000;
/** Growth is judged over at most this time: what a process does in its first minutes is no leak. */
const slopeWindowMs = 3_600_000;
const hourMs = 3_600_000;

/** The used heap at one moment. */
export interface HeapPoint {
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly atMs: number;
  readonly bytes: number;
}

/** Growth of the heap after collections. */
export interface HeapSlope {
  /** The median of the slopes between all pairs of points (Theil and Sen). */
  readonly bytesPerHour: number;
  readonly points: number;
  readonly overMs: number;
}

/** Follows the heap of this process. */
export class HeapTrail {
  readonly #atMs: Float64Array = new Float64Array(trailPoints + 1);
  readonly #bytes: Float64Array = new Float64Array(trailPoints + 1);
  /** Whole points. Behind them stands the lowest of the collections that do not make a whole one yet. */
  #whole = 0;
  /** How many collections a point stands for. */
  #stride = 1;
  /** Collections in the point that is not whole yet. */
  #inUnfinished = 0;
  #added = 0;
  readonly #heapUsed: () => number;
  readonly #stopListening: () => void;

  /** `heapUsed` reads the used heap in bytes; default V8's own statistics. */
  constructor(clock: Pick<GcClock, "onMajor">, heapUsed: () => number = () => getHeapStatistics().used_heap_size) {
    this.#heapUsed = heapUsed;
    this.#stopListening = clock.onMajor(() => this.add({ atMs: performance.now(), bytes: this.#heapUsed() }));
  }

  /** The points, the oldest first. */
  get points(): readonly HeapPoint[] {
    const count = this.#whole + (this.#inUnfinished > 0 ? 1 : 0);
    return Array.from({ length: count }, (_, at) => ({ atMs: this.#atMs[at] ?? 0, bytes: this.#bytes[at] ?? 0 }));
  }

  /** How many points were ever added. */
  get added(): number {
    return this.#added;
  }

  /** The growth over the last hour; undefined while there are too few points to tell. */
  slope(nowMs: number = performance.now()): HeapSlope | undefined {
    return slopeOf(this.points.filter((point) => nowMs - point.atMs <= slopeWindowMs));
  }

  /** Adds a point; called by itself after each major collection. */
  add(point: HeapPoint): void {
    this.#added += 1;
    const at = this.#whole;
    if (this.#inUnfinished === 0 || point.bytes < (this.#bytes[at] ?? 0)) {
      this.#atMs[at] = point.atMs;
      this.#bytes[at] = point.bytes;
    }
    this.#inUnfinished += 1;
    if (this.#inUnfinished < this.#stride) return;
    this.#inUnfinished = 0;
    this.#whole += 1;
    if (this.#whole === trailPoints) this.#halve();
  }

  /** Stops following. Idempotent. */
  dispose(): void {
    this.#stopListening();
  }

  /** Of each pair the lower one stays, and from then on a point stands for twice as many collections. */
  #halve(): void {
    for (let at = 0; at < this.#whole; at += 2) {
      const lower = (this.#bytes[at + 1] ?? 0) < (this.#bytes[at] ?? 0) ? at + 1 : at;
      this.#atMs[at / 2] = this.#atMs[lower] ?? 0;
      this.#bytes[at / 2] = this.#bytes[lower] ?? 0;
    }
    this.#whole /= 2;
    this.#stride *= 2;
  }
}

/** The slope through points in the order of time; undefined if they are too few or too close together. */
export function slopeOf(points: readonly HeapPoint[]): HeapSlope | undefined {
  const overMs = (points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0);
  if (points.length < minSlopePoints || overMs < minSlopeMs) return undefined;
  const slopes: number[] = [];
  for (const [index, from] of points.entries()) {
    for (const to of points.slice(index + 1)) {
      if (to.atMs > from.atMs) slopes.push((to.bytes - from.bytes) / (to.atMs - from.atMs));
    }
  }
  slopes.sort((a, b) => a - b);
  const middle = slopes.length / 2;
  const median = ((slopes[Math.ceil(middle) - 1] ?? 0) + (slopes[Math.floor(middle)] ?? 0)) / 2;
  return { bytesPerHour: median * hourMs, points: points.length, overMs };
}
