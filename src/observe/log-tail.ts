// The last log lines, as they were written, for a bug report. Bounded in number and, because lines are, in bytes.

const defaultLines = 500;

/** A ring of lines. */
export class LogTail {
  readonly #lines: string[] = [];
  readonly #maxLines: number;
  #next = 0;

  /** Keeps the last `maxLines`: 1 to 10,000, default 500. */
  constructor(maxLines: number = defaultLines) {
    this.#maxLines = maxLines;
  }

  /** How many lines are kept now. */
  get size(): number {
    return this.#lines.length;
  }

  /** Adds one line, without its end. */
  add(line: string): void {
    this.#lines[this.#next] = line;
    this.#next = (this.#next + 1) % this.#maxLines;
  }

  /** The lines, the oldest first. */
  lines(): readonly string[] {
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
  }
}
