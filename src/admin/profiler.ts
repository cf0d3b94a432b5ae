// Takes CPU and heap profiles in pprof's format, one of each at a time. Heap sampling begins with the first request for
// one and ends when nobody has asked for a while, so that scrapers see what lives since then and others pay nothing.

import type { Deadline, Deadlines } from "../lifecycle/deadlines.ts";
import { loadPprof } from "./pprof-engine.ts";
import type { PprofEngine, PprofLoad, RawProfile } from "./pprof-engine.ts";

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
  readonly #cpuEnd: Deadline;
  #heap: PprofEngine["heap"] | undefined;
  #endCpu: (() => void) | undefined;
  #disposed = false;

  constructor(deadlines: Deadlines, load: () => Promise<PprofLoad> = loadPprof) {
    this.#load = load;
    this.#heapIdle = deadlines.create(() => this.#stopHeap());
    this.#cpuEnd = deadlines.create(() => this.#endCpu?.());
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
      const waited = await this.#wait(seconds, gone);
      if (waited !== "over") return waited;
    }
    return this.#heap ? { profile: await loaded.engine.encode(this.#heap.profile()) } : closed;
  }

  /** What the CPU did in the next `seconds`. */
  async cpu(seconds: number, gone: AbortSignal): Promise<ProfileResult> {
    const loaded = await this.#load();
    if ("missing" in loaded) return { refused: "missing", message: loaded.missing };
    const { engine } = loaded;
    let profile: RawProfile | undefined;
    const waited = await this.#wait(seconds, gone, {
      start: () => engine.time.start({ intervalMicros: cpuIntervalMicros, durationMillis: seconds * 1000 }),
      stop: () => (profile = engine.time.stop()),
    });
    if (waited !== "over") return waited;
    return profile ? { profile: await engine.encode(profile) } : closed;
  }

  /** Ends what runs. Idempotent. */
  dispose(): void {
    this.#disposed = true;
    this.#endCpu?.();
    this.#stopHeap();
    this.#heapIdle.dispose("closed");
    this.#cpuEnd.dispose("closed");
  }

  /** Waits, unless another profile is waiting or the peer leaves. What was started is stopped, however the wait ends. */
  async #wait(
    seconds: number,
    gone: AbortSignal,
    around: { readonly start: () => void; readonly stop: () => void } = { start: ignore, stop: ignore },
  ): Promise<"over" | Exclude<ProfileResult, { profile: Buffer }>> {
    if (this.#disposed || gone.aborted) return closed;
    if (this.#endCpu) return { refused: "busy", message: "another profile is being taken" };
    around.start();
    await new Promise<void>((resolve) => {
      const end = (): void => {
        this.#endCpu = undefined;
        this.#cpuEnd.disarm();
        gone.removeEventListener("abort", end);
        resolve();
      };
      this.#endCpu = end;
      this.#cpuEnd.arm(seconds * 1000);
      gone.addEventListener("abort", end, { once: true });
    });
    around.stop();
    return gone.aborted || this.#disposed ? closed : "over";
  }

  #stopHeap(): void {
    this.#heap?.stop();
    this.#heap = undefined;
  }
}

const closed: { readonly refused: "closed"; readonly message: string } = {
  refused: "closed",
  message: "the profile was given up",
};

function ignore(): void {}
