// What every check of the verdict is given: the samples, what growth is counted against, and how patient to be. Plain data.

import { axisOf, type Axis } from "./axis.ts";
import type { Finding } from "./finding.ts";
import type { Growth } from "./growth.ts";
import { idleGrowthOf, type IdleGrowth } from "./idle-growth.ts";
import type { Sample } from "./sample.ts";

/** Options of a verdict. */
export interface JudgeOptions {
  /** Major version of the Node that was measured; the tolerance of the heap depends on it. */
  readonly nodeMajor: number;
  /** True when no more rounds will follow: then what can be said is said. */
  readonly final: boolean;
  /**
   * Whether a final verdict is as patient as any other, because the run was cut short or because nobody knows what fills up. Else
   * it is thought that whoever planned so few rounds wants to know what grew in them. Default false.
   */
  readonly keepsPatience?: boolean;
  /** False for a run with the default JIT, whose heap grows in healthy servers too: its slopes are shown and never gate. Default true. */
  readonly heapGates?: boolean;
  /** Bytes of heap per connection that still count as nothing. Default by Node's version: 4, and 6 on Node 20. */
  readonly heapTolerance?: number;
  /** Connections (or requests) before a growing container counts as a leak and not as a cache that fills. Default 2,000. */
  readonly patience?: number;
  /** Milliseconds of measuring before the same. Default 0 where ledgers say what is quiescent, 35,000 (timers of 30 s) elsewhere. */
  readonly patienceMs?: number;
  /** Readings that were taken one after the other without any work between; see idle-growth.ts. Default none. */
  readonly idle?: readonly Sample[];
}

/** The case before the checks. */
export interface Judging {
  /** Warm-up and measured samples. */
  readonly all: readonly Sample[];
  readonly measured: readonly Sample[];
  /** Index of the baseline in `all`. */
  readonly start: number;
  /** Positions of the measured samples. */
  readonly axis: Axis;
  readonly options: JudgeOptions;
  /** How things moved while nobody came, where that was measured. */
  readonly idle: IdleGrowth | undefined;
  /** Enough was measured to tell a leak from something that fills up. */
  readonly patient: boolean;
}

/** What a check found. */
export interface Findings {
  readonly leaks: Finding[];
  readonly warnings: Finding[];
  readonly doubts: Finding[];
}

/** Sorts samples into warm-up and measuring. */
export function judgingOf(samples: readonly Sample[], options: JudgeOptions): Judging {
  const found = samples.findIndex((sample) => sample.phase === "measure");
  const start = found === -1 ? samples.length : found;
  const measured = samples.slice(start);
  const axis = axisOf(measured);
  const knowsLedgers = measured.some((sample) => sample.kinds !== undefined);
  const { patience = 2000, patienceMs = knowsLedgers ? 0 : 35_000, final, keepsPatience = false } = options;
  const elapsedMs = (measured.at(-1)?.atMs ?? 0) - (measured[0]?.atMs ?? 0);
  const enough = axis.unit === "round" || axis.span >= patience;
  return {
    all: samples,
    measured,
    start,
    axis,
    options,
    idle: idleGrowthOf(options.idle ?? []),
    patient: (final && !keepsPatience) || (enough && elapsedMs >= patienceMs),
  };
}

/** The round of a measured sample. */
export function roundAt(judging: Judging, index: number): number {
  return judging.measured[index]?.round ?? 0;
}

/**
 * The first round whose sample shows a growth. One that was there from the first measured round on is followed back into
 * the warm-up for as long as it went at half its rate or more.
 * @param values the series over all samples, warm-up included
 */
export function sinceRound(judging: Judging, values: readonly number[], growth: Growth): number {
  const { all, start, axis } = judging;
  let index = start + growth.since;
  if (growth.since <= 1) {
    while (index > 0) {
      const run = position(all[index], axis.unit) - position(all[index - 1], axis.unit);
      const rise = (values[index] ?? 0) - (values[index - 1] ?? 0);
      if (rise <= 0 || rise < (growth.perUnit * run) / 2) break;
      index--;
    }
    // The sample at `index` is the last without the growth, unless the walk never began.
    if (index < start + growth.since) index++;
  }
  return all[index]?.round ?? 0;
}

function position(sample: Sample | undefined, unit: Axis["unit"]): number {
  if (sample === undefined) return 0;
  if (unit === "connection") return sample.connections;
  return unit === "request" ? sample.requests : sample.round;
}
