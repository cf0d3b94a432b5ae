// Seeds: bytes for a visitor count as taken the moment they are written to its socket, so the tunnel goes on sending to
// one that reads nothing. What a visitor had not taken when it left stays in the backlog that was kept for it.
// Real case: relay-ide #1250: 15 GiB off the heap behind one peer that reads nothing; cloudflared #1205.
// Rate: up to the whole body of a response per visitor that stops reading, or leaves in the middle.
// Seen by: arrayBuffers and external, alive (visitor_socket), rss; while it reads nothing, buffered bytes.

import type { Stream } from "../../src/internals.ts";
import { SocketOutlet, VisitorConnection } from "../../src/internals.ts";
import { patch } from "./patch.ts";

interface Backlog {
  readonly stream: Stream;
  readonly chunks: Buffer[];
}

/** Above this a visitor counts as slow, in bytes. */
const slowAbove = 64 * 1024;
const backlogs: Map<SocketOutlet, Backlog> = new Map();

/** How many visitors something is kept for. */
export function seeded(): number {
  return backlogs.size;
}

patch(SocketOutlet, "attach", function attach(original, stream) {
  backlogs.set(this, { stream, chunks: [] });
  original(stream);
});

patch(SocketOutlet, "write", function write(original, chunk, payloadBytes) {
  original(chunk, payloadBytes);
  const backlog = backlogs.get(this);
  if (!backlog) return;
  backlog.stream.consumed(payloadBytes);
  // A chunk is only good until the turn is over, so a backlog has to copy.
  if (this.pendingBytes > slowAbove) backlog.chunks.push(Buffer.from(chunk));
});

patch(SocketOutlet, "detach", function detach(original) {
  original();
  if (backlogs.get(this)?.chunks.length === 0) backlogs.delete(this);
});

patch(VisitorConnection, "exchangeFinished", function exchangeFinished(original, persistence) {
  original(persistence);
  backlogs.delete(this.outlet);
});
