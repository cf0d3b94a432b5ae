// The lowest heapUsed after the latest major collections: what the program really holds, without the garbage on top.
// It only reads when a major collection is reported, and never causes one.

import { getHeapStatistics } from "node:v8";
import type { GcClock } from "./gc-clock.ts";

/** Over how many major collections the floor is the minimum. More would hide growth for longer. */
export const floorWindow = 8;

/** Follows the floor of the heap. */
export class HeapFloor {
  readonly #latest: number[] = [];
  readonly #stopListening: () => void;
  readonly #heapUsed: () => number;

  /** `heapUsed` reads the used heap in bytes; default V8's own statistics. */
  constructor(clock: Pick<GcClock, "onMajor">, heapUsed: () => number = usedHeapBytes) {
    this.#heapUsed = heapUsed;
    this.#stopListening = clock.onMajor(() => this.#read());
  }

  /** Bytes; undefined before the first major collection. */
  get bytes(): number | undefined {
    return this.#latest.length === 0 ? undefined : Math.min(...this.#latest);
  }

  /** Stops following. Idempotent. */
  dispose(): void {
    this.#stopListening();
  }

  #read(): void {
    this.#latest.push(this.#heapUsed());
    if (this.#latest.length > floorWindow) this.#latest.shift();
  }
}

function usedHeapBytes(): number {
  return getHeapStatistics().used_heap_size;
}
