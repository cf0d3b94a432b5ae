// SIGINT and SIGTERM for one command: the first asks for a graceful end, the second forces it. Installed for as long as
// the command runs and removed with it, so that later signals have their usual effect.

import type { StopSignal } from "./exit-codes.ts";
import { forcedExitCode } from "./exit-codes.ts";

/** What a command started and must end: a server, a tunnel, or several of them together. */
export interface Running {
  /** Ends it: gracefully, or at once with `force`. Settles when nothing of it is left. */
  close(options?: { readonly force?: boolean }): Promise<void>;
  /** Settles when it ends by itself, with the error that ended it. Absent if it never does. */
  readonly ended?: Promise<unknown>;
}

/** How a command ended. */
export type Ending =
  | { readonly kind: "ended"; readonly error: unknown }
  | { readonly kind: "stopped" }
  /** It came to an answer that is no error, and that the exit code tells. */
  | { readonly kind: "judged"; readonly exitCode: number }
  | { readonly kind: "forced"; readonly exitCode: number };

/** Where signals come from: `process`, or an emitter in tests. */
export interface SignalSource {
  on(signal: StopSignal | "SIGHUP" | "SIGUSR2", listener: (signal: StopSignal) => void): unknown;
  off(signal: StopSignal | "SIGHUP" | "SIGUSR2", listener: (signal: StopSignal) => void): unknown;
  listenerCount(signal: "SIGUSR2"): number;
}

/** Options of {@link runUntilStopped}. */
export interface RunOptions {
  readonly signals: SignalSource;
  /** Called on the first signal, before anything is closed. */
  onStopping?(signal: StopSignal): void;
}

/**
 * Starts something and waits until it ended by itself or signals ended it. A first signal during `start` aborts the
 * signal given to it, later it closes what runs. A second one closes by force, and a third one no longer waits for that.
 * Throws what `start` throws, unless a signal was the cause.
 */
export async function runUntilStopped(
  start: (signal: AbortSignal) => Promise<Running>,
  options: RunOptions,
): Promise<Ending> {
  const watch = new SignalWatch(options);
  try {
    return await run(start, watch);
  } finally {
    watch.dispose();
  }
}

async function run(start: (signal: AbortSignal) => Promise<Running>, watch: SignalWatch): Promise<Ending> {
  const abort = new AbortController();
  let running: Running | undefined;
  // What runs already is closed gracefully below; its signal would end it at once.
  void watch.first.then(() => (running ? undefined : abort.abort()));
  try {
    const started = await Promise.race([start(abort.signal), watch.second]);
    if ("exitCode" in started) return { kind: "forced", exitCode: started.exitCode };
    running = started;
  } catch (error) {
    if (watch.count > 0) return { kind: "stopped" };
    throw error;
  }
  const ended = running.ended?.then((error): Ending => ({ kind: "ended", error }));
  const ending = await (ended ? Promise.race([ended, watch.first]) : watch.first);
  if (ending !== "first") return ending;
  const closed = running.close().then((): Ending => ({ kind: "stopped" }));
  const result = await Promise.race([closed, watch.second]);
  if ("kind" in result) return result;
  // Cut transfers are reset by the forced close, so that no visitor takes them for complete.
  await Promise.race([running.close({ force: true }), watch.third]);
  return { kind: "forced", exitCode: result.exitCode };
}

class SignalWatch {
  readonly first: Promise<"first">;
  readonly second: Promise<{ readonly exitCode: number }>;
  readonly third: Promise<void>;
  #count = 0;
  readonly #options: RunOptions;
  readonly #heard: ((signal: StopSignal) => void)[] = [];

  constructor(options: RunOptions) {
    this.#options = options;
    this.first = new Promise((resolve) => this.#heard.push(() => resolve("first")));
    this.second = new Promise((resolve) => this.#heard.push((signal) => resolve({ exitCode: forcedExitCode(signal) })));
    this.third = new Promise((resolve) => this.#heard.push(() => resolve()));
    options.signals.on("SIGINT", this.#onSignal);
    options.signals.on("SIGTERM", this.#onSignal);
  }

  /** How many signals arrived. */
  get count(): number {
    return this.#count;
  }

  dispose(): void {
    this.#options.signals.off("SIGINT", this.#onSignal);
    this.#options.signals.off("SIGTERM", this.#onSignal);
  }

  readonly #onSignal = (signal: StopSignal): void => {
    if (this.#count === 0) this.#options.onStopping?.(signal);
    this.#heard[this.#count]?.(signal);
    this.#count += 1;
  };
}
