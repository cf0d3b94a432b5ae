// All timers of Caisson: one wheel per role, turned by one interval that runs only while something is armed.
// It promises that a deadline never fires early, at most two ticks late, and that time during which the event loop
// stood still does not count: after a gap every deadline moves by the gap, so that what peers sent meanwhile is read first.

import type { TunnelEvents } from "./events.ts";
import type { Resource } from "./resource.ts";

/** The default length of a tick, in milliseconds. */
export const defaultTickMs = 100;
/** A tick that comes later than this is a gap: the event loop was blocked, or the process stopped or asleep. Milliseconds. */
export const gapThresholdMs = 1000;

const slotCount = 256;

/** Hears of an event-loop gap (or of a sleep that only the wall clock saw) and of its length in milliseconds. */
export type GapListener = (gapMs: number) => void;

/** A place in a circular list, linked to itself when it is in none. The heads of the slots' lists are bare links. */
class Link {
  /** @internal */
  _previous: Link = this;
  /** @internal */
  _next: Link = this;
}

/**
 * One timer that is armed and disarmed any number of times, and disposed of once. Arming again is cheap (no allocation,
 * no system call), so an idle deadline may be moved for every chunk of bytes.
 */
export class Deadline extends Link implements Resource {
  readonly kind = "deadline";
  readonly openedAtMs: number = performance.now();
  /** @internal The tick at which it fires; 0 while disarmed. */
  _dueTick = 0;
  /** @internal The tick whose slot it is linked in; at most `_dueTick`, for a later due time is noticed lazily. */
  _slotTick = 0;
  #wheel: Deadlines | undefined;
  #onExpired: (() => void) | undefined;

  /** @internal Made by {@link Deadlines.create} only. */
  constructor(wheel: Deadlines, onExpired: () => void) {
    super();
    this.#wheel = wheel;
    this.#onExpired = onExpired;
  }

  /** Whether it will fire. */
  get armed(): boolean {
    return this._dueTick !== 0;
  }

  /** (Re)starts it to fire once, `afterMs` milliseconds of a running event loop from now. Does nothing once disposed. */
  arm(afterMs: number): void {
    this.#wheel?._arm(this, afterMs);
  }

  /** Stops it; it can be armed again. */
  disarm(): void {
    this.#wheel?._disarm(this);
  }

  /** Releases it for good. Idempotent. */
  dispose(reason = "disposed"): void {
    const wheel = this.#wheel;
    if (!wheel) return;
    this.#wheel = undefined;
    this.#onExpired = undefined;
    wheel._remove(this, reason);
  }

  /** @internal */
  _fire(): void {
    this.#onExpired?.();
  }
}

/** Options of {@link Deadlines}. */
export interface DeadlinesOptions {
  readonly events: TunnelEvents;
  /** Length of a tick in milliseconds: 10 to 1000, default {@link defaultTickMs}. */
  readonly tickMs?: number;
}

/** The timer wheel of one role. */
export class Deadlines {
  readonly #events: TunnelEvents;
  readonly #tickMs: number;
  readonly #slots: Link[];
  readonly #gapListeners = new Set<GapListener>();
  #created = 0;
  #armed = 0;
  #tick = 1;
  #interval: NodeJS.Timeout | undefined;
  #lastTurnMs = 0;
  #lastWallMs = 0;

  constructor(options: DeadlinesOptions) {
    this.#events = options.events;
    this.#tickMs = options.tickMs ?? defaultTickMs;
    this.#slots = Array.from({ length: slotCount }, () => new Link());
  }

  /** How many deadlines exist (armed or not) that were not disposed of. */
  get size(): number {
    return this.#created;
  }

  /** How many are armed. The process stays alive while this is above zero. */
  get armed(): number {
    return this.#armed;
  }

  /** Creates a disarmed deadline; the caller owns it and must {@link Deadline.dispose} of it. */
  create(onExpired: () => void): Deadline {
    const deadline = new Deadline(this, onExpired);
    this.#created += 1;
    this.#events.opened(deadline);
    return deadline;
  }

