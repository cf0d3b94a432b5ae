// Writes frames into a buffer that the caller made large enough. Each function answers the offset after what it wrote.
// Nothing is allocated here, and nothing is checked: what leaves is made by this program.

import { fixedPayloadBytes, frameTypes } from "./frame.ts";
import { headerBytes } from "./limits.ts";

/** A header for `length` payload bytes that the caller puts behind it. */
export function putHeader(
  target: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  target[at] = length >>> 16;
  target[at + 1] = length >>> 8;
  target[at + 2] = length;
  target[at + 3] = type;
  target[at + 4] = flags;
  putU32(target, at + 5, stream);
  return at + headerBytes;
}

/** RESET of `stream` with a code of codes.ts. */
export function putReset(target: Buffer, at: number, stream: number, code: number): number {
  const payloadAt = putHeader(target, at, fixedPayloadBytes.reset, frameTypes.reset, 0, stream);
  target[payloadAt] = code;
  return payloadAt + fixedPayloadBytes.reset;
}

/** CREDIT of `bytes` for `stream`. */
export function putCredit(target: Buffer, at: number, stream: number, bytes: number): number {
  const payloadAt = putHeader(target, at, fixedPayloadBytes.credit, frameTypes.credit, 0, stream);
  putU32(target, payloadAt, bytes);
  return payloadAt + fixedPayloadBytes.credit;
}

/** PING or PONG: eight bytes as two numbers. */
export function putPing(
  target: Buffer,
  at: number,
  type: typeof frameTypes.ping | typeof frameTypes.pong,
  high: number,
  low: number,
): number {
  const payloadAt = putHeader(target, at, fixedPayloadBytes.ping, type, 0, 0);
  putU32(target, payloadAt, high);
  putU32(target, payloadAt + 4, low);
  return payloadAt + fixedPayloadBytes.ping;
}

/** GOAWAY with the last stream id that the sender knows and a code of codes.ts. */
export function putGoAway(target: Buffer, at: number, lastStream: number, code: number): number {
  const payloadAt = putHeader(target, at, fixedPayloadBytes.goaway, frameTypes.goaway, 0, 0);
  putU32(target, payloadAt, lastStream);
  target[payloadAt + 4] = code;
  return payloadAt + fixedPayloadBytes.goaway;
}

/** One frame as a buffer of its own: for what is rare, and for tests. */
export function encodeFrame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + payload.length);
  putHeader(frame, 0, payload.length, type, flags, stream);
  frame.set(payload, headerBytes);
  return frame;
}

function putU32(target: Buffer, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}
