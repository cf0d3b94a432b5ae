// Seeds: a peer from which no byte came for too long is not dropped.
// Real case: pangolin #3697 and ngrok #935: half-open connections were listed as online for days.
// Rate: one session, with its tunnels, socket and descriptor, per client whose network vanishes without a word.
// Seen by: live sessions, descriptors, the age of the oldest session.

import { Session } from "../../src/internals.ts";
import { patch } from "./patch.ts";

let spared = 0;

/** How many dead peers were left alone. */
export function seeded(): number {
  return spared;
}

patch(Session, "_dead", function _dead() {
  spared += 1;
});
