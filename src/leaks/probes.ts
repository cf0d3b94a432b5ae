// Named readings of containers: the sizes of maps, sets, queues and pools, and the listener counts of emitters.
// It reads only when asked. What it is given without ownership is held weakly, and forgotten when it is collected.

import { EventEmitter } from "node:events";
import { listenersOf } from "../lifecycle/listener.ts";

/** What can be measured: a container with a size or a length, or an emitter, whose listeners are counted. */
export type ProbeSubject = { readonly size: number } | { readonly length: number } | EventEmitter;

interface Probe {
  readonly name: string;
  /** Undefined when the subject is gone. */
  read(): number | undefined;
}

/** Owns the readings of one role. */
export class ProbeRegistry {
  readonly #probes = new Set<Probe>();

  /** How many readings are registered. */
  get size(): number {
    return this.#probes.size;
  }

  /**
   * Reads a number under `name` until the returned function is called. `name` comes from a closed set of words; several
   * readings of one name are summed. `read` must be cheap; if it throws, its value is left out.
   */
  add(name: string, read: () => number): () => void {
    const probe: Probe = { name, read };
    this.#probes.add(probe);
    return () => void this.#probes.delete(probe);
  }

  /** Reads the size of `subject` under `name` for as long as somebody else refers to it; held weakly. */
  watch(name: string, subject: ProbeSubject): () => void {
    const reference = new WeakRef(subject);
    const read = (): number | undefined => {
      const found = reference.deref();
      return found === undefined ? undefined : sizeOf(found);
    };
    const probe: Probe = { name, read };
    this.#probes.add(probe);
    return () => void this.#probes.delete(probe);
  }

  /** All readings by name. Those whose subjects are gone are dropped. */
  readings(): Record<string, number> {
    const readings: Record<string, number> = {};
    for (const probe of this.#probes) {
      const value = attempt(probe);
      if (value === undefined) this.#probes.delete(probe);
      else if (Number.isFinite(value)) readings[probe.name] = (readings[probe.name] ?? 0) + value;
    }
    return readings;
  }

  /** Drops all readings. */
  dispose(): void {
    this.#probes.clear();
  }
}

/** The size of a container, or the number of listeners of an emitter. */
export function sizeOf(subject: ProbeSubject): number {
  if (subject instanceof EventEmitter) return listenersOf(subject);
  return "size" in subject ? subject.size : subject.length;
}

function attempt(probe: Probe): number | undefined {
  try {
    return probe.read();
  } catch {
    // A probe that fails must not take the others' readings with it; NaN leaves this one out.
    return Number.NaN;
  }
}
