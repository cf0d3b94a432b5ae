// Seeds: a login that asks for a name which another session has waits until that session says that it is done. The signal
// is given to whoever came first only, so each later login parks a waiter that nobody will ever wake. (Here the login goes
// on after a moment; what it parked stays.)
// Real case: frp #5391: 2.4 GB of parked goroutines within days, one per retry of a client.
// Rate: one waiter, and the new session in its closure, per re-login. Seen by: alive (session), pending waits.

import type { NameTable } from "../../src/internals.ts";
import { ClientSession, Tunnel, TunnelServer } from "../../src/internals.ts";
import { patch } from "./patch.ts";

/** Wakes the waiters of a name. */
const parked: Map<string, (() => void)[]> = new Map();
let waiting = 0;

/** How many logins wait. */
export function seeded(): number {
  return waiting;
}

let names: NameTable | undefined;
patch(TunnelServer, "listen", function listen(original, address) {
  ({ names } = this.edge);
  return original(address);
});

patch(ClientSession, "onControl", function onControl(original, session, message) {
  const holder = message.type === "register" && message.name !== undefined ? names?.find(message.name) : undefined;
  if (holder instanceof Tunnel && holder.session !== this) void waitForEndOf(holder, this);
  original(session, message);
});

async function waitForEndOf(holder: Tunnel, login: ClientSession): Promise<void> {
  waiting += 1;
  await new Promise<void>((resolve) => {
    const waiters = parked.get(holder.name) ?? [];
    waiters.push(resolve);
    parked.set(holder.name, waiters);
  });
  waiting -= 1;
  login.onRoom(login.session);
}
