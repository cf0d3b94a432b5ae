// Seeds (client): each login adds a listener to an emitter that lives as long as the process, and no logout removes it.
// Real case: localtunnel #229: MaxListenersExceededWarning after some reconnects.
// Rate: one listener, with the session in its closure, per login. Load it into clients.
// Seen by: listener counts of `process`, then alive (session).

import type { LinkSession } from "../../src/internals.ts";
import { ServerLink } from "../../src/internals.ts";
import { patch } from "./patch.ts";

let added = 0;
process.setMaxListeners(0);

/** How many listeners were added. */
export function seeded(): number {
  return added;
}

patch(ServerLink, "onReady", function onReady(original, session: LinkSession) {
  added += 1;
  process.on("warning", () => session.session.probe());
  original(session);
});
