// Reads a socket for somebody who keeps what he gets: a visitor's connection, a target's, a pipe. Every read lands in the
// memory that all sockets share and is copied out of it, small ones into memory of their own, large ones into a block.

import type { Socket } from "node:net";
import type { TransferMemory } from "../lifecycle/transfer-memory.ts";
import { headerBytes, maxFramePayload, maxMessageBytes } from "../wire/limits.ts";
import { readAsStream, readInto } from "./direct-reading.ts";

/** The most that one read takes, in bytes: as much as the frames of one message carry, so that none is left over. */
const readBytes: number = maxMessageBytes - Math.ceil(maxMessageBytes / maxFramePayload) * headerBytes;

/**
 * `onBytes` hears of every chunk from now on, if whoever took them before has left; a chunk is its to keep. It listens
 * for `data` as well: bytes that were put back come so, and all bytes where Node does not let us choose the memory. The
 * socket must be connected; it is neither paused nor resumed.
 */
export function takeBytes(socket: Socket, memory: TransferMemory, onBytes: (chunk: Buffer) => void): void {
  const intake = memory.intake(readBytes);
  socket.on("data", onBytes);
  readInto(socket, intake, (length) => {
    onBytes(memory.copy(intake.subarray(0, length)));
    return true;
  });
}

/** Bytes are for whoever listens for `data` next. */
export function leaveBytes(socket: Socket, onBytes: (chunk: Buffer) => void): void {
  socket.off("data", onBytes);
  readAsStream(socket);
}
