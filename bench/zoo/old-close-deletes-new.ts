// Seeds: a session that ends removes whatever stands under the names it had, not only its own entries. When a client logs
// in again under its name, the close of its old session takes the new one's route away: a session that is up, that
// nobody can reach, and that leaks no byte.
// Real case: tunnelmole, and frp before its fix: connections are found and deleted by client id.
// Rate: one ghost per re-login under the same name, for as long as the new session lasts.
// Seen by: sessions without a route (the probe `never.unrouted_tunnels`), and requests that find no tunnel.

import { NameTable, Tunnel } from "../../src/internals.ts";
import { patch } from "./patch.ts";

let ghosts = 0;

/** How many sessions lost their route. */
export function seeded(): number {
  return ghosts;
}

patch(NameTable, "release", function release(original, tunnel) {
  const there = this.find(tunnel.name);
  if (there !== tunnel && there instanceof Tunnel) {
    ghosts += 1;
    original(there);
  } else original(tunnel);
});
