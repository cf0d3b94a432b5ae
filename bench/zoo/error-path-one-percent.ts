// Seeds: the release of every hundredth session fails, and the error that is kept for the operator refers to the session.
// Real case: frp #5202: thirteen returns of error paths without the close that the good path has.
// Rate: exactly one session per hundred connections. Seen by: alive (session): retained is exactly the number seeded.

import { ClientSession } from "../../src/internals.ts";
import { patch } from "./patch.ts";

class ReleaseError extends Error {
  readonly session: ClientSession;

  constructor(session: ClientSession) {
    super("the session could not be released");
    this.session = session;
  }
}

const oneIn = 100;
const errors: ReleaseError[] = [];
let closes = 0;

/** How many sessions are kept. */
export function seeded(): number {
  return errors.length;
}

patch(ClientSession, "onClosed", function onClosed(original, session, reason) {
  original(session, reason);
  closes += 1;
  try {
    if (closes % oneIn === 0) throw new ReleaseError(this);
  } catch (error) {
    if (error instanceof ReleaseError) errors.push(error);
  }
});
