// The last numbers of one series, in a typed array that never grows. What is not a number is a gap. Pure.

/** A fixed number of values; the oldest give way. */
export class Ring {
  readonly #values: Float64Array;
  #next = 0;
  #size = 0;

  /** Keeps `capacity` values, at least one. */
  constructor(capacity: number) {
    this.#values = new Float64Array(Math.max(1, capacity));
  }

  /** How many values there are. */
  get size(): number {
    return this.#size;
  }

  /** The newest value; undefined without any, and for a gap. */
  get latest(): number | undefined {
    return this.at(this.#size - 1);
  }

  /** Adds a value; null is a gap. */
  push(value: number | null): void {
    this.#values[this.#next] = value ?? Number.NaN;
    this.#next = (this.#next + 1) % this.#values.length;
    this.#size = Math.min(this.#size + 1, this.#values.length);
  }

  /** The value at `index`, 0 being the oldest; undefined for a gap and beyond the ends. */
  at(index: number): number | undefined {
    if (index < 0 || index >= this.#size) return undefined;
    const { length } = this.#values;
    const value = this.#values[(this.#next - this.#size + index + length) % length];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  /** Writes all values into `target`, the oldest first, gaps as null, and makes it as long as they are many. */
  copyTo(target: (number | null)[]): void {
    target.length = this.#size;
    for (let index = 0; index < this.#size; index += 1) target[index] = this.at(index) ?? null;
  }

  /** Forgets all values. */
  clear(): void {
    this.#next = 0;
    this.#size = 0;
  }
}
