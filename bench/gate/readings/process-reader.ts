// Reads a process over its inspector: memory after a collection, handles, objects by constructor, listeners. The process
// need not know anything of Caisson.

import type { MemorySample } from "../verdict/sample.ts";
import { census, vitals } from "./census.ts";
import { Inspector } from "./inspector.ts";
import type { JsonObject } from "./json-shape.ts";
import { numberOf, numbersOf, objectOf, textOf } from "./json-shape.ts";

/** What an inspector tells of a process. */
export interface ProcessReading {
  readonly memory: MemorySample;
  readonly handles: Readonly<Record<string, number>>;
  readonly objects: Readonly<Record<string, number>>;
  readonly listeners: Readonly<Record<string, number>>;
  /** The version of Node, such as v22.1.0. */
  readonly node: string;
}

/** Collections before memory is read: what a finalisation callback lets go is garbage only after it ran. */
const collections = 2;
/**
 * A reading of the heap is the true size and some garbage that a running process has just made; so the lowest of several is
 * taken. Enough were read when one came so close to the lowest again, in bytes.
 */
const closeBytes = 256;
const leastReadings = 3;
const mostReadings = 10;

/** One process that is read again and again. */
export class ProcessReader {
  readonly #inspector: Inspector;

  private constructor(inspector: Inspector) {
    this.#inspector = inspector;
  }

  /** Connects to the inspector at `url`. Rejects with E_GATE. */
  static async connect(url: string): Promise<ProcessReader> {
    return new ProcessReader(await Inspector.connect(url));
  }

  /** Forces so many collections, with turns of the event loop between them. */
  async collectGarbage(times: number = collections): Promise<void> {
    for (let n = 0; n < times; n += 1) await this.#inspector.collectGarbage();
  }

  /** Collects garbage and reads everything. */
  async read(): Promise<ProcessReading> {
    await this.collectGarbage();
    const { memory, state } = await this.#lowest();
    const counted = objectOf(await this.#inspector.queryObjects("Object.prototype", census), "the census");
    return {
      memory,
      handles: numbersOf(state["handles"], "handles"),
      objects: numbersOf(counted["objects"], "objects"),
      listeners: numbersOf(counted["listeners"], "listeners"),
      node: textOf(state["node"], "the version of Node"),
    };
  }

  /** The reading with the smallest heap. */
  async #lowest(): Promise<{ readonly memory: MemorySample; readonly state: JsonObject }> {
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

  /** Memory directly after a collection: both commands arrive together, so that nothing of the target runs between them. */
  async #vitals(): Promise<{ readonly memory: MemorySample; readonly state: JsonObject }> {
    const collected = this.#inspector.send("HeapProfiler.collectGarbage");
    const [, value] = await Promise.all([collected, this.#inspector.evaluate(`(${vitals.toString()})()`)]);
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

  /** Lets go of the process. */
  close(): Promise<void> {
    return this.#inspector.close();
  }
}
