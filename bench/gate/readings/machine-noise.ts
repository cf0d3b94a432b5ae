// Whether the machine had time for a run: how late the gate's own event loop came, and on Linux how long the processes of the
// run were ready and waited for a processor, or were stopped, which no fault of theirs explains. It decides nothing by itself,
// and keeps nothing alive.

import { readFileSync } from "node:fs";
import type { IntervalHistogram } from "node:perf_hooks";
import { monitorEventLoopDelay } from "node:perf_hooks";

/** Processor time of a main thread since it began, in milliseconds. */
export interface ProcessorTime {
  readonly ranMs: number;
  /** Ready to run, and not running. */
  readonly waitedMs: number;
  /** Whether somebody stopped it, as SIGSTOP does. */
  readonly stopped: boolean;
}

/** The gate's event loop does next to nothing; when it comes so late, everything does. Milliseconds. */
const lateMs = 1_000;
/** A process that waited so long, and longer than it ran, could not keep deadlines of some seconds. */
const waitedMs = 1_500;
const nanosecondsPerMs = 1_000_000;
/** It is looked at so often, because a process may be gone when it is asked about. Milliseconds. */
const lookMs = 500;

/** Watches the processes of a run from outside. */
export class MachineNoise {
  readonly #pids: Map<string, number> = new Map();
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 20 });
  readonly #timer: NodeJS.Timeout = setInterval(() => this.#look(), lookMs).unref();
  #before: Readonly<Record<string, ProcessorTime>> = {};
  #last: Readonly<Record<string, ProcessorTime>> = {};

  constructor() {
    this.#delay.enable();
  }

  /** Watches one process more, of which nothing was seen so far. */
  watch({ title, pid }: { readonly title: string; readonly pid: number }): void {
    this.#pids.set(title, pid);
    this.#before = { ...this.#before, [title]: { ranMs: 0, waitedMs: 0, stopped: false } };
  }

  /** What is asked for from now on is what happens from now on. */
  begin(): void {
    this.#delay.reset();
    this.#last = {};
    this.#look();
    this.#before = this.#last;
  }

  /** What was seen since {@link begin} that may break deadlines, as half a sentence; undefined if nothing. */
  seen(): string | undefined {
    this.#look();
    return noiseIn({ lateMs: this.#delay.max / nanosecondsPerMs, before: this.#before, after: this.#last });
  }

  /** Stops watching. */
  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  /** A process that is gone keeps what was seen of it last, and one that was stopped was stopped. */
  #look(): void {
    const times: Record<string, ProcessorTime> = { ...this.#last };
    for (const [title, pid] of this.#pids) {
      const time = processorTimeOf(pid);
      if (time) times[title] = { ...time, stopped: time.stopped || times[title]?.stopped === true };
    }
    this.#last = times;
  }
}

/** What {@link noiseIn} looks at. */
export interface NoiseReadings {
  /** The longest that the gate's event loop came late. */
  readonly lateMs: number;
  readonly before: Readonly<Record<string, ProcessorTime>>;
  readonly after: Readonly<Record<string, ProcessorTime>>;
}

/** What readings say of the machine, as half a sentence; undefined if it had time enough. Pure. */
export function noiseIn({ lateMs: late, before, after }: NoiseReadings): string | undefined {
  const seen = late >= lateMs ? [`the gate's own event loop came ${seconds(late)} late`] : [];
  for (const [title, now] of Object.entries(after)) {
    const then = before[title];
    if (!then) continue;
    if (now.stopped) seen.push(`${title} was stopped`);
    const ran = now.ranMs - then.ranMs;
    const waited = now.waitedMs - then.waitedMs;
    if (waited < waitedMs || waited < ran) continue;
    seen.push(`${title} ran for ${seconds(ran)} and waited ${seconds(waited)} for a processor`);
  }
  return seen.length === 0 ? undefined : seen.join(", ");
}

/** States of /proc/PID/stat in which nothing of a process runs because somebody wants it so. */
const stoppedStates: ReadonlySet<string | undefined> = new Set(["T", "t"]);

/** Of the main thread; undefined where the system does not tell. */
function processorTimeOf(pid: number): ProcessorTime | undefined {
  try {
    const [ran, waited] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ").map(Number);
    if (ran === undefined || waited === undefined) return undefined;
    const state = /\) (\w) /u.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
    return {
      ranMs: ran / nanosecondsPerMs,
      waitedMs: waited / nanosecondsPerMs,
      stopped: stoppedStates.has(state),
    };
  } catch {
    return undefined; // Not Linux, or it is gone.
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
