// Seeds: a pipe whose visitor has ended its side closes that half only. The end that the target answers with is not passed
// on to the visitor's socket, and the loss of the stream is not either: the socket stays half open.
// Real case: cloudflared TUN-5621 and frp #3246: connections stood in CLOSE_WAIT or FIN_WAIT2 for ever.
// Rate: one pipe and one visitor's socket per WebSocket that its visitor drops.
// Seen by: live pipes and descriptors; half-closed streams by age.

import { Pipe, Stream } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const halfClosed: WeakSet<Pipe> = new WeakSet();
let swallowed = 0;

/** How many ends were swallowed. */
export function seeded(): number {
  return swallowed;
}

patch(Stream, "sendData", function sendData(original, chunk, end) {
  if (end === "end" && this.handler instanceof Pipe) halfClosed.add(this.handler);
  return original(chunk, end);
});

patch(Pipe, "onData", function onData(original, chunk, end) {
  const ends = end && !halfClosed.has(this);
  if (end && !ends) swallowed += 1;
  original(chunk, ends);
});

patch(Pipe, "onReset", function onReset(original, reason) {
  if (!halfClosed.has(this)) original(reason);
});
