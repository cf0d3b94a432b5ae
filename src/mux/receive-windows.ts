// How much each stream of a session may send before its reader takes something. Every stream has its 64 KiB always;
// windows of streams that are read fast grow with what the line can carry, and shrink again when the reader stalls.

import { initialWindowBytes } from "../wire/limits.ts";
import type { GrowthBudget } from "./growth-budget.ts";
import type { MuxLimits } from "./limits.ts";
import type { Stream } from "./stream.ts";
import { WindowPace } from "./window-pace.ts";

/** What the windows keep of a stream. */
export interface Credited {
  /** @internal The window that the peer has: what it may send, plus what is unconsumed, plus what is owed. */
  _window: number;
  /** @internal What the peer may send before the next CREDIT. */
  _receiveCredit: number;
  /** @internal Consumed, and not yet granted again. */
  _owed: number;
  /** @internal How wide the window should be: from the first step of credit on. */
  _pace: WindowPace | undefined;
}

/** What the windows ask of their session. */
export interface WindowOwner<S extends Credited> {
  /** The lowest recent round trip in milliseconds; 0 while unknown. */
  readonly rttMs: number;
  /** @internal Sends CREDIT. */
  _credit(stream: S, bytes: number): void;
  /** @internal Data flows: the round trip should be measured now and then. */
  _freshenRoundTrip(nowMs: number): void;
}

/** The receiving side's windows of one session. */
export class ReceiveWindows<S extends Credited = Stream> {
  readonly #owner: WindowOwner<S>;
  readonly #limits: MuxLimits;
  readonly #budget: GrowthBudget;
  #grownBytes = 0;

  constructor(owner: WindowOwner<S>, limits: MuxLimits, budget: GrowthBudget) {
    this.#owner = owner;
    this.#limits = limits;
    this.#budget = budget;
  }

  /** Growth granted to the streams of this session. */
  get grownBytes(): number {
    return this.#grownBytes;
  }

  /** Grants what the stream's reader has consumed since the last step, and more or less as its window changes. */
  grant(stream: S, nowMs: number = performance.now()): void {
    const consumed = stream._owed;
    const { _window: window, _pace: pace } = stream;
    let change = 0;
    if (pace) {
      const wanted = pace.step({ consumed, window, rttMs: this.#owner.rttMs, nowMs });
      if (wanted > window) change = this.#grow(wanted - window);
      else if (wanted < window) change = -this.#giveBack(Math.min(consumed, window - wanted));
    } else stream._pace = new WindowPace(this.#limits, nowMs);
    const credit = consumed + change;
    stream._owed = 0;
    stream._window = window + change;
    if (credit > 0) {
      stream._receiveCredit += credit;
      this.#owner._credit(stream, credit);
    }
    this.#owner._freshenRoundTrip(nowMs);
  }

  /** Takes back the growth of a stream that ends. */
  release(stream: S): void {
    this.#giveBack(stream._window - initialWindowBytes);
    stream._window = initialWindowBytes;
  }

  /** Answers how many of `bytes` there is room for. */
  #grow(bytes: number): number {
    const room = this.#limits.sessionGrowthBytes - this.#grownBytes;
    if (room <= 0) return 0;
    const granted = this.#budget.grant(Math.min(bytes, room));
    this.#grownBytes += granted;
    return granted;
  }

  /** Answers `bytes`. */
  #giveBack(bytes: number): number {
    this.#grownBytes -= bytes;
    this.#budget.giveBack(bytes);
    return bytes;
  }
}
