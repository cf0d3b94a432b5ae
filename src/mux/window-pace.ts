// How wide the window of one stream should be. It doubles with each round trip while it is what limits the stream, and
// settles where it covers what the line carries without filling the queues in front of it. Pure: time comes in.

import { initialWindowBytes } from "../wire/limits.ts";
import type { MuxLimits } from "./limits.ts";

/** A settled window covers so many times what is on its way in one round trip, and on a short line so much time more. */
const ahead = 1.25;
const leastAheadMs = 10;
/** A round that shows the need of so much more than its window was limited by it; less is noise. */
const limitedFrom = 1.05;
/** Growth in two rounds, of which one passes before the other shows, if a whole window comes in one round trip: doubling. */
const growthInTwo = 4;
/** Growth that raised the rate so much was needed, even on a line whose round trips have become longer. */
const followedFrom = 1.6;
/** A narrower window that brings less than so much of the rate was too narrow. */
const harmlessFrom = 0.88;
/** A window wider than so many times the need is worth narrowing. */
const wideFrom = 1.1;
/** After so many rounds a settled window is judged again: lines change. */
const judgedAgainRounds = 8;
/** While it grows, each window tells; a settled one is judged by so many together, because pauses and bursts even out. */
const settledWindows = 4;
/** A round ends without a whole window after so many times what a window covers, and at least so much time. */
const longRound = 2;
const longRoundMs = 250;

/** What bounds a window, besides the least that every stream has. */
export type PaceLimits = Pick<MuxLimits, "maxWindowBytes" | "stallMs">;

/** What is known when a step of credit is due. */
export interface PaceStep {
  /** What the reader took since the last step, in bytes. */
  readonly consumed: number;
  /** The window now, in bytes: what was wanted of it may have been more than there was room for. */
  readonly window: number;
  /** The lowest recent round trip in milliseconds; 0 while unknown. */
  readonly rttMs: number;
  readonly nowMs: number;
}

/** A round that is over. */
interface Round {
  /** In bytes per millisecond. */
  readonly rate: number;
  /** Bytes that cover this rate. */
  readonly needed: number;
  readonly window: number;
  /** How many round trips that covers. */
  readonly trips: number;
}

/** What the last change is waiting to show: `rate` came with the window `bytes`. */
interface Trial {
  readonly change: "grown" | "narrowed";
  readonly bytes: number;
  readonly rate: number;
}

/** How many consumed bytes a window keeps back until they are granted as one step. */
export function stepBytes(window: number): number {
  return window > initialWindowBytes ? window >>> 4 : window >>> 1;
}

/** The least window is granted in halves, of which one may always be on its way back; of others the step is small. */
function surelyUsed(window: number): number {
  return window > initialWindowBytes ? window : window >>> 1;
}

/** The width of one window over time. */
export class WindowPace {
  readonly #limits: PaceLimits;
  #lastMs: number;
  #roundStartedMs: number;
  #roundBytes = 0;
  /** The window that the bytes of this round were sent under: what is granted now comes back a round trip later. */
  #inEffect: number;
  /** While the window is wider than this, nothing is granted; 0 while nothing is to be withheld. */
  #narrowTo = 0;
  #growing = true;
  #trial: Trial | undefined;
  #roundsSettled = 0;

  /** Begins with the first step, whose bytes belong to no round. */
  constructor(limits: PaceLimits, nowMs: number) {
    this.#limits = limits;
    this.#lastMs = nowMs;
    this.#roundStartedMs = nowMs;
    this.#inEffect = surelyUsed(initialWindowBytes);
  }

  /** Answers how wide the window should be now: at once if that is more, as bytes are consumed if it is less. */
  step({ consumed, window, rttMs, nowMs }: PaceStep): number {
    const idleMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (idleMs >= this.#limits.stallMs) {
      this.#trial = undefined;
      return this.#narrow(initialWindowBytes, { consumed, window, nowMs });
    }
    if (this.#narrowTo > 0) return this.#narrow(this.#narrowTo, { consumed, window, nowMs });
    this.#roundBytes += consumed;
    const elapsedMs = nowMs - this.#roundStartedMs;
    const coveredMs = Math.max(rttMs * ahead, rttMs + leastAheadMs);
    if (rttMs === 0 || elapsedMs < rttMs) return window;
    const windows = this.#growing ? 1 : settledWindows;
    const lastsMs = Math.max(longRoundMs, longRound * windows * coveredMs);
    if (this.#roundBytes < windows * this.#inEffect && elapsedMs < lastsMs) return window;
    const rate = this.#roundBytes / elapsedMs;
    const wanted = this.#judge({ rate, needed: rate * coveredMs, window, trips: coveredMs / rttMs });
    this.#begin(nowMs);
    return wanted < window ? this.#narrow(wanted, { consumed, window, nowMs }) : wanted;
  }

  #judge({ rate, needed, window, trips }: Round): number {
    const need = needed / this.#inEffect;
    if (need > limitedFrom) {
      // Less where only a part of the round trip was waited for credit, so that it ends near the need.
      const growth = Math.max(need, growthInTwo ** (Math.log(need) / Math.log(trips)));
      return this.#grow({ rate, window, bytes: this.#inEffect * growth });
    }
    const newWindow = this.#inEffect < surelyUsed(window);
    this.#inEffect = surelyUsed(window);
    // This round says nothing of it yet.
    if (newWindow) return window;
    const trial = this.#trial;
    if (!trial) {
      this.#roundsSettled += 1;
      return this.#roundsSettled < judgedAgainRounds ? window : this.#tryNarrower({ rate, needed, window });
    }
    if (trial.change === "narrowed" && rate < trial.rate * harmlessFrom) {
      this.#settle();
      return trial.bytes;
    }
    if (trial.change === "grown" && rate >= trial.rate * followedFrom) {
      this.#trial = { change: "grown", bytes: window, rate };
      return this.#wider(window, window * 2);
    }
    return this.#tryNarrower({ rate, needed, window });
  }

  #grow({ rate, window, bytes }: Pick<Round, "rate" | "window"> & { readonly bytes: number }): number {
    const wanted = this.#wider(window, Math.min(window * 2, bytes));
    if (wanted > window) {
      this.#growing = true;
      this.#trial = { change: "grown", bytes: this.#inEffect, rate };
    } else this.#settle();
    this.#inEffect = window;
    return wanted;
  }

  /** By half at most, and only for as long as the rate stays. */
  #tryNarrower({ rate, needed, window }: Omit<Round, "trips">): number {
    this.#settle();
    const wanted = Math.round(Math.max(needed, window / 2, initialWindowBytes));
    if (wanted * wideFrom > window) return window;
    this.#trial = { change: "narrowed", bytes: window, rate };
    return wanted;
  }

  #settle(): void {
    this.#growing = false;
    this.#trial = undefined;
    this.#roundsSettled = 0;
  }

  /** Withholds until the window is as narrow; rounds count again from then on. */
  #narrow(wanted: number, { consumed, window, nowMs }: Pick<PaceStep, "consumed" | "window" | "nowMs">): number {
    const done = window - consumed <= wanted;
    this.#narrowTo = done ? 0 : wanted;
    if (done) {
      this.#inEffect = surelyUsed(wanted);
      this.#begin(nowMs);
    }
    return Math.min(window, wanted);
  }

  #begin(nowMs: number): void {
    this.#roundStartedMs = nowMs;
    this.#roundBytes = 0;
  }

  #wider(window: number, bytes: number): number {
    return Math.max(window, Math.min(Math.round(bytes), this.#limits.maxWindowBytes));
  }
}
