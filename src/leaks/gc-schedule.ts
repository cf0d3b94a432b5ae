// When to ask for a major collection: rarely, only when something waits for one, and only while the event loop is calm.
// It owns one deadline of its role's wheel.

import { performance } from "node:perf_hooks";
import type { Deadline, Deadlines } from "../lifecycle/deadlines.ts";
import type { TunnelEvents } from "../lifecycle/events.ts";
import type { GcClock } from "./gc-clock.ts";

/** What may need a collection. */
export interface GcSubject {
  /** Whether a collection now would decide something. */
  readonly awaiting: boolean;
  /** Grows whenever something new is watched. */
  readonly activity: number;
}

/** Options of {@link GcSchedule}. */
export interface GcScheduleOptions {
  readonly clock: Pick<GcClock, "force" | "majors">;
  readonly deadlines: Deadlines;
  readonly events: TunnelEvents;
  readonly subjects: readonly GcSubject[];
  /** At most one collection in this time, its follow-ups aside. Milliseconds, default 300,000. */
  readonly everyMs?: number;
  /** Between follow-ups, and before another look at a busy event loop. Milliseconds, default 15,000. */
  readonly followUpMs?: number;
  /** At most this many follow-ups while something is awaited. Default 4. */
  readonly followUps?: number;
  /** The event loop is calm below this utilisation (0 to 1) while it is looked at. Default 0.5. */
  readonly calmBelow?: number;
  /** How long the event loop is looked at before it is called calm. Milliseconds, default 1,000. */
  readonly lookMs?: number;
}

/** Asks the clock for collections until it is disposed of. */
export class GcSchedule {
  readonly #clock: Pick<GcClock, "force" | "majors">;
  readonly #events: TunnelEvents;
  readonly #subjects: readonly GcSubject[];
  readonly #everyMs: number;
  readonly #followUpMs: number;
  readonly #followUps: number;
  readonly #calmBelow: number;
  readonly #lookMs: number;
  readonly #deadline: Deadline;
  #step: "waiting" | "looking" = "waiting";
  #followUpsLeft = 0;
  #roundStartedAtMs = -Infinity;
  #activitySeen = -1;
  #majorsSeen = 0;
  #looked = performance.eventLoopUtilization();

  constructor(options: GcScheduleOptions) {
    this.#clock = options.clock;
    this.#events = options.events;
    this.#subjects = options.subjects;
    this.#everyMs = options.everyMs ?? 300_000;
    this.#followUpMs = options.followUpMs ?? 15_000;
    this.#followUps = options.followUps ?? 4;
    this.#calmBelow = options.calmBelow ?? 0.5;
    this.#lookMs = options.lookMs ?? 1000;
    this.#deadline = options.deadlines.create(() => this.#next());
    this.#deadline.arm(this.#everyMs);
  }

  /** Stops asking. Idempotent. */
  dispose(): void {
    this.#deadline.dispose("closed");
  }

  #next(): void {
    if (this.#step === "waiting") this.#wake();
    else this.#look();
  }

  /** A pause is over: is a collection wanted at all? */
  #wake(): void {
    if (this.#followUpsLeft > 0 ? !this.#awaiting() : !this.#roundWanted()) {
      this.#startRound();
      return;
    }
    this.#step = "looking";
    this.#looked = performance.eventLoopUtilization();
    this.#deadline.arm(this.#lookMs);
  }

  /** The event loop was looked at for long enough. */
  #look(): void {
    this.#step = "waiting";
    if (performance.eventLoopUtilization(this.#looked).utilization >= this.#calmBelow) {
      this.#deadline.arm(this.#followUpMs);
      return;
    }
    this.#clock.force().then(this.#onForced, this.#onFailed);
  }

  readonly #onForced = (): void => {
    if (this.#followUpsLeft > 0) this.#followUpsLeft -= 1;
    else this.#followUpsLeft = this.#followUps;
    if (this.#roundStartedAtMs === -Infinity) this.#roundStartedAtMs = performance.now();
    if (this.#followUpsLeft > 0 && this.#awaiting()) this.#deadline.arm(this.#followUpMs);
    else this.#startRound();
  };

  readonly #onFailed = (error: unknown): void => {
    this.#events.faulted("gc", error);
    this.#startRound();
  };

  /** Waits for the rest of the interval since the last round's first collection. */
  #startRound(): void {
    const sinceMs = performance.now() - this.#roundStartedAtMs;
    const waitMs = Number.isFinite(sinceMs) ? Math.max(this.#followUpMs, this.#everyMs - sinceMs) : this.#everyMs;
    this.#roundStartedAtMs = -Infinity;
    this.#followUpsLeft = 0;
    this.#activitySeen = this.#activity();
    this.#majorsSeen = this.#clock.majors;
    this.#deadline.arm(waitMs);
  }

  /** Something waits or is new, and the program's own collections were too few to decide it. */
  #roundWanted(): boolean {
    const news = this.#awaiting() || this.#activity() !== this.#activitySeen;
    return news && this.#clock.majors - this.#majorsSeen <= this.#followUps;
  }

  #awaiting(): boolean {
    return this.#subjects.some((subject) => subject.awaiting);
  }

  #activity(): number {
    return this.#subjects.reduce((sum, subject) => sum + subject.activity, 0);
  }
}
