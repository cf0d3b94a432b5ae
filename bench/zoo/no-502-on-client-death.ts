// Seeds: exchanges that wait for a client's answer are not ended when the client's session dies. Nobody tells the visitor,
// no deadline does, and when the visitor gives up the exchange is not ended either.
// Real case: tunnelmole and localtunnel: requests of a client that died hang until the visitor's browser gives up.
// Rate: one exchange per request that is in flight when its client dies.
// Seen by: live exchanges above what is held, the age of the oldest, collected but never closed.

import { Exchange } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const orphans: WeakSet<Exchange> = new WeakSet();
let orphaned = 0;

/** How many exchanges were left to themselves. */
export function seeded(): number {
  return orphaned;
}

patch(Exchange, "onReset", function onReset(original, reason) {
  if (reason !== "session_lost") {
    original(reason);
    return;
  }
  orphans.add(this);
  orphaned += 1;
});

patch(Exchange, "failWith", function failWith(original, answer) {
  if (!orphans.has(this)) original(answer);
});

patch(Exchange, "abort", function abort(original, outcome) {
  if (!orphans.has(this)) original(outcome);
});
