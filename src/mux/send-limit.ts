// How many bytes may wait in the transport: enough to keep the line busy, so few that a small answer does not wait long.
// The rate is measured only while the transport is what holds data back, for else it says nothing about the line.

import type { MuxLimits } from "./limits.ts";

/** A measurement shorter than this is noise. Milliseconds. */
const minSampleMs = 10;

/** The limit of unsent bytes of one session. */
export class SendLimit {
  readonly #limits: MuxLimits;
  #bytes: number;
  #sampleStartedMs = 0;
  #sampleBase = 0;

  constructor(limits: MuxLimits) {
    this.#limits = limits;
    this.#bytes = limits.minUnsentBytes;
  }

  /** The limit now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Data waits for the transport, which has delivered `delivered` bytes in all. */
  blocked(delivered: number, nowMs: number): void {
    if (this.#sampleStartedMs !== 0) return;
    this.#sampleStartedMs = nowMs;
    this.#sampleBase = delivered;
  }

  /** The transport has delivered more, while data still waited. */
  progressed(delivered: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#sampleStartedMs;
    if (this.#sampleStartedMs === 0 || elapsedMs < minSampleMs) return;
    const bytes = ((delivered - this.#sampleBase) / elapsedMs) * this.#limits.unsentMs;
    this.#bytes = Math.min(this.#limits.maxUnsentBytes, Math.max(this.#limits.minUnsentBytes, Math.round(bytes)));
    this.#sampleStartedMs = nowMs;
    this.#sampleBase = delivered;
  }

  /** Nothing waits any more. */
  unblocked(): void {
    this.#sampleStartedMs = 0;
  }
}
