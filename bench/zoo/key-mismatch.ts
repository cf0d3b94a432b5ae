// Seeds: routes are entered under a name as it came, and looked for at their removal in the form that DNS calls absolute,
// with a dot at the end. The removal finds nothing, and says nothing.
// Real case: undici #4424: clients are kept under the origin, and deleted under a key with more in it.
// Rate: one route, with the tunnel and the session behind it, per connection that says goodbye.
// Seen by: names that are live without tunnels (the probe `names.live`), then alive (tunnel, session).

import { NameTable } from "../../src/internals.ts";
import { patch } from "./patch.ts";

let missed = 0;

/** How many removals found nothing. */
export function seeded(): number {
  return missed;
}

patch(NameTable, "release", function release(original, tunnel) {
  if (this.find(tunnel.name) === tunnel) missed += 1;
  original(Object.create(tunnel, { name: { value: `${tunnel.name}.` } }));
});
