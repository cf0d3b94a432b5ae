// Seeds (client): each login starts an interval that keeps the connection alive, and no logout stops it.
// Real case: the client of tunnelmole, which starts a ping interval per connection.
// Rate: one interval, with the session in its closure, per login. Load it into clients.
// Seen by: handles (Timeout) of the client process, then alive (session).

import { ServerLink } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const keepAliveMs = 30_000;
let started = 0;

/** How many intervals run. */
export function seeded(): number {
  return started;
}

patch(ServerLink, "onReady", function onReady(original, session) {
  started += 1;
  setInterval(() => session.session.ping(), keepAliveMs);
  original(session);
});
