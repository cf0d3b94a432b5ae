// What the process's file descriptors are, and in which state its TCP sockets stand: read in a worker thread, because
// with thousands of sockets the reading takes a tenth of a second. It owns that thread, starts it at the first question,
// and never runs a timer: a question that finds the last answer too old has it renewed.

import { Worker } from "node:worker_threads";
import type { DescriptorSample } from "./descriptor-worker.ts";

/** An answer older than this is renewed. Milliseconds. */
export const defaultSampleAgeMs = 30_000;

/** What was read last. */
export interface DescriptorReading extends DescriptorSample {
  /** How old it is, in seconds. */
  readonly ageSeconds: number;
}

/** Options of {@link Descriptors}. */
export interface DescriptorsOptions {
  /** How old an answer may become before a question renews it. Milliseconds, default {@link defaultSampleAgeMs}. */
  readonly maxAgeMs?: number;
  /** Starts the thread; for tests. */
  readonly startWorker?: () => Worker;
}

/** Samples descriptors and sockets on systems with /proc; elsewhere it never has an answer. */
export class Descriptors {
  readonly #maxAgeMs: number;
  readonly #startWorker: () => Worker;
  readonly #supported: boolean = process.platform === "linux";
  #worker: Worker | undefined;
  #sampling: Promise<DescriptorReading | undefined> | undefined;
  /** The thread that was asked, and who waits for its answer. */
  #asked: { readonly worker: Worker; readonly answer: (sample: DescriptorSample | undefined) => void } | undefined;
  #last: DescriptorSample | undefined;
  #lastAtMs = 0;
  #askedAtMs = -Infinity;
  #disposed = false;

  constructor(options: DescriptorsOptions = {}) {
    this.#maxAgeMs = options.maxAgeMs ?? defaultSampleAgeMs;
    this.#startWorker = options.startWorker ?? startWorker;
  }

  /** The last answer at once, undefined before the first; starts a new sample if it is too old. */
  get latest(): DescriptorReading | undefined {
    if (performance.now() - this.#askedAtMs > this.#maxAgeMs) void this.sample();
    return this.#reading();
  }

  /**
   * An answer that is not too old: the last one, or a new sample, which is waited for. Undefined where there is none; never
   * rejects.
   */
  fresh(): Promise<DescriptorReading | undefined> {
    if (this.#last && performance.now() - this.#lastAtMs <= this.#maxAgeMs) return Promise.resolve(this.#reading());
    return this.sample();
  }

  /**
   * Takes a sample now and resolves with it; undefined without /proc, after dispose(), and where the system gives no
   * thread. Calls that overlap share one. Never rejects.
   */
  sample(): Promise<DescriptorReading | undefined> {
    if (!this.#supported || this.#disposed) return Promise.resolve(undefined);
    this.#sampling ??= this.#sample().finally(() => {
      this.#sampling = undefined;
    });
    return this.#sampling;
  }

  /** Ends the worker thread. Idempotent. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    // While somebody waits for its end, it counts as work.
    worker?.ref();
    await worker?.terminate();
  }

  async #sample(): Promise<DescriptorReading | undefined> {
    this.#askedAtMs = performance.now();
    const worker = (this.#worker ??= this.#start());
    // At its limit of threads the system refuses one more; the next sample tries again.
    if (!worker) return undefined;
    // The thread keeps the process alive only while somebody waits for it.
    worker.ref();
    const sample = await new Promise<DescriptorSample | undefined>((resolve) => {
      this.#asked = { worker, answer: resolve };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
      worker.postMessage("sample");
    });
    // Not while dispose() waits for the thread's end: an answer may still come between its question and that end.
    if (!this.#disposed) worker.unref();
    if (sample) {
      this.#last = sample;
      this.#lastAtMs = performance.now();
    }
    return this.#reading();
  }

  #start(): Worker | undefined {
    let worker: Worker;
    try {
      worker = this.#startWorker();
    } catch {
      return undefined; // There is no sample then, which readers see by its age.
    }
    worker.on("message", (sample: DescriptorSample) => this.#answer(worker, sample));
    worker.on("error", () => this.#lost(worker));
    worker.on("exit", () => this.#lost(worker));
    return worker;
  }

  /** Only of the thread that was asked: one that failed tells of its error and, perhaps when another was asked, of its exit. */
  #answer(worker: Worker, sample: DescriptorSample | undefined): void {
    const asked = this.#asked;
    if (asked?.worker !== worker) return;
    this.#asked = undefined;
    asked.answer(sample);
  }

  /** A worker that failed is replaced at the next question that finds the last answer too old. */
  #lost(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    this.#answer(worker, undefined);
  }

  #reading(): DescriptorReading | undefined {
    if (!this.#last) return undefined;
    return { ...this.#last, ageSeconds: (performance.now() - this.#lastAtMs) / 1000 };
  }
}

function startWorker(): Worker {
  // The worker's file lies beside this one, compiled or not.
  const file = import.meta.url.endsWith(".ts") ? "./descriptor-worker.ts" : "./descriptor-worker.js";
  return new Worker(new URL(file, import.meta.url), {
    name: "caisson-descriptors",
    // Neither what the program preloads nor its NODE_OPTIONS belong in this thread.
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
}
