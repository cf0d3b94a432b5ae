// Healthy: a pool of buffers that grows with use, one buffer of 16 KiB for each twentieth session, up to its ceiling.
// Must not be reported: 32 buffers off the heap, reached after 640 sessions, and no more.

import { ClientSession } from "../../../src/internals.ts";
import { patch } from "../patch.ts";

const ceiling = 32;
const bufferBytes = 16 * 1024;
const sessionsPerBuffer = 20;
const pool: Buffer[] = [];
let sessions = 0;

/** How many sessions were seen. */
export function seeded(): number {
  return sessions;
}

patch(ClientSession, "onReady", function onReady(original) {
  sessions += 1;
  if (sessions % sessionsPerBuffer === 0 && pool.length < ceiling) pool.push(Buffer.allocUnsafeSlow(bufferBytes));
  original();
});
