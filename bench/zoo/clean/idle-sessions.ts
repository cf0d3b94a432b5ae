// Healthy: thousands of clients that stay connected and do nothing but answer PINGs, for the whole run. They live in this
// very process, connected to the server that it runs. ZOO_IDLE_SESSIONS says how many, default 10,000.
// Must not be reported: they are many, they are old, and they do not become more.

import { connect } from "../../../src/index.ts";
import { TunnelServer } from "../../../src/internals.ts";
import { patch } from "../patch.ts";

const wanted = Number(process.env["ZOO_IDLE_SESSIONS"] ?? 10_000);
const atOnce = 50;
let standing = 0;

/** How many clients stand. */
export function seeded(): number {
  return standing;
}

async function connectAll(server: string): Promise<void> {
  let begun = 0;
  const connectSome = async (): Promise<void> => {
    while (begun < wanted) {
      begun += 1;
      await connect({ server, target: 9 });
      standing += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, connectSome));
}

// The server is ready once they stand, so that all of them are part of every baseline.
patch(TunnelServer, "listen", async function listen(original, where) {
  const address = await original(where);
  await connectAll(`ws://${address.host}:${address.port}`);
  return address;
});
