// Turns samples into named series, for the checks and for the plots. A series that some sample lacks is absent, never padded;
// a name that appears late in a reading of counts was zero before.

import type { LedgerName } from "./finding.ts";
import type { Sample } from "./sample.ts";

/** One number at every sample. */
export interface Series {
  readonly ledger: LedgerName;
  /** What is counted, as findings name it. */
  readonly subject: string;
  readonly values: readonly number[];
}

type Counts = Readonly<Record<string, number>>;

/** Every series of exact counts that all samples have, except those of resource kinds. */
export function countSeries(samples: readonly Sample[]): Series[] {
  return [
    ...each("fds", samples, (sample) => sample.fds),
    ...each("handles", samples, (sample) => sample.handles),
    ...each("probe", samples, (sample) => sample.probes),
    ...each("operations", samples, pendingOperations),
    ...each("series", samples, (sample) =>
      sample.series === undefined ? undefined : { "series of /metrics": sample.series },
    ),
  ];
}

/** What a census counts, of samples that all have one. */
export function censusSeries(samples: readonly Sample[]): Series[] {
  return [
    ...each("listeners", samples, (sample) => sample.listeners),
    ...each("probe", samples, (sample) => sample.containers),
    ...each("objects", samples, (sample) => sample.objects),
  ];
}

/** The samples, those without a census with the last one before them: for plots. */
export function carried(samples: readonly Sample[]): Sample[] {
  let last = samples.find(hasCensus);
  return samples.map((sample) => {
    if (hasCensus(sample)) last = sample;
    const { objects, listeners, containers } = last ?? {};
    return {
      ...sample,
      ...(objects && { objects }),
      ...(listeners && { listeners }),
      ...(containers && { containers }),
    };
  });
}

/** Whether a sample has a census. */
export function hasCensus({ objects }: Sample): boolean {
  return objects !== undefined;
}

/** One number of every resource kind. Where a kind's number is unknown in some sample, the kind is absent. */
export function kindSeries(
  samples: readonly Sample[],
  field: "live" | "held" | "uncollected" | "retained" | "collectedUnclosed",
): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const kind of Object.keys(samples.at(-1)?.kinds ?? {})) {
    const values = present(samples.map((sample) => sample.kinds?.[kind]?.[field]));
    if (values !== undefined) found.set(kind, values);
  }
  return found;
}

/** Memory by name: heapUsed, external, arrayBuffers, rss, and `space:NAME` for each heap space, in bytes. */
export function memorySeries(samples: readonly Sample[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  if (samples.length === 0) return found;
  for (const name of ["heapUsed", "external", "arrayBuffers", "rss"] as const) {
    found.set(
      name,
      samples.map((sample) => sample.memory[name]),
    );
  }
  for (const { subject, values } of each("heap", samples, (sample) => sample.memory.heapSpaces)) {
    found.set(`space:${subject}`, [...values]);
  }
  return found;
}

function pendingOperations(sample: Sample): Counts | undefined {
  if (sample.operations === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(sample.operations).flatMap(([name, { pending, abandoned }]) => [
      [`${name} pending`, pending],
      [`${name} abandoned`, abandoned],
    ]),
  );
}

function each(ledger: LedgerName, samples: readonly Sample[], read: (sample: Sample) => Counts | undefined): Series[] {
  const readings = present(samples.map(read));
  if (readings === undefined) return [];
  const names = new Set(readings.flatMap((reading) => Object.keys(reading)));
  return [...names].toSorted().map((subject) => ({
    ledger,
    subject,
    values: readings.map((reading) => reading[subject] ?? 0),
  }));
}

/** The list itself if nothing in it is missing. */
function present<T>(list: readonly (T | null | undefined)[]): T[] | undefined {
  const found = list.filter((value): value is T => value !== undefined && value !== null);
  return found.length === list.length && found.length > 0 ? found : undefined;
}
