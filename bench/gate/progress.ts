// What a person sees while the gate runs: a bar that is redrawn on a terminal, a line per round elsewhere. Always on stderr, so
// that the answer has stdout for itself.

/** What is needed of process.stderr. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** How far a run is. */
export interface Step {
  readonly title: string;
  readonly done: number;
  readonly total: number;
  /** For people: what the last round showed. */
  readonly detail: string;
}

const barWidth = 24;

/** Tells how far a run is. */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #redraws: boolean;
  readonly #startedAtMs: number = performance.now();
  #drawn = false;

  constructor(stream: ProgressStream, { plain }: { readonly plain: boolean }) {
    this.#stream = stream;
    this.#redraws = stream.isTTY === true && !plain;
  }

  /** A step was done. */
  step({ title, done, total, detail }: Step): void {
    const seconds = Math.round((performance.now() - this.#startedAtMs) / 1_000);
    const part = total === 0 ? 1 : Math.min(1, done / total);
    if (!this.#redraws) {
      this.#stream.write(`${seconds} s  ${title} ${done}/${total}  ${detail}\n`);
      return;
    }
    const filled = Math.round(part * barWidth);
    const bar = "#".repeat(filled) + "-".repeat(barWidth - filled);
    this.#stream.write(`\r\u001b[2K[${bar}] ${done}/${total} ${title}  ${detail}  ${seconds} s`);
    this.#drawn = true;
  }

  /** Something worth a line of its own. */
  note(text: string): void {
    this.end();
    this.#stream.write(`${text}\n`);
  }

  /** Leaves the bar's line. */
  end(): void {
    if (this.#drawn) this.#stream.write("\n");
    this.#drawn = false;
  }
}
