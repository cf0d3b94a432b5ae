// Bytes that are as good as random, the same for the same seed, and made as fast as a network carries them: so that a
// transfer of any length can be compared by its SHA-256 without being kept.

import type { Cipher } from "node:crypto";
import { createCipheriv, createHash } from "node:crypto";
import { Readable } from "node:stream";

const zeros: Buffer = Buffer.alloc(256 * 1024);

/** An endless sequence: the key stream of AES in counter mode. */
export class SeededBytes {
  readonly #cipher: Cipher;

  constructor(seed: string) {
    const key = createHash("sha256").update(seed).digest();
    this.#cipher = createCipheriv("aes-128-ctr", key.subarray(0, 16), key.subarray(16));
  }

  /** The next bytes, at most 256 KiB. */
  take(length: number): Buffer {
    return this.#cipher.update(zeros.subarray(0, length));
  }
}

/** The first `length` bytes of a seed, in one buffer. */
export function seededBuffer(seed: string, length: number): Buffer {
  return Buffer.concat([...pieces(seed, length)]);
}

/** The first `length` bytes of a seed, as a stream that makes them while it is read. */
export function seededStream(seed: string, length: number): Readable {
  return Readable.from(pieces(seed, length), { objectMode: false, highWaterMark: zeros.length });
}

/** What {@link digestOf} found. */
export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

/** The length and SHA-256 of everything in `source`, which is not kept. Rejects if the source fails or is cut. */
export async function digestOf(source: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Digest> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of source) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** What {@link digestOf} must find in the first `length` bytes of a seed. */
export function seededDigest(seed: string, length: number): Promise<Digest> {
  return digestOf(pieces(seed, length));
}

function* pieces(seed: string, length: number): Generator<Buffer> {
  const bytes = new SeededBytes(seed);
  for (let left = length; left > 0; left -= zeros.length) yield bytes.take(Math.min(left, zeros.length));
}
