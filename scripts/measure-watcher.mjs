// What: what the ledgers cost: bytes per watched object, and nanoseconds per open and close, watched and sampled.
// When: after a change in src/leaks; the budget is 300 bytes, and 1 % of the CPU of a request (about 500 ns).
// Example: npm run build && node scripts/measure-watcher.mjs

import { Ledger } from "../dist/src/leaks/ledger.js";
import { GcClock } from "../dist/src/leaks/gc-clock.js";
import { CollectionWatcher } from "../dist/src/leaks/watcher.js";

const objects = 100_000;
const rounds = 9;

const sampleOf = (kind) => ({ kind, openedAtMs: performance.now() });

const clock = new GcClock();
console.log(`bytes per watched object: ${(await bytesPerObject()).toFixed(0)}`);
const bare = await nanoseconds([]);
const variants = {
  ledger: () => [new Ledger()],
  "watcher, all": () => [new CollectionWatcher({ clock, watchAll: true })],
  "watcher, sampled": () => [new CollectionWatcher({ clock })],
};
for (const [name, subscribers] of Object.entries(variants)) {
  const cost = (await nanoseconds(subscribers())) - bare;
  console.log(`nanoseconds per open and close, ${name}: ${cost.toFixed(0)}`);
}
clock.dispose();

/** The median over rounds of what watching adds to the heap, beside the objects themselves. */
async function bytesPerObject() {
  const found = [];
  for (let round = 0; round < rounds; round += 1) {
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

/** The median over rounds of the CPU time for one open and close of an exchange; 50 of them per turn of the event loop. */
async function nanoseconds(subscribers) {
  const found = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = process.cpuUsage();
    for (let done = 0; done < objects; done += 50) {
      exchanges(subscribers, 50);
      await new Promise(setImmediate);
    }
    const { user, system } = process.cpuUsage(before);
    found.push(((user + system) * 1000) / objects);
  }
  return median(found);
}

function exchanges(subscribers, count) {
  for (let n = 0; n < count; n += 1) {
    const sample = sampleOf("exchange");
    for (const subscriber of subscribers) subscriber.opened(sample);
    for (const subscriber of subscribers) subscriber.closed(sample, "done");
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
