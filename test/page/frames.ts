// Frames of the live page, made up.

import type { LiveKind, LiveNow } from "../../src/admin/live-frame.ts";

/** A frame of this time, with so many requests per second. */
export function frameAt(atMs: number, requestsPerSecond: number): LiveNow {
  const memory = { rss: 4, heapUsed: 3, heapTotal: 3, heapLimit: 9, heapFloor: null, external: 0, arrayBuffers: 0 };
  return {
    atMs,
    uptimeSeconds: 1,
    unready: null,
    logLevel: "info",
    traffic: {
      requestsPerSecond,
      failuresPerSecond: 0,
      bytesInPerSecond: 0,
      bytesOutPerSecond: 0,
      p50Ms: null,
      p99Ms: null,
    },
    loop: null,
    memory,
    majorGcs: 0,
    fds: null,
    kinds: {},
    retained: [],
    tunnels: { total: 0, rows: [] },
    forecast: null,
  };
}

/** A kind whose ledgers agree, but for what is given. */
export function kindWith(given: Partial<LiveKind> = {}): LiveKind {
  return {
    opened: 5,
    closed: 3,
    live: 2,
    held: 2,
    uncollected: 0,
    retained: 0,
    collectedUnclosed: 0,
    oldestSeconds: 1,
    watchedOneIn: 1,
    ...given,
  };
}
