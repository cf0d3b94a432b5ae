// Seeds: each request races its answer against a promise that settles when the process ends. Every race leaves a reaction on
// that promise, and with it the race's own promise and result.
// Real case: ChainSafe/js-libp2p-yamux #102, and every `Promise.race([longLived, ...])` in a loop (nodejs/node #17469).
// Rate: some hundred bytes per request, and no resource. Seen by: heap (or objects), later by the retaining path.

import { Exchange } from "../../src/internals.ts";
import { patch } from "./patch.ts";

let stop: () => void = () => undefined;
const stopped = new Promise<string>((resolve) => {
  stop = () => resolve("stopped");
});
let races = 0;

/** How many races were run. */
export function seeded(): number {
  return races;
}

process.once("exit", () => stop());

patch(Exchange, "begin", function begin(original) {
  races += 1;
  void Promise.race([stopped, Promise.resolve(this.method)]);
  original();
});
