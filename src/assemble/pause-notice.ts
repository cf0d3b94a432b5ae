// Tells peers that this process is about to stand still, so that none of them calls it dead.

import type { Session } from "../mux/session.ts";
import { maxNoticeMs } from "../wire/limits.ts";

/** Machines slow down to a third within minutes. A notice that is too long costs nothing; one too short costs sessions. */
const slowMachineFactor = 3;

/** Sends a NOTICE on every session; resolves when the notices have been written. */
export function announcePause(sessions: readonly Session[], expectedMs: number): Promise<void> {
  const pauseMs = Math.min(maxNoticeMs, Math.ceil(expectedMs * slowMachineFactor));
  for (const session of sessions) if (session.state !== "closed") session.sendControl({ type: "notice", pauseMs });
  // Frames leave at the end of a turn, and their bytes in the one after it.
  return new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
}
