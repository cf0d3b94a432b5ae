// Healthy: each session that closes leaves a timer behind for as long as a peer may take to answer a close: 30 s by
// default, and what --ws-close-timeout says elsewhere. The timer holds the session, and fires.
// Must not be reported: what is closed may be referred to for that time.

import { ClientSession } from "../../../src/internals.ts";
import { patch } from "../patch.ts";

let timers = 0;
let lastState = "";

/** How many timers were started. */
export function seeded(): number {
  return timers;
}

patch(ClientSession, "onClosed", function onClosed(original, session, reason) {
  original(session, reason);
  timers += 1;
  setTimeout(() => {
    lastState = session.state;
    if (lastState !== "closed") session.terminate("dead");
  }, session._limits.closeTimeoutMs);
});
