// Makes a socket read into memory that we choose. Node offers that (`onread`) only to those who dial; this does the same
// for accepted sockets and in the middle of a connection, by the two properties that Node keeps it in. Where a later Node
// keeps it elsewhere, nothing is changed: whoever reads must listen for `data` too, which also brings what was put back.

import { Socket } from "node:net";

type OnRead = (length: number) => boolean;

interface Keys {
  readonly buffer: symbol;
  readonly callback: symbol;
}

const keys: Keys | undefined = findKeys();

/**
 * From now on `socket` fills `buffer` and calls `onRead` with how much of it, instead of emitting `data`. It answers
 * whether to read on. The socket must be open, and be of TCP or TLS. Answers false if it is read as before.
 */
export function readInto(socket: Socket, buffer: Buffer, onRead: OnRead): boolean {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (!keys || typeof handle !== "object" || handle === null) return false;
  const useUserBuffer: unknown = Reflect.get(handle, "useUserBuffer");
  if (typeof useUserBuffer !== "function") return false;
  const before: unknown = Reflect.get(socket, keys.buffer);
  Reflect.set(socket, keys.callback, onRead);
  if (before === buffer) return true;
  Reflect.set(socket, keys.buffer, buffer);
  Reflect.apply(useUserBuffer, handle, [buffer]);
  return true;
}

/** From now on `socket` emits `data` again, if it was read into a buffer at all. */
export function readAsStream(socket: Socket): void {
  if (!keys) return;
  const buffer: unknown = Reflect.get(socket, keys.buffer);
  if (!Buffer.isBuffer(buffer)) return;
  Reflect.set(socket, keys.callback, (length: number) => socket.push(Buffer.from(buffer.subarray(0, length))));
}

/** Where Node keeps what `onread` was given. */
function findKeys(): Keys | undefined {
  const buffer = Buffer.alloc(1);
  const callback = (): boolean => true;
  // The types know `onread` of those who dial only.
  const options = { allowHalfOpen: false, onread: { buffer, callback } };
  const socket = new Socket(options);
  const symbols = Object.getOwnPropertySymbols(socket);
  const bufferKey = symbols.find((key) => Reflect.get(socket, key) === buffer);
  const callbackKey = symbols.find((key) => Reflect.get(socket, key) === callback);
  socket.destroy();
  return bufferKey && callbackKey && { buffer: bufferKey, callback: callbackKey };
}
