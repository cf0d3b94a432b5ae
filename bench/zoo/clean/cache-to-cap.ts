// Healthy: a cache that takes one entry per session and lets the oldest go at its cap.
// Must not be reported: it is full after 600 sessions, and stands still from then on.

import { ClientSession } from "../../../src/internals.ts";
import { patch } from "../patch.ts";

const cap = 600;
const cache: Map<number, { readonly peer: string; readonly atMs: number }> = new Map();
let sessions = 0;

/** How many sessions were seen. */
export function seeded(): number {
  return sessions;
}

patch(ClientSession, "onReady", function onReady(original) {
  sessions += 1;
  cache.set(sessions, { peer: this.peer, atMs: performance.now() });
  if (cache.size > cap) cache.delete(sessions - cap);
  original();
});
