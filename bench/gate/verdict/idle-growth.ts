// What grows although nobody comes: a ring that keeps a value for each second, or for each collection. Before a leak is
// called one by counts of the census or by memory alone, and before a run ends in doubt of nothing else, the process is read
// some times without any work between, long after the last client, and what grew there explains as much of the growth in the
// run. Pure; it knows no series by name.

import type { Finding, LedgerName, Verdict } from "./finding.ts";
import type { Sample } from "./sample.ts";
import { censusSeries, countSeries, hasCensus, memorySeries } from "./series.ts";
import { theilSen } from "./theil-sen.ts";

/** Readings without work that are taken. */
export const idleReadings = 6;

/** Growth of which idle readings explain this part is no growth by connection. Collections are rarer there than under load. */
const explainedShare = 1 / 3;

/**
 * Between two readings at least, in milliseconds: what happens once a second happens among them. At most so much for what grew
 * rarely: what happens once in ten seconds happens three times among them.
 */
const leastBetweenMs = 500;
const mostBetweenMs = 6_000;

/** So many entries must have been due among the readings, had time been why it grew: then none of them says that it was not. */
const leastDue = 5;
/** The same of memory, in bytes: some times what readings of it differ by. */
const leastDueBytes = 2_560;

/** A ring may be as long as this; what grows by itself and longer is a leak too. */
const longestRing = 4_096;

/** The same in bytes of heap. */
const largestRing = 1_048_576;

/** Ledgers in which a ring shows. Each other ledger has its twin or its owner. */
const ringLedgers: ReadonlySet<LedgerName> = new Set(["objects", "listeners", "probe", "heap", "external"]);

/** How series moved while nobody came; by `LEDGER SUBJECT`, and `memory NAME`. */
export interface IdleGrowth {
  readonly atMs: readonly number[];
  readonly series: ReadonlyMap<string, readonly number[]>;
}

/** Of readings that were taken without work between. Fewer than three tell nothing. */
export function idleGrowthOf(samples: readonly Sample[]): IdleGrowth | undefined {
  if (samples.length < 3 || !samples.every(hasCensus)) return undefined;
  const counts = [...countSeries(samples), ...censusSeries(samples)];
  return {
    atMs: samples.map(({ atMs }) => atMs),
    series: new Map([
      ...counts.map(({ ledger, subject, values }) => [`${ledger} ${subject}`, values] as const),
      ...[...memorySeries(samples)].map(([name, values]) => [`memory ${name}`, values] as const),
    ]),
  };
}

/** Whether idle readings could tell that what was found is no leak, or, once no more rounds follow, what a doubt comes from. */
export function idleCouldTell({ outcome, findings, doubts }: Verdict, { final }: { readonly final: boolean }): boolean {
  const accusing = outcome === "undecided" && final ? doubts : findings;
  return accusing.length > 0 && accusing.every(({ ledger }) => ringLedgers.has(ledger));
}

/**
 * How long to wait between two readings, in milliseconds. What is found most of decides: as long as that is no ring, it is a leak
 * (or a doubt).
 * @param samples those that the verdict is of
 */
export function betweenIdleMs({ findings, doubts, connections }: Verdict, samples: readonly Sample[]): number {
  const accusing = findings.length > 0 ? findings : doubts;
  const measured = samples.filter(({ phase }) => phase === "measure");
  const ms = (measured.at(-1)?.atMs ?? 0) - (measured[0]?.atMs ?? 0);
  const neededMs = (of: readonly Finding[], due: number): number => {
    const rise = Math.max(0, ...of.map(({ perConnection }) => perConnection * connections));
    return rise === 0 ? 0 : (due * ms) / (rise * explainedShare);
  };
  const isMemory = ({ ledger }: Finding): boolean => ledger === "heap" || ledger === "external";
  const counts = accusing.filter((finding) => !isMemory(finding));
  const needed = Math.max(neededMs(counts, leastDue), neededMs(accusing.filter(isMemory), leastDueBytes));
  return Math.min(mostBetweenMs, Math.max(leastBetweenMs, needed / (idleReadings - 1)));
}

/** Growth over the measured samples. */
export interface MeasuredGrowth {
  readonly ledger: LedgerName;
  /** `LEDGER SUBJECT`, or `memory NAME`. */
  readonly name: string;
  readonly rise: number;
  readonly samples: readonly Sample[];
  /** Of a doubt, which only what certainly grows may take away. Default false. */
  readonly inDoubt?: boolean;
}

/** Whether what grew may be a ring that still fills: it grows without work too, by time or by reading, and is not long. */
export function mayBeRing(
  idle: IdleGrowth | undefined,
  { ledger, name, rise, samples, inDoubt = false }: MeasuredGrowth,
): boolean {
  const values = idle?.series.get(name);
  if (idle === undefined || values === undefined || !ringLedgers.has(ledger)) return false;
  if (rise > (name.startsWith("memory ") ? largestRing : longestRing)) return false;
  const ms = (samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0);
  const slopeOver = (xs: readonly number[]): number => {
    const fitted = theilSen(xs, values);
    return fitted === undefined || (inDoubt && fitted.interval[0] <= 0) ? 0 : fitted.slope;
  };
  const perMs = slopeOver(idle.atMs);
  const perReading = slopeOver(values.map((_, index) => index));
  return Math.max(perMs * ms, perReading * (samples.length - 1)) >= explainedShare * rise;
}
