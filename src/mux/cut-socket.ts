// How a TCP connection is broken off, so that its peer sees a reset and never mistakes a part for the whole.

import type { Socket } from "node:net";

/** Resets the connection and destroys the socket, whatever was written or ended before. Never throws; idempotent. */
export function cutSocket(socket: Socket): void {
  if (isShuttingDown(socket) || socket.destroyed) socket.destroy();
  else socket.resetAndDestroy();
}

/**
 * Like {@link cutSocket}, for a socket that may be a TLS socket over `raw`: destroying that alone looks like a clean end
 * to its peer, and it shuts the connection down behind the back of `raw`.
 */
export function cutSecured(socket: Socket, raw: Socket): void {
  if (isShuttingDown(socket)) raw.destroy();
  else cutSocket(raw);
  socket.destroy();
}

/**
 * While a shutdown is on its way to the system a reset is refused, and Node then drops the handle without closing it.
 * All bytes and the end were said by then, so that there is nothing left to cut.
 */
function isShuttingDown(socket: Socket): boolean {
  return socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
}
