// Seeds: each request makes an `AbortSignal.any([shutdown, own])` and listens to it. The signal for the shutdown lives as
// long as the server, and keeps each combined signal that somebody listens to.
// Real case: nodejs/node #54614 and #55351.
// Rate: one signal, and the exchange in its listener's closure, per request. Seen by: alive (exchange), objects, heap.

import { Exchange } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const shutdown = new AbortController();
let combined = 0;

/** How many signals were combined. */
export function seeded(): number {
  return combined;
}

patch(Exchange, "begin", function begin(original) {
  combined += 1;
  const signal = AbortSignal.any([shutdown.signal, new AbortController().signal]);
  signal.addEventListener("abort", () => this.abort("internal"), { once: true });
  original();
});
