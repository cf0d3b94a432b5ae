// The header of the PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): whose connection a balancer hands
// on. Strict, bounded and pure; whether the sender may say so is decided elsewhere.

import { isIP } from "node:net";

/** The most bytes that a header may take: of version 1 107, of version 2 16 and what it announces. */
export const maxProxyHeaderBytes = 2048;

const maxLineBytes = 107;
const linePrefix: Buffer = Buffer.from("PROXY ");
const signature: Buffer = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const fixedBytes = 16;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/** What is known so far. */
export type ProxyHeaderProgress =
  | { readonly state: "more" }
  | { readonly state: "refused" }
  /** `address` is the visitor's; undefined if the balancer speaks for itself (health checks). `end`: where its bytes begin. */
  | { readonly state: "complete"; readonly address: string | undefined; readonly end: number };

const more: ProxyHeaderProgress = { state: "more" };
const refused: ProxyHeaderProgress = { state: "refused" };

/** Reads all bytes that have come so far. */
export function readProxyHeader(bytes: Buffer): ProxyHeaderProgress {
  if (startsLike(bytes, linePrefix)) return bytes.length < linePrefix.length ? more : readLine(bytes);
  if (startsLike(bytes, signature)) return bytes.length < fixedBytes ? more : readBinary(bytes);
  return refused;
}

/** Whether the bytes begin with `start`, as far as there are any. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function readLine(bytes: Buffer): ProxyHeaderProgress {
  const end = bytes.indexOf(lineFeed);
  if (end < 0) return bytes.length < maxLineBytes ? more : refused;
  if (end >= maxLineBytes || bytes[end - 1] !== carriageReturn) return refused;
  const words = bytes.toString("latin1", linePrefix.length, end - 1).split(" ");
  const [protocol, source = "", destination = "", sourcePort = "", destinationPort = "", ...rest] = words;
  // What follows UNKNOWN must be ignored.
  if (protocol === "UNKNOWN") return { state: "complete", address: undefined, end: end + 1 };
  const family = protocol === "TCP4" ? 4 : protocol === "TCP6" ? 6 : 0;
  const complete = family !== 0 && rest.length === 0 && isPort(sourcePort) && isPort(destinationPort);
  if (!complete || isIP(source) !== family || isIP(destination) !== family) return refused;
  return { state: "complete", address: source.toLowerCase(), end: end + 1 };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/u.test(text) && Number(text) <= 65_535;
}

/** version and command u8 | family and transport u8 | length u16 | addresses and ports | anything else */
function readBinary(bytes: Buffer): ProxyHeaderProgress {
  const [versionAndCommand = 0, familyAndTransport = 0] = bytes.subarray(12);
  const end = fixedBytes + bytes.readUInt16BE(14);
  const local = versionAndCommand === 0x20;
  if ((!local && versionAndCommand !== 0x21) || end > maxProxyHeaderBytes) return refused;
  if (bytes.length < end) return more;
  if (local) return { state: "complete", address: undefined, end };
  const body = bytes.subarray(fixedBytes, end);
  switch (familyAndTransport) {
    case 0x00: // Unspecified: the receiver uses the connection's own address.
      return { state: "complete", address: undefined, end };
    case 0x11: // TCP over IPv4
      return body.length < 12 ? refused : { state: "complete", address: body.subarray(0, 4).join("."), end };
    case 0x21: // TCP over IPv6
      return body.length < 36 ? refused : { state: "complete", address: ipv6Of(body), end };
    default: // Datagrams and local sockets: no visitor comes that way.
      return refused;
  }
}

/** The address in the first 16 bytes, as Node writes it for a socket. */
function ipv6Of(body: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, n) => body.readUInt16BE(2 * n).toString(16));
  const mapped = body.subarray(0, 12).equals(Buffer.from("00000000000000000000ffff", "hex"));
  if (mapped) return body.subarray(12, 16).join(".");
  // The URL parser knows how zeros are shortened (RFC 5952).
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}
