// Response times in cells of an eighth of an octave, for percentiles that a histogram of 14 buckets is too coarse for.
// Observing costs a shift and an addition and allocates nothing. It measures only while somebody wants to know.

const subBits = 3;
const subCells = 1 << subBits;
/** Enough for 2^31 microseconds, 36 minutes. */
const cellCount = 32 * subCells;

/** Counts microseconds; a percentile is at most an eighth too high. */
export class LatencyCells {
  readonly counts: Uint32Array = new Uint32Array(cellCount);

  /** Adds one time in milliseconds; nonsense counts as zero. */
  observe(ms: number): void {
    // A shift makes 32 bits of anything: not-a-number and what is negative become zero, what is too long the longest.
    const us = ms > 0 ? Math.min(ms * 1_000, 0x7fff_ffff) | 0 : 0;
    const cell = cellOf(us);
    this.counts[cell] = (this.counts[cell] ?? 0) + 1;
  }
}

/** The time in milliseconds below which the share `q` (0 to 1) of all observations lies; undefined without any. */
export function percentileMs(counts: Uint32Array, q: number): number | undefined {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return undefined;
  let left = Math.max(1, Math.ceil(total * q));
  for (const [cell, count] of counts.entries()) {
    left -= count;
    if (left <= 0) return upperUs(cell) / 1_000;
  }
  return undefined;
}

function cellOf(us: number): number {
  if (us < subCells) return us;
  const octave = 31 - Math.clz32(us) - subBits;
  return (octave + 1) * subCells + ((us >> octave) & (subCells - 1));
}

/** The upper end of a cell. */
function upperUs(cell: number): number {
  if (cell < subCells) return cell + 1;
  const octave = (cell >> subBits) - 1;
  return (subCells + (cell & (subCells - 1)) + 1) * 2 ** octave;
}
