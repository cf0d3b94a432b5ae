// Healthy: every 250 ms the process notes how much memory it has, and keeps the last 4,000 notes.
// Must not be reported: no run of minutes fills such a ring, so it grows to the end; but it grows with time, and not with
// connections.

const everyMs = 250;
const cap = 4_000;

interface Note {
  readonly atMs: number;
  readonly bytes: number;
}

const notes: Note[] = [];
let taken = 0;

/** How many notes were taken. */
export function seeded(): number {
  return taken;
}

setInterval(() => {
  taken += 1;
  notes.push({ atMs: performance.now(), bytes: process.memoryUsage.rss() });
  if (notes.length > cap) notes.shift();
}, everyMs).unref();
