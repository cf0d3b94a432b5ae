// Healthy: each session that closes leaves a timer of 30 s behind, as long as ws waits for a peer's answer to a close. The timer
// holds the session, and fires.
// Must not be reported: it is much longer than what the gate's own server keeps anything for, and yet nothing stays.

import { ClientSession } from "../../../src/internals.ts";
import { patch } from "../patch.ts";

const closeMs = 30_000;
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
  }, closeMs);
});
