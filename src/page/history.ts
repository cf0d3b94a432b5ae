// The last five minutes as series for the charts: one typed ring each, filled frame by frame. Pure, and bounded for as long
// as the page stays open.

import type { LiveNow } from "../admin/live-frame.ts";
import { Ring } from "./ring.ts";

/** How many frames are kept: five minutes of them. */
export const keptFrames = 300;
/** More time than this between two frames is a gap, in seconds. */
const gapSeconds = 4;

/** Names of the series. */
export const seriesNames = [
  "requests",
  "failures",
  "p50",
  "p99",
  "sessions",
  "tunnels",
  "heapUsed",
  "rss",
  "loopP99",
  "loopMax",
  "bytesIn",
  "bytesOut",
] as const;
/** One of {@link seriesNames}. */
export type SeriesName = (typeof seriesNames)[number];

/** Times and values of the last frames. */
export class History {
  /** Seconds since 1970, ascending. */
  readonly times: Ring = new Ring(keptFrames);
  readonly series: Readonly<Record<SeriesName, Ring>> = ringsByName();

  /** Adds one frame; after a pause the lines are broken, and a clock that went back begins anew. */
  add(now: LiveNow): void {
    const atSeconds = now.atMs / 1000;
    const { latest } = this.times;
    if (latest !== undefined && atSeconds <= latest) this.clear();
    else if (latest !== undefined && atSeconds - latest > gapSeconds) this.#push(latest + 0.001, undefined);
    this.#push(atSeconds, now);
  }

  /** Forgets everything. */
  clear(): void {
    this.times.clear();
    for (const name of seriesNames) this.series[name].clear();
  }

  #push(atSeconds: number, now: LiveNow | undefined): void {
    this.times.push(atSeconds);
    for (const name of seriesNames) this.series[name].push(now ? valueOf(name, now) : null);
  }
}

function valueOf(name: SeriesName, now: LiveNow): number | null {
  const { traffic, memory, loop, kinds } = now;
  switch (name) {
    case "requests":
      return traffic.requestsPerSecond;
    case "failures":
      return traffic.failuresPerSecond;
    case "p50":
      return traffic.p50Ms;
    case "p99":
      return traffic.p99Ms;
    case "sessions":
      return kinds.session?.live ?? 0;
    case "tunnels":
      return kinds.tunnel?.live ?? 0;
    case "heapUsed":
      return memory.heapUsed;
    case "rss":
      return memory.rss;
    case "loopP99":
      return loop?.p99Ms ?? null;
    case "loopMax":
      return loop?.maxMs ?? null;
    case "bytesIn":
      return traffic.bytesInPerSecond;
    case "bytesOut":
      return traffic.bytesOutPerSecond;
    default:
      return null;
  }
}

function ringsByName(): Record<SeriesName, Ring> {
  const ring = (): Ring => new Ring(keptFrames);
  return {
    requests: ring(),
    failures: ring(),
    p50: ring(),
    p99: ring(),
    sessions: ring(),
    tunnels: ring(),
    heapUsed: ring(),
    rss: ring(),
    loopP99: ring(),
    loopMax: ring(),
    bytesIn: ring(),
    bytesOut: ring(),
  };
}
