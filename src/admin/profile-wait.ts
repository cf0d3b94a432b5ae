// The time that a profile takes: one at a time of its kind, over when it has passed, when its peer leaves, or at the end.

import type { Deadline, Deadlines } from "../lifecycle/deadlines.ts";

/** How a wait came out. */
export type WaitOutcome = "over" | "busy" | "closed";

/** What is begun and ended around a wait. */
export interface WaitAround {
  readonly start: () => void;
  readonly stop: () => void;
}

/** Waits for profiles of one kind. */
export class ProfileWait {
  readonly #deadline: Deadline;
  #end: (() => void) | undefined;
  #disposed = false;

  constructor(deadlines: Deadlines) {
    this.#deadline = deadlines.create(() => this.#end?.());
  }

  /** Waits, unless another one does or the peer has left. What was started is stopped, however the wait ends. */
  async run(seconds: number, gone: AbortSignal, around: WaitAround = nothing): Promise<WaitOutcome> {
    if (this.#disposed || gone.aborted) return "closed";
    if (this.#end) return "busy";
    around.start();
    await new Promise<void>((resolve) => {
      const end = (): void => {
        this.#end = undefined;
        this.#deadline.disarm();
        gone.removeEventListener("abort", end);
        resolve();
      };
      this.#end = end;
      this.#deadline.arm(seconds * 1000);
      gone.addEventListener("abort", end, { once: true });
    });
    around.stop();
    return gone.aborted || this.#disposed ? "closed" : "over";
  }

  /** Ends what waits. Idempotent. */
  dispose(): void {
    this.#disposed = true;
    this.#end?.();
    this.#deadline.dispose("closed");
  }
}

const nothing: WaitAround = { start: () => undefined, stop: () => undefined };
