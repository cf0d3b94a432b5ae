// Host and port as they stand in a Host field or an absolute target: checked strictly, never resolved or decoded.

import { isIPv6 } from "node:net";
import { colon, hexValue, hostClass } from "./bytes.ts";

/** No host name in the DNS is longer, and nobody routes by a longer one. Bytes, without the port. */
export const maxHostBytes = 255;

const openBracket = 0x5b;
const closeBracket = 0x5d;
const dot = 0x2e;

/**
 * Index after the host in `bytes` from `start` to `end`, which must hold exactly `host [":" port]`; -1 if they do not.
 * The host is a reg-name without commas, an IPv4 address or a bracketed IPv6 address; the port is 1 to 65535.
 */
export function hostEndOf(bytes: Buffer, start: number, end: number): number {
  if (start === end) return -1;
  const hostEnd = bytes[start] === openBracket ? endOfAddress(bytes, start, end) : endOfName(bytes, start, end);
  if (hostEnd < 0 || hostEnd - start > maxHostBytes) return -1;
  return hostEnd === end || isPort(bytes, hostEnd, end) ? hostEnd : -1;
}

function endOfName(bytes: Buffer, start: number, end: number): number {
  let index = start;
  let kind = 0;
  while (index < end && (kind = hostClass[bytes[index] ?? 0] ?? 0) !== 0) {
    if (kind === 3) {
      if (index + 2 >= end || hexValue[bytes[index + 1] ?? 0] === 255 || hexValue[bytes[index + 2] ?? 0] === 255)
        return -1;
      index += 2;
    }
    index++;
  }
  // A lone dot is the root, which is no host.
  return index === start || (index === start + 1 && bytes[start] === dot) ? -1 : index;
}

function endOfAddress(bytes: Buffer, start: number, end: number): number {
  const close = bytes.subarray(start, end).indexOf(closeBracket);
  if (close < 0) return -1;
  const address = bytes.toString("latin1", start + 1, start + close);
  // isIPv6 knows zones (`%eth0`), which mean something on one machine only.
  return isIPv6(address) && !address.includes("%") ? start + close + 1 : -1;
}

function isPort(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== colon || end - start < 2 || end - start > 6) return false;
  let port = 0;
  for (let index = start + 1; index < end; index++) {
    const digit = (bytes[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port >= 1 && port <= 65_535;
}

/** The name to route by: lower-case and without one trailing dot. `previous` is answered if it is the same. */
export function hostNameOf(bytes: Buffer, start: number, hostEnd: number, previous: string): string {
  const end = bytes[hostEnd - 1] === dot ? hostEnd - 1 : hostEnd;
  if (previous.length === end - start) {
    let index = 0;
    while (index < previous.length && bytes[start + index] === previous.charCodeAt(index)) index++;
    if (index === previous.length) return previous;
  }
  return bytes.toString("latin1", start, end).toLowerCase();
}
