// Keeps a flood of one event from filling a disk: so many lines of a kind in a while, and then a count of those that were
// left out, which the next line carries. Kinds come from a closed set; it runs no timer.

/** Length of a window in milliseconds. */
export const budgetWindowMs = 10_000;

interface Window {
  startedAtMs: number;
  lines: number;
  suppressed: number;
}

/** Decides per line. */
export class LineBudget {
  readonly #windows: Map<string, Window> = new Map();
  readonly #maxLines: number;

  /** At most `maxLines` lines of a kind in {@link budgetWindowMs}. */
  constructor(maxLines: number) {
    this.#maxLines = maxLines;
  }

  /** Whether there is room for one more of this kind now. Counts nothing. */
  hasRoom(kind: string): boolean {
    const window = this.#windows.get(kind);
    return (
      window === undefined || window.lines < this.#maxLines || performance.now() - window.startedAtMs >= budgetWindowMs
    );
  }

  /** How many lines of this kind were left out before this one; undefined if this one is to be left out too. */
  take(kind: string): number | undefined {
    const nowMs = performance.now();
    const window = this.#windows.get(kind);
    if (window === undefined || nowMs - window.startedAtMs >= budgetWindowMs) {
      this.#windows.set(kind, { startedAtMs: nowMs, lines: 1, suppressed: 0 });
      return window?.suppressed ?? 0;
    }
    window.lines += 1;
    if (window.lines <= this.#maxLines) return 0;
    window.suppressed += 1;
    return undefined;
  }
}
