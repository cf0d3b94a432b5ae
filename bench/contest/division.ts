// The words of a contest: divisions, in which contestants stand in front of one target and are measured by scenarios.

import type { Contestant, Standing } from "../contestants/contestant.ts";
import type { Target } from "../targets/target.ts";

/** Figures of one measurement, by metric; a metric that is not there could not be measured. */
export type Figures = Readonly<Partial<Record<MetricName, number>>>;

/** Everything that is measured. */
export type MetricName = keyof typeof metrics;

/** What the figures are called in tables. */
export const metrics = {
  requestsPerSecond: "requests/s",
  cpuUsPerRequest: "CPU us per request",
  p50Ms: "p50, ms",
  p99Ms: "p99, ms",
  megabytesPerSecond: "MB/s",
  cpuSecondsPerGib: "CPU s per GiB",
  peakMib: "peak RSS, MiB",
  messagesPerSecond: "messages/s",
  cpuUsPerMessage: "CPU us per message",
  firstByteMs: "time to first byte on a new connection, ms",
} as const;

/** One thing to be measured. */
export interface Scenario {
  readonly name: string;
  /** Measured in so many rounds of the run. */
  readonly rounds: number;
  /** Done once before the first round, until code is compiled and connections stand. */
  readonly warm?: (standing: Standing) => Promise<void>;
  readonly measure: (standing: Standing) => Promise<Figures>;
}

/** Contestants that are compared with each other. */
export interface Division {
  readonly title: string;
  readonly contestants: readonly Contestant[];
  readonly startTarget: () => Promise<Target>;
  readonly scenarios: readonly Scenario[];
  readonly metrics: readonly MetricName[];
}
