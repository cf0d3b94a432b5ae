// Sends bodies of the pattern, no faster than the socket takes them.

import type { Socket } from "node:net";
import { patternPiece } from "./pattern.ts";

/** Writes so many bytes of the pattern, as fast as `socket` takes them. Calls `onWritten` when it has been given the last. */
export function writePattern(socket: Socket, bytes: number, onWritten?: () => void): void {
  let left = bytes;
  const pump = (): void => {
    while (left > 0 && !socket.destroyed) {
      const piece = left < patternPiece.length ? patternPiece.subarray(0, left) : patternPiece;
      left -= piece.length;
      if (left === 0) onWritten?.();
      if (socket.write(piece)) continue;
      if (left > 0) socket.once("drain", pump);
      return;
    }
  };
  pump();
}
