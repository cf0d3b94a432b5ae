// Takes CPU and heap profiles in pprof's format, one of each at a time, and both at once. Heap sampling begins with the first request for
// one and ends when nobody has asked for a while, so that scrapers see what lives since then and others pay nothing.

import type { Deadline, Deadlines } from "../lifecycle/deadlines.ts";
import { unreachable } from "../lifecycle/errors.ts";
import { loadPprof } from "./pprof-engine.ts";
import type { PprofEngine, PprofLoad, RawProfile } from "./pprof-engine.ts";
import type { WaitOutcome } from "./profile-wait.ts";
import { ProfileWait } from "./profile-wait.ts";

/** A profile, or why there is none. */
export type ProfileResult =
  | { readonly profile: Buffer }
  | { readonly refused: "busy" | "missing" | "closed"; readonly message: string };

/** Between two CPU samples, in microseconds: 100 a second, as Go's. */
const cpuIntervalMicros = 10_000;
/** On average one allocation in so many bytes is sampled, as in Go. */
const heapIntervalBytes = 512 * 1024;
const heapStackDepth = 64;
/** Heap sampling stops when no profile was asked for in this time, in milliseconds. */
const heapIdleMs = 600_000;

/** Owns the profiling of this process. */
export class Profiler {
  readonly #load: () => Promise<PprofLoad>;
  readonly #heapIdle: Deadline;
  readonly #heapWait: ProfileWait;
  readonly #cpuWait: ProfileWait;
  #heap: PprofEngine["heap"] | undefined;
  #disposed = false;

  constructor(deadlines: Deadlines, load: () => Promise<PprofLoad> = loadPprof) {
    this.#load = load;
    this.#heapIdle = deadlines.create(() => this.#stopHeap());
    this.#heapWait = new ProfileWait(deadlines);
    this.#cpuWait = new ProfileWait(deadlines);
  }

  /** Whether allocations are being sampled now. */
  get samplesHeap(): boolean {
    return this.#heap !== undefined;
  }

  /** What lives on the heap of what was allocated since sampling began; after `seconds` more of it. */
  async heap(seconds: number, gone: AbortSignal): Promise<ProfileResult> {
    const loaded = await this.#load();
    if ("missing" in loaded) return { refused: "missing", message: loaded.missing };
    if (this.#disposed) return closed;
    if (!this.#heap) {
      loaded.engine.heap.start(heapIntervalBytes, heapStackDepth);
      this.#heap = loaded.engine.heap;
    }
    this.#heapIdle.arm(heapIdleMs);
    if (seconds > 0) {
      const refusal = refusalOf(await this.#heapWait.run(seconds, gone), "heap");
      if (refusal) return refusal;
    }
    return this.#heap ? { profile: await loaded.engine.encode(this.#heap.profile()) } : closed;
  }

  /** What the CPU did in the next `seconds`. */
  async cpu(seconds: number, gone: AbortSignal): Promise<ProfileResult> {
    const loaded = await this.#load();
    if ("missing" in loaded) return { refused: "missing", message: loaded.missing };
    const { engine } = loaded;
    let profile: RawProfile | undefined;
    const outcome = await this.#cpuWait.run(seconds, gone, {
      start: () => engine.time.start({ intervalMicros: cpuIntervalMicros, durationMillis: seconds * 1000 }),
      stop: () => (profile = engine.time.stop()),
    });
    const refusal = refusalOf(outcome, "CPU");
    if (refusal) return refusal;
    return profile ? { profile: await engine.encode(profile) } : closed;
  }

  /** Ends what runs. Idempotent. */
  dispose(): void {
    this.#disposed = true;
    this.#cpuWait.dispose();
    this.#heapWait.dispose();
    this.#stopHeap();
    this.#heapIdle.dispose("closed");
  }

  #stopHeap(): void {
    this.#heap?.stop();
    this.#heap = undefined;
  }
}

const closed: ProfileResult = { refused: "closed", message: "the profile was given up" };

/** Why there is no profile; undefined if the wait came to its end. */
function refusalOf(outcome: WaitOutcome, kind: "CPU" | "heap"): ProfileResult | undefined {
  switch (outcome) {
    case "over":
      return undefined;
    case "busy":
      return { refused: "busy", message: `another ${kind} profile is being taken` };
    case "closed":
      return closed;
    default:
      return unreachable(outcome);
  }
}
