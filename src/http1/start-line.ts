// The parts that start lines are made of: method names, the version, the line's end. Pure look-ups over raw bytes.

import { cr, lf } from "./bytes.ts";

/** The methods of RFC 9110 section 9 and PATCH (RFC 5789): these strings are shared, others are made as they come. */
const knownMethods: readonly (readonly string[])[] = [
  [],
  [],
  [],
  ["GET", "PUT"],
  ["POST", "HEAD"],
  ["PATCH", "TRACE"],
  ["DELETE"],
  ["OPTIONS", "CONNECT"],
];

/** The method at `start` to `end` of `bytes`. Case matters: `get` is a method of its own. */
export function methodOf(bytes: Buffer, start: number, end: number): string {
  const candidates = knownMethods[end - start];
  if (candidates !== undefined) {
    for (const method of candidates) {
      let index = 0;
      while (index < method.length && bytes[start + index] === method.charCodeAt(index)) index++;
      if (index === method.length) return method;
    }
  }
  return bytes.toString("latin1", start, end);
}

/** Whether a request with this method may be repeated (RFC 9110 section 9.2.2). */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case "GET":
    case "HEAD":
    case "OPTIONS":
    case "TRACE":
    case "PUT":
    case "DELETE":
      return true;
    default:
      return false;
  }
}

/** Length of `HTTP/1.1`. */
export const versionBytes = 8;
/** Answer of {@link readVersion} and {@link readLineEnd}: what there is fits, but it is not all there. */
export const incomplete = -1;
/** Answer of {@link readVersion} and {@link readLineEnd}: something else stands there. */
export const mismatch = -2;

const pattern = Buffer.from("HTTP/0.0", "latin1");

/** The HTTP version at `at`, as ten times its major number plus its minor one; or {@link incomplete} or {@link mismatch}. */
export function readVersion(bytes: Buffer, at: number, to: number): number {
  for (let index = 0; index < versionBytes; index++) {
    if (at + index >= to) return incomplete;
    const byte = bytes[at + index] ?? 0;
    const matches = index === 5 || index === 7 ? byte >= 0x30 && byte <= 0x39 : byte === pattern[index];
    if (!matches) return mismatch;
  }
  return ((bytes[at + 5] ?? 0) - 0x30) * 10 + (bytes[at + 7] ?? 0) - 0x30;
}

/** The index after a CRLF at `at`; or {@link incomplete} or {@link mismatch}. */
export function readLineEnd(bytes: Buffer, at: number, to: number): number {
  if (at >= to) return incomplete;
  if (bytes[at] !== cr) return mismatch;
  if (at + 1 >= to) return incomplete;
  return bytes[at + 1] === lf ? at + 2 : mismatch;
}
