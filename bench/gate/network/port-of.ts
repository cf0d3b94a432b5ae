// The port of a listening TCP server. Throws E_INTERNAL for one that does not listen on a port.

import type { Server } from "node:net";
import { CaissonError } from "../../../src/lifecycle/errors.ts";

/** Where `server` listens. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new CaissonError("E_INTERNAL", "the server does not listen on a port");
  }
  return address.port;
}
