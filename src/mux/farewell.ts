// The orderly end of a transport: given the time that a peer may need to read what is on its way and answer,
// and cut when it lets that pass or says nothing at all.

import type { Deadline } from "../lifecycle/deadlines.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { MuxLimits } from "./limits.ts";
import type { Transport } from "./transport.ts";

/** What a farewell needs to know. */
export interface FarewellOptions {
  readonly transport: Transport;
  readonly runtime: Runtime;
  readonly limits: MuxLimits;
  /** When the last byte came, on the clock of `performance.now()`. */
  readonly lastHeardMs: () => number;
}

/** One close that is under way. Owned by the session until its transport has closed. */
export class Farewell {
  readonly #options: FarewellOptions;
  readonly #deadline: Deadline;
  readonly #startedMs: number = performance.now();
  /** A peer from which nothing came for so long does not answer either. */
  readonly #silenceMs: number;

  constructor(options: FarewellOptions) {
    const { closeTimeoutMs, pingMs } = options.limits;
    this.#options = options;
    this.#silenceMs = Math.min(closeTimeoutMs, pingMs);
    this.#deadline = options.runtime.deadlines.create(() => this.#look());
    this.#deadline.arm(this.#silenceMs);
  }

  /** Starts to close the transport, which may be done when this returns. */
  begin(code: number, text: string): void {
    this.#options.transport.close(code, text);
  }

  /** The transport has closed. */
  dispose(): void {
    this.#deadline.dispose("closed");
  }

  #look(): void {
    const nowMs = performance.now();
    const silent = nowMs - Math.max(this.#startedMs, this.#options.lastHeardMs()) >= this.#silenceMs;
    if (silent || nowMs - this.#startedMs >= this.#options.limits.closeTimeoutMs) this.#options.transport.terminate();
    else this.#deadline.arm(this.#silenceMs);
  }
}
