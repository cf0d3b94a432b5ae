// Seeds: requests for a client that is away, or busy, wait in a queue without bound and without deadline. Those that are
// served leave it; those whose visitors left, or were told to come back later, stay.
// Real case: localtunnel, whose agent queues visitors until the client opens another socket.
// Rate: one exchange, with its visitor's connection, per request that waited in vain.
// Seen by: alive (exchange, visitor_socket).

import type { Tunnel } from "../../src/internals.ts";
import { Exchange, NameTable } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const queues: Map<string, Exchange[]> = new Map();
let waiting = 0;

/** How many requests wait. */
export function seeded(): number {
  return waiting;
}

patch(NameTable, "wait", function wait(original, held, waiter) {
  if (waiter instanceof Exchange) {
    const queue = queues.get(held.name) ?? [];
    queue.push(waiter);
    queues.set(held.name, queue);
    waiting += 1;
  }
  return original(held, waiter);
});

patch(Exchange, "onNameBack", function onNameBack(original, tunnel: Tunnel) {
  const queue = queues.get(tunnel.name) ?? [];
  const place = queue.indexOf(this);
  if (place >= 0) {
    queue.splice(place, 1);
    waiting -= 1;
  }
  original(tunnel);
});
