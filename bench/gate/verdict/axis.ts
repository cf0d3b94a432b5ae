// What growth is counted against: connections, or requests or rounds where a run has only those. It reads samples, nothing else.

import type { Sample } from "./sample.ts";

/** The positions of samples along what was done. */
export interface Axis {
  readonly unit: "connection" | "request" | "round";
  readonly xs: readonly number[];
  /** From the first to the last sample. */
  readonly span: number;
}

/** Connections if any were made between the first and the last sample, else requests, else rounds. */
export function axisOf(samples: readonly Sample[]): Axis {
  const byConnections = along(
    "connection",
    samples.map((sample) => sample.connections),
  );
  if (byConnections.span > 0) return byConnections;
  const byRequests = along(
    "request",
    samples.map((sample) => sample.requests),
  );
  if (byRequests.span > 0) return byRequests;
  return along(
    "round",
    samples.map((sample) => sample.round),
  );
}

function along(unit: Axis["unit"], xs: readonly number[]): Axis {
  return { unit, xs, span: (xs.at(-1) ?? 0) - (xs[0] ?? 0) };
}
