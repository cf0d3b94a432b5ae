// Healthy: a client that comes and goes once a second, for the whole run, under the same name. It lives in this very
// process.
// Must not be reported: at each reading there is none of it, or one.

import { connect } from "../../../src/index.ts";
import { TunnelServer } from "../../../src/internals.ts";
import { patch } from "../patch.ts";

const halfPeriodMs = 500;
let logins = 0;

/** How often it has logged in. */
export function seeded(): number {
  return logins;
}

async function comeAndGo(server: string): Promise<void> {
  for (;;) {
    const tunnel = await connect({ server, target: 9, name: "comes-and-goes" });
    logins += 1;
    await pause(halfPeriodMs);
    await tunnel.close();
    await pause(halfPeriodMs);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

patch(TunnelServer, "listen", async function listen(original, where) {
  const address = await original(where);
  // It ends with the server, which is the process.
  comeAndGo(`ws://${address.host}:${address.port}`).catch(() => undefined);
  return address;
});
