// What: what the ledgers cost: bytes per watched object, and nanoseconds per open and close, watched and sampled.
// When: after a change in src/leaks; the budget is 300 bytes, and 1 % of the CPU of a request (about 500 ns).
// Example: npm run build && node scripts/measure-watcher.mjs

import { Ledger } from "../dist/src/leaks/ledger.js";
import { GcClock } from "../dist/src/leaks/gc-clock.js";
import { CollectionWatcher } from "../dist/src/leaks/watcher.js";

const objects = 100_000;
const batch = 50;
const rounds = 15;

const sampleOf = (kind) => ({ kind, openedAtMs: performance.now() });

const clock = new GcClock();
console.log(`bytes per watched object: ${(await bytesPerObject()).toFixed(0)}`);
const variants = {
  bare: [],
  ledger: [new Ledger()],
  "watcher, sampled": [new CollectionWatcher({ clock })],
  "watcher, all": [new CollectionWatcher({ clock, watchAll: true })],
};
const { bare, ...costs } = await nanoseconds();
for (const [name, cost] of Object.entries(costs)) {
  console.log(`nanoseconds per open and close, ${name}: ${(cost - bare).toFixed(0)}`);
}
clock.dispose();

/** The median over rounds of what watching adds to the heap, beside the objects themselves. */
async function bytesPerObject() {
  const found = [];
  for (let round = 0; round < 5; round += 1) {
    const watcher = new CollectionWatcher({ clock, watchAll: true });
    const samples = Array.from({ length: objects }, () => sampleOf("session"));
    const before = (await clock.force()).after.heapUsed;
    for (const sample of samples) watcher.opened(sample);
    const after = (await clock.force()).after.heapUsed;
    if (samples.length !== watcher.size) throw new Error("a sample was collected while it was referred to");
    found.push((after - before) / objects);
    watcher.dispose();
  }
  return median(found);
}

/** Per variant the median CPU time of one open and close; rounds are interleaved, because machines change their speed. */
async function nanoseconds() {
  const found = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, subscribers] of Object.entries(variants)) {
      const before = process.cpuUsage();
      for (let done = 0; done < objects; done += batch) {
        exchanges(subscribers);
        await new Promise(setImmediate);
      }
      const { user, system } = process.cpuUsage(before);
      found[name].push(((user + system) * 1000) / objects);
    }
  }
  return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, median(values)]));
}

/** One turn's worth. */
function exchanges(subscribers) {
  for (let n = 0; n < batch; n += 1) {
    const sample = sampleOf("exchange");
    for (const subscriber of subscribers) subscriber.opened(sample);
    for (const subscriber of subscribers) subscriber.closed(sample, "done");
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
