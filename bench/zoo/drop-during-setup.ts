// Seeds: a name is taken when the client asks for it, but belongs to the session only after a look-up of 400 ms. A
// connection that dies in between releases what belongs to it, and that is nothing: the name stays taken for ever.
// Real case: sish #344 and #65: the name of a connection that broke during setup could not be had again.
// Rate: one tunnel and one name per session that ends within 400 ms of its login.
// Seen by: names without sessions (live above held for tunnel, the probe `names.live`), then alive.

import { ClientSession } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const lookupMs = 400;
let taken = 0;

/** How many names belong to nobody. */
export function seeded(): number {
  return taken;
}

patch(ClientSession, "onControl", function onControl(original, session, message) {
  original(session, message);
  if (message.type !== "register") return;
  const tunnel = this.tunnels.get(message.id);
  if (!tunnel) return;
  this.tunnels.delete(message.id);
  setTimeout(() => {
    if (session.state === "closed") taken += 1;
    else this.tunnels.set(tunnel.id, tunnel);
  }, lookupMs);
});
