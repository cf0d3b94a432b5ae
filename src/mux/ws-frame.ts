// The frames of RFC 6455 that carry messages: one binary frame per message, its header written in front of the payload
// in the same buffer. Pure; everything but whole binary messages is left to `ws`.

import { maxMessageBytes } from "../wire/limits.ts";

/** The first byte of every message: FIN, no reserved bit, opcode binary. */
export const binaryFrame = 0x82;
/** The bit of the second byte that says that a masking key follows the length. */
export const maskBit = 0x80;
/** Values of the second byte that announce a longer length: of 2 bytes, and of 8. */
export const length16 = 126;
export const length64 = 127;

/** The longest header of a message of at most {@link maxMessageBytes}, in bytes: without and with a masking key. */
export const unmaskedHeaderBytes: number = headerBytesOf(maxMessageBytes);
export const maskedHeaderBytes: number = unmaskedHeaderBytes + 4;

/** Below this many bytes a mask is applied byte by byte: a view of words costs more. */
const minWordsBytes = 64;

/** Where the payload of a message lies in its buffer: from `headroom`, at least the header's size, to before `end`. */
export interface PayloadPlace {
  readonly headroom: number;
  readonly end: number;
}

/**
 * Makes a frame of the payload in `message`: the header is put right before it, and with a masking key other than 0 the
 * payload is masked in place. Without a key the frame has no mask, as servers send it. Answers the part of `message` that
 * is the frame.
 */
export function frameMessage(message: Buffer, place: PayloadPlace, maskingKey?: number): Buffer {
  const { headroom, end } = place;
  const length = end - headroom;
  const masked = maskingKey !== undefined;
  const start = headroom - headerBytesOf(length) - (masked ? 4 : 0);
  const bit = masked ? maskBit : 0;
  message[start] = binaryFrame;
  let at = start + 2;
  if (length < length16) message[start + 1] = bit | length;
  else if (length < 0x10000) {
    message[start + 1] = bit | length16;
    message[at] = length >>> 8;
    message[at + 1] = length;
    at += 2;
  } else {
    message[start + 1] = bit | length64;
    message.writeUInt32BE(0, at);
    message.writeUInt32BE(length, at + 4);
    at += 8;
  }
  if (masked) {
    message.writeUInt32BE(maskingKey, at);
    if (maskingKey !== 0) applyMask(message.subarray(headroom, end), maskingKey);
  }
  return message.subarray(start, end);
}

/** Masks or unmasks `bytes` in place. The first of them meets the first (highest) byte of `key`, a 32-bit number. */
export function applyMask(bytes: Buffer, key: number): void {
  const { length } = bytes;
  let at = 0;
  if (length >= minWordsBytes) {
    const lead = -bytes.byteOffset & 3;
    for (; at < lead; at++) maskByte(bytes, at, key);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + lead, (length - lead) >>> 2);
    const word = wordOf(rotateKey(key, lead));
    for (let n = 0; n < words.length; n++) words[n] = (words[n] ?? 0) ^ word;
    at += words.length * 4;
  }
  for (; at < length; at++) maskByte(bytes, at, key);
}

/** The key that meets the payload `bytes` further on. */
function rotateKey(key: number, bytes: number): number {
  const bits = (bytes & 3) * 8;
  return bits === 0 ? key : ((key << bits) | (key >>> (32 - bits))) >>> 0;
}

function headerBytesOf(length: number): number {
  return length < length16 ? 2 : length < 0x10000 ? 4 : 10;
}

function maskByte(bytes: Buffer, at: number, key: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ (key >>> (24 - (at & 3) * 8));
}

/** One key, as bytes and as the word that this machine reads of them. */
const keyWord = new Uint32Array(1);
const keyBytes: DataView = new DataView(keyWord.buffer);

/** `key` as this machine reads four bytes: XOR by words must not depend on their order. */
function wordOf(key: number): number {
  keyBytes.setUint32(0, key);
  return keyWord[0] ?? 0;
}
