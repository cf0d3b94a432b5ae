// A model of streams over one long line, in model time: senders that always have more, a line with a rate and a queue, a
// reader that takes everything at once but for its pauses, and the real windows in front of it. Pure and repeatable.

import { GrowthBudget } from "../../src/mux/growth-budget.ts";
import type { MuxLimits } from "../../src/mux/limits.ts";
import { muxLimits } from "../../src/mux/limits.ts";
import type { Credited } from "../../src/mux/receive-windows.ts";
import { ReceiveWindows } from "../../src/mux/receive-windows.ts";
import { RoundTrip } from "../../src/mux/round-trip.ts";
import type { WindowPace } from "../../src/mux/window-pace.ts";
import { stepBytes } from "../../src/mux/window-pace.ts";
import { initialWindowBytes } from "../../src/wire/limits.ts";

/** What the line, its streams and their reader are like. */
export interface LineModelOptions {
  readonly roundTripMs: number;
  /** The line's rate. */
  readonly bytesPerMs: number;
  /** Default 1. */
  readonly streams?: number;
  /** How long the reader stands still, one pause after the other, with the same time between them. Default: never. */
  readonly pausesMs?: readonly number[];
  readonly limits?: Partial<MuxLimits>;
  readonly budget?: GrowthBudget;
}

/** One stream of the model. */
export class ModelStream implements Credited {
  _window: number = initialWindowBytes;
  _receiveCredit: number = initialWindowBytes;
  _owed = 0;
  _pace: WindowPace | undefined = undefined;
  /** What its sender may send. */
  sendable: number = initialWindowBytes;
  delivered = 0;
}

/** Between two pauses of the reader. */
const awakeMs = 50;
const pieceBytes = 16 * 1024;

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

/** The line and everything on it. */
export class LineModel {
  readonly streams: readonly ModelStream[];
  readonly windows: ReceiveWindows<ModelStream>;
  readonly limits: MuxLimits;
  /** Hears of each step of credit. */
  onStep: (stream: ModelStream) => void = () => {};
  nowMs = 0;
  /** How long the last piece had to wait in front of the line. */
  queueMs = 0;
  readonly #options: LineModelOptions;
  readonly #events = new Events();
  readonly #roundTrip = new RoundTrip();
  #pingSentMs = 0;
  #pinging = false;
  #freeAtMs = 0;
  #asleepUntilMs = 0;

  constructor(options: LineModelOptions) {
    this.#options = options;
    this.limits = muxLimits(options.limits ?? {});
    const budget = options.budget ?? new GrowthBudget(this.limits.roleGrowthBytes);
    const halfMs = options.roundTripMs / 2;
    const roundTrip = this.#roundTrip;
    roundTrip.sample(options.roundTripMs, 0);
    this.windows = new ReceiveWindows<ModelStream>(
      {
        get rttMs() {
          return roundTrip.lowestMs;
        },
        _credit: (stream, bytes) => {
          this.#after(halfMs, () => {
            stream.sendable += bytes;
            this.#send(stream);
          });
        },
        _freshenRoundTrip: (nowMs) => this.#freshen(nowMs),
      },
      this.limits,
      budget,
    );
    this.streams = Array.from({ length: options.streams ?? 1 }, () => new ModelStream());
    for (const stream of this.streams) this.#after(halfMs, () => this.#send(stream));
    let pauseMs = awakeMs;
    for (const lengthMs of options.pausesMs ?? []) {
      this.#after(pauseMs, () => (this.#asleepUntilMs = this.nowMs + lengthMs));
      pauseMs += lengthMs + awakeMs;
    }
  }

  /** Lets time pass. */
  run(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let event = this.#events.next(untilMs); event; event = this.#events.next(untilMs)) {
      this.nowMs = event.atMs;
      event.run();
    }
    this.nowMs = untilMs;
  }

  #after(ms: number, run: () => void): void {
    this.#events.add({ atMs: this.nowMs + ms, run });
  }

  /** A PING there, and its PONG back through the queue. */
  #freshen(sentMs: number): void {
    if (this.#pinging || sentMs - this.#pingSentMs < this.#roundTrip.freshenMs) return;
    this.#pinging = true;
    this.#pingSentMs = sentMs;
    this.#after(this.#options.roundTripMs / 2, () => {
      const waitMs = Math.max(0, this.#freeAtMs - this.nowMs) + this.#options.roundTripMs / 2;
      this.#after(waitMs, () => {
        this.#pinging = false;
        this.#roundTrip.sample(this.nowMs - sentMs, this.nowMs, "flowing");
      });
    });
  }

  #send(stream: ModelStream): void {
    while (stream.sendable > 0) {
      const bytes = Math.min(pieceBytes, stream.sendable);
      stream.sendable -= bytes;
      this.queueMs = Math.max(0, this.#freeAtMs - this.nowMs);
      this.#freeAtMs = Math.max(this.nowMs, this.#freeAtMs) + bytes / this.#options.bytesPerMs;
      this.#after(this.#freeAtMs - this.nowMs + this.#options.roundTripMs / 2, () => this.#arrive(stream, bytes));
    }
  }

  #arrive(stream: ModelStream, bytes: number): void {
    const asleepMs = this.#asleepUntilMs - this.nowMs;
    if (asleepMs > 0) this.#after(asleepMs, () => this.#take(stream, bytes));
    else this.#take(stream, bytes);
  }

  #take(stream: ModelStream, bytes: number): void {
    stream._receiveCredit -= bytes;
    stream.delivered += bytes;
    stream._owed += bytes;
    if (stream._owed < stepBytes(stream._window)) return;
    this.windows.grant(stream, this.nowMs);
    this.onStep(stream);
  }
}

/** What is to happen, by time, and in the order in which it was added where times are equal: a binary heap. */
class Events {
  readonly #heap: (Event & { readonly order: number })[] = [];
  #added = 0;

  add(event: Event): void {
    this.#added += 1;
    const heap = this.#heap;
    heap.push({ ...event, order: this.#added });
    for (let at = heap.length - 1; at > 0;) {
      const up = (at - 1) >>> 1;
      if (this.#before(up, at)) return;
      this.#swap(up, at);
      at = up;
    }
  }

  /** The first, if it is due by then. */
  next(untilMs: number): Event | undefined {
    const heap = this.#heap;
    const [first] = heap;
    if (!first || first.atMs > untilMs) return undefined;
    const last = heap.pop();
    if (!last || last === first) return first;
    heap[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= heap.length) return first;
      const least = left + 1 < heap.length && this.#before(left + 1, left) ? left + 1 : left;
      if (this.#before(at, least)) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (!a || !b) return true;
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (!a || !b) return;
    this.#heap[one] = b;
    this.#heap[other] = a;
  }
}