  /**
   * Calls `listener` after each event-loop gap above {@link gapThresholdMs}, before any deadline fires. Heard only while
   * some deadline is armed. Returns the function that removes it.
   */
  onGap(listener: GapListener): () => void {
    this.#gapListeners.add(listener);
    return () => void this.#gapListeners.delete(listener);
  }

  /** How many listeners wait for gaps. */
  get gapListeners(): number {
    return this.#gapListeners.size;
  }

  /** @internal */
  _arm(deadline: Deadline, afterMs: number): void {
    if (!this.#interval) this.#start();
    // One tick more than the quotient, because the current tick is partly over.
    const dueTick = this.#tick + Math.max(1, Math.ceil(afterMs / this.#tickMs)) + 1;
    if (!deadline.armed) this.#armed += 1;
    deadline._dueTick = dueTick;
    if (deadline._next !== deadline && deadline._slotTick <= dueTick) return;
    unlink(deadline);
    this.#link(deadline);
  }

  /** @internal */
  _disarm(deadline: Deadline): void {
    if (!deadline.armed) return;
    deadline._dueTick = 0;
    unlink(deadline);
    this.#armed -= 1;
    if (this.#armed === 0) this.#stop();
  }

  /** @internal */
  _remove(deadline: Deadline, reason: string): void {
    this._disarm(deadline);
    this.#created -= 1;
    this.#events.closed(deadline, reason);
  }

  #link(deadline: Deadline): void {
    deadline._slotTick = deadline._dueTick;
    const head = this.#slots[deadline._dueTick % slotCount];
    if (head) linkBefore(head, deadline);
  }

  #start(): void {
    this.#lastTurnMs = performance.now();
    this.#lastWallMs = Date.now();
    this.#interval = setInterval(() => this.#turn(), this.#tickMs);
  }

  #stop(): void {
    clearInterval(this.#interval);
    this.#interval = undefined;
  }

  #turn(): void {
    const nowMs = performance.now();
    const wallMs = Date.now();
    const elapsedMs = nowMs - this.#lastTurnMs;
    // The monotonic clock of Linux and macOS stands still while the machine sleeps; the wall clock does not.
    const sleptMs = wallMs - this.#lastWallMs - elapsedMs;
    this.#lastWallMs = wallMs;
    const gapMs = Math.max(elapsedMs - this.#tickMs, sleptMs);
    if (gapMs > gapThresholdMs) {
      this.#lastTurnMs = nowMs;
      for (const listener of this.#gapListeners) this.#guard(() => listener(gapMs));
      this.#advance();
      return;
    }
    const ticks = Math.max(1, Math.floor(elapsedMs / this.#tickMs));
    // The remainder is kept, so that ticks do not fall behind the clock.
    this.#lastTurnMs += Math.min(elapsedMs, ticks * this.#tickMs);
    for (let n = 0; n < ticks; n += 1) this.#advance();
  }

  #advance(): void {
    this.#tick += 1;
    const head = this.#slots[this.#tick % slotCount];
    if (!head || head._next === head) return;
    // The slot's list moves to a head of its own first: what fires may link and unlink at will.
    const due = new Link();
    due._next = head._next;
    due._previous = head._previous;
    due._next._previous = due;
    due._previous._next = due;
    head._next = head;
    head._previous = head;
    while (due._next instanceof Deadline) {
      const deadline = due._next;
      unlink(deadline);
      if (deadline._dueTick > this.#tick) this.#link(deadline);
      else {
        this._disarm(deadline);
        this.#guard(() => deadline._fire());
      }
    }
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#events.faulted("deadline", error);
    }
  }
}

function linkBefore(head: Link, link: Link): void {
  link._previous = head._previous;
  link._next = head;
  head._previous._next = link;
  head._previous = link;
}

function unlink(link: Link): void {
  link._previous._next = link._next;
  link._next._previous = link._previous;
  link._previous = link;
  link._next = link;
}
