// Tells open live pages how the role does, once per second, by server-sent events. Readings are made once for all pages and
// only while there is one. It promises bounded memory: pages are few, a page that has not taken the last frame gets no
// further one, and one that takes nothing for long is cut by the listener.

import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Deadline, Deadlines } from "../lifecycle/deadlines.ts";
import type { LiveFrame } from "./live-frame.ts";
import type { LiveReading, LiveSubject } from "./live-meter.ts";
import { aboutOf, heapOf, LiveMeter } from "./live-meter.ts";

/** How often pages are told, in milliseconds. */
export const frameMs = 1_000;
/** How many pages may be open at once. */
export const maxPages = 16;

/** Options of {@link LiveFeed}. */
export interface LiveFeedOptions {
  readonly subject: LiveSubject;
  readonly deadlines: Deadlines;
  /** Hears of a reading that threw; the pages are let go of, and may come back. */
  readonly onFault: (error: unknown) => void;
}

/** A page that is to be told. */
export interface Page {
  readonly response: ServerResponse;
  /** Whether whoever opened it may still look: false once the cookie has expired. */
  readonly permitted: () => boolean;
}

/** An open page. `full`: it has missed something, or seen nothing yet. */
interface Reader extends Page {
  full: boolean;
}

/** All open pages of one listener. */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  readonly #readers = new Set<Reader>();
  readonly #tick: Deadline;
  readonly #instance: string = randomUUID();
  #meter: LiveMeter | undefined;
  #latest: LiveReading | undefined;
  /** The bytes of the latest reading with everything in it, made when somebody needs them. */
  #fullEvent: Buffer | undefined;
  #closed = false;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#tick = options.deadlines.create(this.#onTick);
  }

  /** How many pages are open. */
  get size(): number {
    return this.#readers.size;
  }

  /** Whether another page may be opened. */
  get hasRoom(): boolean {
    return !this.#closed && this.#readers.size < maxPages;
  }

  /** Tells a page until it leaves; resolves then. The head of the response must have been written. */
  tell(page: Page): Promise<void> {
    const { response } = page;
    if (!this.hasRoom || response.destroyed) {
      response.end();
      return Promise.resolve();
    }
    const reader: Reader = { ...page, full: true };
    this.#readers.add(reader);
    return new Promise((resolve) => {
      response.once("close", () => {
        this.#drop(reader);
        resolve();
      });
      this.#start();
      this.#offer(reader, undefined);
    });
  }

  /** Ends every page's stream and lets go of everything. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#endAll();
    this.#stop();
    this.#tick.dispose("closed");
  }

  readonly #onTick = (): void => {
    this.#tick.arm(frameMs);
    const before = this.#latest;
    this.#read();
    const changes = this.#latest && eventOf(this.#frame(this.#latest, before));
    for (const reader of this.#readers) {
      if (reader.permitted()) this.#offer(reader, changes);
      else reader.response.end();
    }
  };

  #start(): void {
    if (this.#meter) return;
    this.#meter = new LiveMeter(this.#options.subject);
    this.#tick.arm(frameMs);
    this.#read();
  }

  #stop(): void {
    this.#tick.disarm();
    this.#meter?.dispose();
    this.#meter = undefined;
    this.#latest = undefined;
    this.#fullEvent = undefined;
  }

  #read(): void {
    this.#fullEvent = undefined;
    try {
      this.#latest = this.#meter?.read();
    } catch (error) {
      this.#latest = undefined;
      this.#options.onFault(error);
      this.#endAll();
    }
  }

  /** Writes the changes, or everything; nothing while the frame before is still on its way. */
  #offer(reader: Reader, changes: Buffer | undefined): void {
    const { response } = reader;
    if (response.writableEnded) return;
    if (response.writableNeedDrain) {
      reader.full = true;
      return;
    }
    const event = reader.full ? this.#full() : changes;
    if (!event) return;
    reader.full = false;
    response.write(event);
  }

  #full(): Buffer | undefined {
    if (this.#latest) this.#fullEvent ??= eventOf(this.#frame(this.#latest, undefined));
    return this.#fullEvent;
  }

  /** The latest reading with what has changed since the one before. */
  #frame(reading: LiveReading, before: LiveReading | undefined): LiveFrame {
    const { subject } = this.#options;
    const { now, heapVersion, arrivalsVersion } = reading;
    return {
      now,
      ...(!before && { about: aboutOf(subject, this.#instance) }),
      ...(before?.heapVersion !== heapVersion && { heap: heapOf(subject.live) }),
      ...(before?.arrivalsVersion !== arrivalsVersion && { arrivals: subject.live.arrivals.latest() }),
    };
  }

  #endAll(): void {
    for (const { response } of this.#readers) response.end();
  }

  #drop(reader: Reader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.#stop();
  }
}

function eventOf(frame: LiveFrame): Buffer {
  return Buffer.from(`data: ${JSON.stringify(frame)}\n\n`);
}
