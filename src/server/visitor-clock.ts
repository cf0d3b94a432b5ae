// The one deadline of a visitor's connection, and what it stands for at the moment. A visitor who still takes bytes,
// however slowly, is never too late.

import type { Deadline } from "../lifecycle/deadlines.ts";
import type { SocketOutlet } from "../mux/socket-outlet.ts";
import type { Edge } from "./edge.ts";
import type { ServerLimits } from "./limits.ts";

/** What is waited for: each is bounded by a limit of its own. */
export type ClockPurpose = "silence" | "head" | "idle" | "body" | "response" | "name" | "room" | "flush" | "linger";

const limitOf: Readonly<Record<ClockPurpose, keyof ServerLimits>> = {
  silence: "headMs",
  head: "headMs",
  idle: "keepAliveMs",
  body: "requestIdleMs",
  response: "responseIdleMs",
  name: "nameWaitMs",
  room: "roomWaitMs",
  flush: "responseIdleMs",
  linger: "lingerMs",
};

/** Purposes during which a response may still be on its way to a slow visitor. */
const flushing: ReadonlySet<ClockPurpose> = new Set<ClockPurpose>(["idle", "response", "flush"]);

/** Options of {@link VisitorClock}. */
export interface VisitorClockOptions {
  readonly edge: Edge;
  readonly outlet: SocketOutlet;
  readonly onExpired: (purpose: ClockPurpose) => void;
}

/** One deadline with a purpose. */
export class VisitorClock {
  purpose: ClockPurpose = "silence";
  readonly #limits: ServerLimits;
  readonly #outlet: SocketOutlet;
  readonly #deadline: Deadline;
  readonly #onExpired: (purpose: ClockPurpose) => void;
  #pendingAtExpiry = 0;

  constructor(options: VisitorClockOptions) {
    this.#limits = options.edge.limits;
    this.#outlet = options.outlet;
    this.#onExpired = options.onExpired;
    this.#deadline = options.edge.runtime.deadlines.create(() => this.#expired());
  }

  /** Starts over, for `purpose`. */
  start(purpose: ClockPurpose): void {
    this.purpose = purpose;
    this.#deadline.arm(this.#limits[limitOf[purpose]]);
  }

  /** Ends for good. */
  stop(reason: string): void {
    this.#deadline.dispose(reason);
  }

  #expired(): void {
    const pending = this.#outlet.pendingBytes;
    const moved = pending > 0 && pending !== this.#pendingAtExpiry;
    this.#pendingAtExpiry = pending;
    if (moved && flushing.has(this.purpose)) this.start(this.purpose);
    else this.#onExpired(this.purpose);
  }
}
