// Counts asynchronous operations that can never settle: their async frame was collected while they were waiting.
// It holds no frame, no promise and no result; one that waits for something that may still come is never counted.

import type { OperationScope } from "../lifecycle/operation.ts";

/** What is known of the operations of one name. */
export interface OperationReading {
  readonly started: number;
  /** Returned or threw. */
  readonly settled: number;
  /** Can never settle: nothing refers to what they wait for. */
  readonly abandoned: number;
  /** May still settle. */
  readonly pending: number;
  /** Age of the oldest pending one, in milliseconds; 0 if none is pending. */
  readonly oldestMs: number;
}

interface Tally {
  started: number;
  settled: number;
  abandoned: number;
}

interface Pending {
  readonly name: string;
  readonly startedAtMs: number;
}

/** Lives in an operation's async frame and nowhere else, so it is collected with it. */
class OperationFrame {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Follows the operations of one role. */
export class Operations implements OperationScope {
  readonly #tallies = new Map<string, Tally>();
  /** In the order of starting. */
  readonly #pending = new Map<number, Pending>();
  /** Pinned here: a registry that nothing refers to never calls back. */
  #registry: FinalizationRegistry<number> | undefined = new FinalizationRegistry((id) => this.#collected(id));
  #lastId = 0;

  /** Any collection decides; none is worth being asked for sooner. */
  readonly awaiting = false;

  /** Grows with every operation. */
  get activity(): number {
    return this.#lastId;
  }

  /** How many are pending under any name. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Runs `operation` and settles as it does. `name` comes from a closed set of words. If `operation` waits for a promise
   * whose resolvers are gone, it is counted as abandoned after the next major collection, however long the caller waits.
   * What is not seen: a promise that something still refers to although nobody will settle it; that one stays pending,
   * and its age shows it.
   */
  async run<T>(name: string, operation: () => Promise<T>): Promise<T> {
    const id = (this.#lastId += 1);
    const frame = new OperationFrame(name);
    this.#tally(name).started += 1;
    this.#pending.set(id, { name, startedAtMs: performance.now() });
    this.#registry?.register(frame, id);
    try {
      return await operation();
    } finally {
      // The frame is used after the wait, so the suspended function refers to it for as long as it can go on.
      this.#tally(frame.name).settled += 1;
      this.#pending.delete(id);
    }
  }

  /** Every name that was used. */
  readings(): Record<string, OperationReading> {
    const now = performance.now();
    const readings: Record<string, OperationReading> = {};
    for (const [name, tally] of this.#tallies) {
      const pending = tally.started - tally.settled - tally.abandoned;
      readings[name] = { ...tally, pending, oldestMs: 0 };
    }
    const seen = new Set<string>();
    for (const { name, startedAtMs } of this.#pending.values()) {
      const reading = readings[name];
      if (!reading || seen.has(name)) continue;
      seen.add(name);
      readings[name] = { ...reading, oldestMs: now - startedAtMs };
    }
    return readings;
  }

  /** Forgets everything; running operations go on and are no longer followed. Idempotent. */
  dispose(): void {
    this.#registry = undefined;
    this.#pending.clear();
  }

  #collected(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    this.#tally(pending.name).abandoned += 1;
  }

  #tally(name: string): Tally {
    let tally = this.#tallies.get(name);
    if (!tally) {
      tally = { started: 0, settled: 0, abandoned: 0 };
      this.#tallies.set(name, tally);
    }
    return tally;
  }
}
