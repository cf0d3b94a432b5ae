// Whether the machine had time for a run: how late the gate's own event loop came, and on Linux how long the processes of the
// run were ready and waited for a processor, which no fault of theirs explains. It decides nothing by itself.

import { readFileSync } from "node:fs";
import type { IntervalHistogram } from "node:perf_hooks";
import { monitorEventLoopDelay } from "node:perf_hooks";

/** Processor time of a main thread since it began, in milliseconds. */
export interface ProcessorTime {
  readonly ranMs: number;
  /** Ready to run, and not running. */
  readonly waitedMs: number;
}

/** The gate's event loop does next to nothing; when it comes so late, everything does. Milliseconds. */
const lateMs = 1_000;
/** A process that waited so long, and longer than it ran, could not keep deadlines of some seconds. */
const waitedMs = 1_500;
const nanosecondsPerMs = 1_000_000;

/** Watches the processes of a run from outside. */
export class MachineNoise {
  readonly #pids: Readonly<Record<string, number>>;
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 20 });
  #before: Readonly<Record<string, ProcessorTime>> = {};

  /** @param pids by what sentences call the processes */
  constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = pids;
    this.#delay.enable();
    this.begin();
  }

  /** What is asked for from now on is what happens from now on. */
  begin(): void {
    this.#delay.reset();
    this.#before = this.#read();
  }

  /** What was seen since {@link begin} that may break deadlines, as half a sentence; undefined if nothing. */
  seen(): string | undefined {
    return noiseIn({ lateMs: this.#delay.max / nanosecondsPerMs, before: this.#before, after: this.#read() });
  }

  /** Stops watching. */
  close(): void {
    this.#delay.disable();
  }

  #read(): Record<string, ProcessorTime> {
    const times: Record<string, ProcessorTime> = {};
    for (const [title, pid] of Object.entries(this.#pids)) {
      const time = processorTimeOf(pid);
      if (time) times[title] = time;
    }
    return times;
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
    const ran = now.ranMs - then.ranMs;
    const waited = now.waitedMs - then.waitedMs;
    if (waited < waitedMs || waited < ran) continue;
    seen.push(`${title} ran for ${seconds(ran)} and waited ${seconds(waited)} for a processor`);
  }
  return seen.length === 0 ? undefined : seen.join(", ");
}

/** Of the main thread; undefined where the system does not tell. */
function processorTimeOf(pid: number): ProcessorTime | undefined {
  try {
    const [ran, waited] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ").map(Number);
    if (ran === undefined || waited === undefined) return undefined;
    return { ranMs: ran / nanosecondsPerMs, waitedMs: waited / nanosecondsPerMs };
  } catch {
    return undefined; // Not Linux, or it is gone.
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
