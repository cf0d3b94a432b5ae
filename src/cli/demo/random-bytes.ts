// The bytes of the demo's downloads: the keystream of AES-128-CTR under a fixed key. Any part can be made without the
// parts before it, nothing compresses it away, and every run yields the same bytes, so their SHA-256 can be stated.

import { createCipheriv } from "node:crypto";
import { Readable } from "node:stream";

/** A file that is offered but not stored. */
export interface Download {
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 in hex. */
  readonly sha256: string;
}

const key = Buffer.from("caisson demo key");
const blockBytes = 16;
const chunkBytes = 64 * 1024;

/** The bytes from `start` up to but not including `end`, made as fast as they are read. */
export function randomBytesBetween(start: number, end: number): Readable {
  return Readable.from(chunks(start, end), { objectMode: false, highWaterMark: chunkBytes });
}

function* chunks(start: number, end: number): Generator<Buffer> {
  const counter = Buffer.alloc(blockBytes);
  counter.writeBigUInt64BE(BigInt(Math.floor(start / blockBytes)), 8);
  const cipher = createCipheriv("aes-128-ctr", key, counter);
  const zeros = Buffer.alloc(chunkBytes);
  // The keystream begins at a block; what lies before `start` in it is thrown away.
  cipher.update(zeros.subarray(0, start % blockBytes));
  for (let left = end - start; left > 0; left -= chunkBytes) {
    yield cipher.update(left < chunkBytes ? zeros.subarray(0, left) : zeros);
  }
}

/** What the demo offers. A test computes the digests of the smaller ones. */
export const downloads: readonly Download[] = [
  {
    name: "1MiB.bin",
    bytes: 1024 ** 2,
    sha256: "952deb69ac45b41e187549b91ee6e8b6bd2724163df9213ecc7fc172c0273440",
  },
  {
    name: "100MiB.bin",
    bytes: 100 * 1024 ** 2,
    sha256: "9fc5f50e62682e649258d99f2e282ce482bd2c99f8d933bdd8cb3efe4ee66c66",
  },
  {
    name: "1GiB.bin",
    bytes: 1024 ** 3,
    sha256: "cfe331366fd97ea6f818b4b18b3765e2847a7666b58bcc6aa46513a3d1570b31",
  },
];
