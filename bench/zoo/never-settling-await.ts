// Seeds: before a session is forgotten its last messages are waited for. A session whose transport is gone sends none,
// so for every fourth one the wait, and the cleanup behind it, never come to an end.
// Real case: cloudflared TUN-2955 and ziti #4184: the cleanup waited for an acknowledgement that nobody could send.
// Rate: one session in the server's set per four connections. Seen by: abandoned awaits, held above live.

import { ClientSession } from "../../src/internals.ts";
import { patch } from "./patch.ts";

const oneIn = 4;
let closes = 0;
let stuck = 0;

/** How many cleanups never ended. */
export function seeded(): number {
  return stuck;
}

function lastMessages(): Promise<void> {
  closes += 1;
  if (closes % oneIn !== 0) return Promise.resolve();
  stuck += 1;
  return new Promise(() => undefined);
}

patch(ClientSession, "onClosed", function onClosed(original, session, reason) {
  const cleanUp = async (): Promise<void> => {
    await lastMessages();
    original(session, reason);
  };
  void session._runtime.operations.run("session_cleanup", cleanUp);
});
