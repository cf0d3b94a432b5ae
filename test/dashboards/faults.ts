// Loaded into a server before anything else (node --import): one small fault for each alert that a server can raise by
// itself. What needs traffic or a death is caused from outside, and a leak of sessions comes from the zoo.

import { openSync } from "node:fs";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import { patch } from "../../bench/zoo/patch.ts";
import type { Resource } from "../../src/internals.ts";
import { NameTable, TunnelServer } from "../../src/internals.ts";
import { faultyDescriptors, ghostName, halfOpenName } from "./fault-facts.ts";

/** What nobody lets go of. */
const kept: unknown[] = [];

patch(TunnelServer, "listen", function listen(original, address) {
  const { events } = this.edge.runtime;
  // Before the first scrape, and after it.
  loseHandle((resource) => events.opened(resource));
  setInterval(() => loseHandle((resource) => events.opened(resource)), 4_000).unref();
  return original(address);
});

// A tunnel stands, and its name leads nowhere. And when another one stands, peers end their connections, which this side
// never does.
let halfOpen = false;
patch(NameTable, "find", function find(original, name) {
  if (name === halfOpenName && !halfOpen) {
    halfOpen = true;
    void leaveHalfOpen(20);
  }
  return name === ghostName ? undefined : original(name);
});

// A reading throws, once.
let readings = 0;
patch(TunnelServer, "visitorBytes", function visitorBytes(original) {
  readings += 1;
  if (readings === 3) throw new Error("seeded");
  return original();
});

// Nearly all descriptors are in use from the start.
for (let count = 0; count < faultyDescriptors.taken; count += 1) kept.push(openSync("/dev/null", "r"));

// The heap grows twice a second until there is enough, so that a window of seconds sees it at any size.
let leakedNumbers = 0;
const growth = setInterval(() => {
  const numbers = Math.max(100_000, Math.round(leakedNumbers / 25));
  leakedNumbers += numbers;
  kept.push(Array.from({ length: numbers }).fill(0.5));
  if (leakedNumbers > 16_000_000) clearInterval(growth);
}, 500);
growth.unref();

function loseHandle(opened: (resource: Resource) => void): void {
  opened({ kind: "pipe", openedAtMs: performance.now() });
}

async function leaveHalfOpen(count: number): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    kept.push(socket.resume());
    socket.unref();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const address = server.address();
  if (typeof address !== "object" || address === null) return;
  for (let n = 0; n < count; n += 1) {
    const socket = connect({ port: address.port, host: "127.0.0.1" });
    socket.once("connect", () => socket.end()).unref();
    kept.push(socket);
  }
}
