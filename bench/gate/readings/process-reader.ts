// Reads a process over its inspector: memory after a collection, handles, objects by constructor, listeners. The process
// need not know anything of Caisson.

import type { MemorySample, Sample } from "../verdict/sample.ts";
import { census, lowestOf, vitals } from "./census.ts";
import { containers } from "./containers.ts";
import { Inspector } from "./inspector.ts";
import type { JsonObject } from "./json-shape.ts";
import { numberOf, numbersOf, objectOf } from "./json-shape.ts";

/** What an inspector tells of a process. */
export interface ProcessReading {
  readonly memory: MemorySample;
  readonly handles: Readonly<Record<string, number>>;
  /** Objects, listeners and containers, where they were counted. */
  readonly census: Pick<Sample, "objects" | "listeners" | "containers">;
}

/** Collections before memory is read: what a finalisation callback lets go is garbage only after it ran. The reading collects, too. */
const collections = 1;
/**
 * A reading of the heap is the true size and some garbage that a running process has just made; so the lowest of several is
 * taken. Enough were read when one came so close to the lowest again, in bytes.
 */
const closeBytes = 256;
const leastReadings = 3;
const mostReadings = 10;
/** Censuses before the first that counts: until one finds what the one before found, but no more than these. */
const mostRehearsals = 4;
/** Two turns of the event loop, for finalisation callbacks and for what they let go. */
const turns = "new Promise((resolve) => setImmediate(() => setImmediate(resolve)))";

/** One process that is read again and again. */
export class ProcessReader {
  readonly #inspector: Inspector;

  readonly #hasCollector: boolean;

  private constructor(inspector: Inspector, { hasCollector }: { readonly hasCollector: boolean }) {
    this.#inspector = inspector;
    this.#hasCollector = hasCollector;
  }

  /** Connects to the inspector at `url`. Rejects with E_GATE. */
  static async connect(url: string): Promise<ProcessReader> {
    const inspector = await Inspector.connect(url);
    try {
      const hasCollector = (await inspector.evaluate("typeof globalThis.gc")) === "function";
      return new ProcessReader(inspector, { hasCollector });
    } catch (error) {
      await inspector.close();
      throw error;
    }
  }

  /** Whether the connection is lost. */
  get isLost(): boolean {
    return this.#inspector.isLost;
  }

  /** Forces so many collections, with turns of the event loop between them. */
  async collectGarbage(times: number = collections): Promise<void> {
    for (let n = 0; n < times; n += 1) {
      if (!this.#hasCollector) await this.#inspector.send("HeapProfiler.collectGarbage");
      await this.#inspector.evaluate(this.#hasCollector ? `gc(); ${turns}` : turns);
    }
  }

  /**
   * Takes the census so often that it leaves nothing new behind: some properties of Node's own objects are made when they are
   * first looked at, and those of what was made so by the next census.
   */
  async rehearse(): Promise<void> {
    let before = -1;
    for (let n = 0; n < mostRehearsals; n += 1) {
      const { census: found } = await this.read({ census: true });
      const objects = Object.values(found.objects ?? {}).reduce((sum, count) => sum + count, 0);
      if (objects <= before) return;
      before = objects;
    }
  }

  /** Collects garbage and reads; a census takes as long as everything else together. */
  async read(options: { readonly census: boolean }): Promise<ProcessReading> {
    await this.collectGarbage();
    const { memory, state } = await this.#lowest();
    return {
      memory,
      handles: numbersOf(state["handles"], "handles"),
      census: options.census ? await this.#census() : {},
    };
  }

  async #census(): Promise<ProcessReading["census"]> {
    // Collections are news for observers of the process itself, and those wait for a turn of the event loop.
    await this.#inspector.evaluate(turns);
    const readers = { census, containers };
    const counted = objectOf(await this.#inspector.queryObjects("Object.prototype", readers), "the census");
    const found = objectOf(counted["census"], "the census");
    return {
      objects: numbersOf(found["objects"], "objects"),
      listeners: numbersOf(found["listeners"], "listeners"),
      containers: numbersOf(counted["containers"], "containers"),
    };
  }

  /** The vitals with the smallest heap. */
  async #lowest(): Promise<{ readonly memory: MemorySample; readonly state: JsonObject }> {
    // Where JavaScript can collect, nothing of the target runs between a collection and its reading: such readings agree
    // within some dozens of bytes.
    if (this.#hasCollector)
      return vitalsOf(await this.#inspector.evaluate(`(${lowestOf.toString()})(${vitals.toString()})`));
    let lowest = await this.#vitals();
    let again = 0;
    for (let n = 1; n < mostReadings && (n < leastReadings || again === 0); n += 1) {
      const next = await this.#vitals();
      const difference = next.memory.heapUsed - lowest.memory.heapUsed;
      again = difference < -closeBytes ? 0 : again + (difference <= closeBytes ? 1 : 0);
      if (difference < 0) lowest = next;
    }
    return lowest;
  }

  /** Memory directly after a collection: both commands arrive together. */
  async #vitals(): Promise<{ readonly memory: MemorySample; readonly state: JsonObject }> {
    const collected = this.#inspector.send("HeapProfiler.collectGarbage");
    const [, value] = await Promise.all([collected, this.#inspector.evaluate(`(${vitals.toString()})()`)]);
    return vitalsOf(value);
  }

  /** Lets go of the process. */
  close(): Promise<void> {
    return this.#inspector.close();
  }
}

function vitalsOf(value: unknown): { readonly memory: MemorySample; readonly state: JsonObject } {
  const state = objectOf(value, "the vitals");
  const memory = numbersOf(state["memory"], "memory");
  const amount = (name: string): number => numberOf(memory[name], name);
  return {
    state,
    memory: {
      heapUsed: amount("heapUsed"),
      external: amount("external"),
      arrayBuffers: amount("arrayBuffers"),
      rss: amount("rss"),
      heapSpaces: numbersOf(state["heapSpaces"], "heap spaces"),
    },
  };
}
