// Reads a process over its inspector: memory after a collection, handles, objects by constructor, listeners. The process
// need not know anything of Caisson.

import type { MemorySample } from "../verdict/sample.ts";
import { abortListeners, census, vitals } from "./census.ts";
import { Inspector } from "./inspector.ts";
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
const collections = 3;

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
    const state = objectOf(await this.#inspector.evaluate(`(${vitals.toString()})()`), "the vitals");
    const memory = numbersOf(state["memory"], "memory");
    const counted = objectOf(await this.#inspector.queryObjects("Object.prototype", census), "the census");
    const aborts = await this.#inspector.queryObjects("AbortSignal.prototype", abortListeners);
    const amount = (name: string): number => numberOf(memory[name], name);
    return {
      memory: {
        heapUsed: amount("heapUsed"),
        external: amount("external"),
        arrayBuffers: amount("arrayBuffers"),
        rss: amount("rss"),
        heapSpaces: numbersOf(state["heapSpaces"], "heap spaces"),
      },
      handles: numbersOf(state["handles"], "handles"),
      objects: numbersOf(counted["objects"], "objects"),
      listeners: {
        ...numbersOf(counted["listeners"], "listeners"),
        "AbortSignal:abort": numberOf(aborts, "abort listeners"),
      },
      node: textOf(state["node"], "the version of Node"),
    };
  }

  /** Lets go of the process. */
  close(): Promise<void> {
    return this.#inspector.close();
  }
}
