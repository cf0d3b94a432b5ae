// Seeds (client): the visitor has left and the stream was cut, but the connection to the target is left open, waiting for
// an answer that nobody wants.
// Real case: http-proxy #1559: the upstream request goes on after the downstream connection closed.
// Rate: one connection to the target per visitor that leaves in the middle. Load it into clients.
// Seen by: live local_socket, descriptors and handles of the client process.

import { LocalConnection } from "../../src/internals.ts";
import { patch } from "./patch.ts";

let left = 0;

/** How many connections were left open. */
export function seeded(): number {
  return left;
}

patch(LocalConnection, "close", function close(original, reason) {
  if (reason === "cancelled" || reason === "session_lost") left += 1;
  else original(reason);
});
