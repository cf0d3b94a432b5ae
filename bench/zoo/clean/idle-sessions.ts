// Healthy: thousands of clients that stay connected and do nothing but answer PINGs, for the whole run. They live in
// processes of their own, as real ones do. ZOO_IDLE_SESSIONS says how many, default 10,000.
// Must not be reported: they are many, they are old, and they do not become more.

import { TunnelServer } from "../../../src/internals.ts";
import { RoleProcess } from "../../harness/role-process.ts";
import { patch } from "../patch.ts";

const wanted = Number(process.env["ZOO_IDLE_SESSIONS"] ?? 10_000);
/** Of one process: it may have 20,000 descriptors on common machines, often fewer. */
const sessionsPerProcess = 5_000;
let standing = 0;

/** How many clients stand. */
export function seeded(): number {
  return standing;
}

async function gather(server: string): Promise<void> {
  const orders: Promise<{ readonly tunnels: number }>[] = [];
  for (let left = wanted; left > 0; left -= sessionsPerProcess) {
    const sessions = Math.min(left, sessionsPerProcess);
    // The process ends with this one.
    orders.push(new RoleProcess().ask<"crowd">({ do: "crowd", server, target: 9, sessions, tunnelsEach: 1 }));
  }
  for (const { tunnels } of await Promise.all(orders)) standing += tunnels;
}

// The server is ready once they stand, so that all of them are part of every baseline.
patch(TunnelServer, "listen", async function listen(original, where) {
  const address = await original(where);
  await gather(`ws://${address.host}:${address.port}`);
  return address;
});
