// Healthy: code that warms up late. Property accesses see a new shape of object every few sessions until they have seen
// some hundred, so inline caches, maps and compiled code grow, and then stand still.
// Must not be reported: growth of the heap that ends by itself and belongs to no connection.

import { ClientSession } from "../../../src/internals.ts";
import { patch } from "../patch.ts";

const shapes = 400;
const sessionsPerShape = 2;
let sessions = 0;
let sum = 0;

/** How many sessions were seen. */
export function seeded(): number {
  return sessions;
}

function read(shape: Readonly<Record<string, number>>): number {
  return (shape["weight"] ?? 0) + Object.keys(shape).length;
}

patch(ClientSession, "onReady", function onReady(original) {
  const number = Math.floor(sessions / sessionsPerShape) % shapes;
  sessions += 1;
  for (let i = 0; i < 50; i++) sum += read({ [`field${number}`]: i, weight: sum & 1 });
  original();
});
