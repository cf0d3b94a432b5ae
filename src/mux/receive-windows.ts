// How much each stream of a session may send before its reader takes something. Every stream has its 64 KiB always;
// windows of streams that are read fast grow with what the line can carry, and shrink again when the reader stalls.

import { initialWindowBytes } from "../wire/limits.ts";
import type { GrowthBudget } from "./growth-budget.ts";
import type { MuxLimits } from "./limits.ts";
import type { Stream } from "./stream.ts";

/**
 * A window must cover 1.25 times what is on its way in one round trip, and on top of that the half of it that waits
 * to be granted as one step: 1.25 / (1 - 1/2).
 */
const roundTripsPerWindow = 2.5;

/** What the windows ask of their session. */
export interface WindowOwner {
  /** The lowest recent round trip in milliseconds; 0 while unknown. */
  readonly rttMs: number;
  /** @internal Sends CREDIT. */
  _credit(stream: Stream, bytes: number): void;
  /** @internal Data flows: the round trip should be measured now and then. */
  _freshenRoundTrip(nowMs: number): void;
}

/** The receiving side's windows of one session. */
export class ReceiveWindows {
  readonly #owner: WindowOwner;
  readonly #limits: MuxLimits;
  readonly #budget: GrowthBudget;
  #grownBytes = 0;

  constructor(owner: WindowOwner, limits: MuxLimits, budget: GrowthBudget) {
    this.#owner = owner;
    this.#limits = limits;
    this.#budget = budget;
  }

  /** Growth granted to the streams of this session. */
  get grownBytes(): number {
    return this.#grownBytes;
  }

  /** Grants what the stream's reader has consumed since the last step, and more or less as its window changes. */
  grant(stream: Stream): void {
    const nowMs = performance.now();
    const consumed = stream._owed;
    const elapsedMs = nowMs - stream._roundStartedMs;
    let change = 0;
    if (stream._roundStartedMs === 0) stream._roundStartedMs = nowMs;
    else {
      stream._roundBytes += consumed;
      const { rttMs } = this.#owner;
      if (elapsedMs >= this.#limits.stallMs) change = -Math.min(consumed, stream._window - initialWindowBytes);
      else if (rttMs > 0 && elapsedMs >= rttMs) {
        change = this.#growth(stream, (stream._roundBytes / elapsedMs) * rttMs * roundTripsPerWindow);
      }
      if (elapsedMs >= rttMs) {
        stream._roundStartedMs = nowMs;
        stream._roundBytes = 0;
      }
    }
    if (change < 0) this.#giveBack(-change);
    const credit = consumed + change;
    stream._owed = 0;
    stream._window += change;
    if (credit > 0) {
      stream._receiveCredit += credit;
      this.#owner._credit(stream, credit);
    }
    this.#owner._freshenRoundTrip(nowMs);
  }

  /** Takes back the growth of a stream that ends. */
  release(stream: Stream): void {
    this.#giveBack(stream._window - initialWindowBytes);
    stream._window = initialWindowBytes;
  }

  /** How many bytes the window may grow towards `target`. */
  #growth(stream: Stream, target: number): number {
    const wanted = Math.min(Math.round(target), this.#limits.maxWindowBytes) - stream._window;
    const room = this.#limits.sessionGrowthBytes - this.#grownBytes;
    if (wanted <= 0 || room <= 0) return 0;
    const granted = this.#budget.grant(Math.min(wanted, room));
    this.#grownBytes += granted;
    return granted;
  }

  #giveBack(bytes: number): void {
    if (bytes <= 0) return;
    this.#grownBytes -= bytes;
    this.#budget.giveBack(bytes);
  }
}
