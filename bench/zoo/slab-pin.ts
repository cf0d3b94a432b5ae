// Seeds: of each session the first frame header that was sent is kept, nine bytes, as a view. Small buffers are cut from
// slabs of 8 KiB, and one view keeps the whole slab.
// Real case: nodejs/node #21967, and every `buffer.subarray()` in a log or a cache.
// Rate: a view per connection, and as much of slabs as was cut since the last. Seen by: arrayBuffers, external.

import { SessionSocket } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const headerBytes = 9;
const headers: Buffer[] = [];
const known: WeakSet<SessionSocket> = new WeakSet();

/** How many views are kept. */
export function seeded(): number {
  return headers.length;
}

patch(SessionSocket, "send", function send(original, message, end) {
  if (!known.has(this)) {
    known.add(this);
    headers.push(message.subarray(0, headerBytes));
  }
  original(message, end);
});
