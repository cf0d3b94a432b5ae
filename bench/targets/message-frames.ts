// WebSocket messages as fixed bytes (RFC 6455): both ends of a bench send the same message again and again. Pure.

import { createHash } from "node:crypto";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The binary message of a client (masked with a zero key, so that the payload stays as it is) or of a server. Below 64 KiB. */
export function messageFrame(payload: Buffer, side: "masked" | "plain"): Buffer {
  const maskBit = side === "masked" ? 0x80 : 0;
  const length = payload.length;
  const head = length < 126 ? [0x82, maskBit | length] : [0x82, maskBit | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(side === "masked" ? 4 : 0), payload]);
}

/** What Sec-WebSocket-Accept must be for a key. */
export function acceptKeyOf(key: string): string {
  return createHash("sha1").update(`${key}${guid}`).digest("base64");
}
