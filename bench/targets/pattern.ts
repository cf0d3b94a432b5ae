// The bytes that every body consists of: a seeded pattern without end. Its period is a prime number, so that bytes that are
// lost, doubled or exchanged in units of any size do not fit any more. Pure.

import { SeededRandom } from "../gate/seeded-random.ts";

const period = 65_521;
/** Whole periods in one piece, so that a sender may write it again and again. */
const piecePeriods = 8;

function makePiece(): Buffer {
  const random = new SeededRandom(5);
  const once = Buffer.alloc(period);
  for (let at = 0; at < period; at += 1) once[at] = random.below(256);
  return Buffer.concat(Array.from({ length: piecePeriods }, () => once));
}

/** Some periods: every body is this, repeated and cut. */
export const patternPiece: Buffer = makePiece();

/** The first `bytes` of the pattern; at most a piece. */
export function patternStart(bytes: number): Buffer {
  if (bytes > patternPiece.length) throw new RangeError(`a piece has ${patternPiece.length} bytes`);
  return patternPiece.subarray(0, bytes);
}

/** Follows a body as it arrives and compares it with the pattern. */
export class PatternCheck {
  /** Bytes seen so far. */
  bytes = 0;
  /** Whether all of them were right. */
  right = true;

  add(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const from = this.bytes % period;
      const length = Math.min(chunk.length - at, patternPiece.length - from);
      if (patternPiece.compare(chunk, at, at + length, from, from + length) !== 0) this.right = false;
      at += length;
      this.bytes += length;
    }
  }
}
