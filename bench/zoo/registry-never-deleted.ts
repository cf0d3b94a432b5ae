// Seeds: the entry of a client stays in the server's set of sessions after the client has closed.
// Real case: the server of expose.sh, which pushed each connection into an array and never took one out.
// Rate: one entry, and the session behind it, per connection. Seen by: held above live, then alive.

import type { ClientSession } from "../../src/internals.ts";
import { TunnelServer } from "../../src/internals.ts";
import { patch } from "./patch.ts";

let kept = 0;

/** How many entries stayed. */
export function seeded(): number {
  return kept;
}

patch(TunnelServer, "listen", function listen(original, address) {
  const { sessions } = this.edge;
  sessions.delete = (client: ClientSession): boolean => {
    kept += 1;
    return sessions.has(client);
  };
  return original(address);
});
