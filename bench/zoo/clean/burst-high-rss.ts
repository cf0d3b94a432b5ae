// Healthy: a burst of work every 150 sessions that allocates 48 MiB of strings and objects, and lets go of them.
// Must not be reported: RSS stays high, because neither V8 nor malloc give everything back; the heap is flat.

import { ClientSession } from "../../../src/internals.ts";
import { patch } from "../patch.ts";

const sessionsPerBurst = 150;
const burstBytes = 48 * 1024 * 1024;
const pieceBytes = 1024;
let sessions = 0;
let bursts = 0;

/** How many bursts there were. */
export function seeded(): number {
  return bursts;
}

function burst(): number {
  const pieces: { readonly buffer: Buffer; readonly at: number }[] = [];
  for (let at = 0; at < burstBytes / pieceBytes; at++) pieces.push({ buffer: Buffer.alloc(pieceBytes, at & 0xff), at });
  return pieces.length;
}

patch(ClientSession, "onReady", function onReady(original) {
  original();
  sessions += 1;
  if (sessions % sessionsPerBurst === 0 && burst() > 0) bursts += 1;
});
