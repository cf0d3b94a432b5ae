// Counts by a word such as a reason. The words come from the core's own closed sets; should one ever not, it is counted as
// `other`, so that no peer and no bug can make the number of series grow.

/** What does not fit is counted under this word. */
export const otherWord = "other";

/** Capitals inside: places of faults are named after methods. */
const wordPattern = /^[a-z][a-zA-Z0-9_.]{0,47}$/u;

/** Whether a text may be a label's value as it is. */
export function isWord(text: string): boolean {
  return wordPattern.test(text);
}

/** How often each word was seen. */
export class WordCounts {
  readonly #counts: Map<string, number> = new Map();
  readonly #maxWords: number;

  /** At most `maxWords` different words are kept apart: 1 to 1,000, default 64. */
  constructor(maxWords: number = 64) {
    this.#maxWords = maxWords;
  }

  /** How many words are kept apart. */
  get size(): number {
    return this.#counts.size;
  }

  /** Counts one. */
  add(word: string): void {
    const known = this.#counts.get(word);
    if (known !== undefined) this.#counts.set(word, known + 1);
    else if (this.#counts.size < this.#maxWords && isWord(word)) this.#counts.set(word, 1);
    else this.#counts.set(otherWord, (this.#counts.get(otherWord) ?? 0) + 1);
  }

  /** The words and their counts, in the order of their first appearance. */
  entries(): Iterable<readonly [string, number]> {
    return this.#counts;
  }
}

/**
 * The entries of somebody else's counts with the same guarantee: whatever is no word, and whatever comes behind the
 * first `maxWords`, is summed up as `other`.
 */
export function closedEntries(
  counts: Iterable<readonly [string, number]>,
  maxWords: number = 64,
): ReadonlyMap<string, number> {
  const closed = new Map<string, number>();
  for (const [word, count] of counts) {
    const key = isWord(word) && (closed.has(word) || closed.size < maxWords) ? word : otherWord;
    closed.set(key, (closed.get(key) ?? 0) + count);
  }
  return closed;
}
