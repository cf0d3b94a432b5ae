// Seeds: one slot of one array per connection, and nothing else: the objects that it referred to have been cut off.
// Real case: Proxy.connections of the server in expose.sh's story, after its first half was repaired.
// Rate: 8 bytes per connection. Seen by: the slope of the heap, 8 bytes per connection.

import { ClientSession } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const slots: number[] = [];

/** How many slots are taken. */
export function seeded(): number {
  return slots.length;
}

patch(ClientSession, "onReady", function onReady(original) {
  slots.push(slots.length);
  original();
});
