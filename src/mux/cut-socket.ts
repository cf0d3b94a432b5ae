// How a TCP connection is broken off, so that its peer sees a reset and never mistakes a part for the whole.

import type { Socket } from "node:net";

/** Resets the connection and destroys the socket, whatever was written or ended before. Never throws; idempotent. */
export function cutSocket(socket: Socket): void {
  // While a shutdown is on its way to the system a reset is refused, and Node then drops the handle without closing it.
  // All bytes and the end were said by then, so that there is nothing left to cut.
  const shuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (shuttingDown || socket.destroyed) socket.destroy();
  else socket.resetAndDestroy();
}
