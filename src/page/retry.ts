// How long the page waits before it asks again. Pure.

const firstMs = 500;
const longestMs = 15_000;
/** A tenth more or less, so that many pages do not come back in the same moment. */
const spread = 0.1;

/** The wait after so many failures in a row (1 for the first), in milliseconds. `random` is in [0, 1). */
export function retryMs(failures: number, random: number): number {
  const base = Math.min(longestMs, firstMs * 2 ** Math.max(0, failures - 1));
  return Math.round(base * (1 - spread + 2 * spread * random));
}
