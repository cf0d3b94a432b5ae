// Ownership: what was acquired, and how each is released. A scope releases everything exactly once, the last first,
// and afterwards refers to nothing. What is given to a scope that is already closed is released at once.

/** How one value is released. `reason` is the one given to {@link Scope.close} (or {@link Scope.release}). */
export type Release<T> = (value: T, reason: string) => void;

interface Owned {
  readonly value: unknown;
  release(reason: string): void;
}

/** Owns resources on behalf of one longer-lived object. */
export class Scope {
  #owned: Owned[] = [];
  #closedBy: string | undefined;
  readonly #onReleaseError: (error: unknown) => void;

  /** `onReleaseError` hears of every release that threw; the others still run. It must not throw. */
  constructor(onReleaseError: (error: unknown) => void) {
    this.#onReleaseError = onReleaseError;
  }

  /** True from the first call of {@link close} on. */
  get closed(): boolean {
    return this.#closedBy !== undefined;
  }

  /** How many values are owned now. */
  get size(): number {
    return this.#owned.length;
  }

  /**
   * Takes ownership of `value`; stands on the line after its acquisition. If the scope is closed already,
   * `release` runs at once with the reason of that close.
   */
  own<T>(value: T, release: Release<T>): T {
    const owned: Owned = { value, release: (reason) => release(value, reason) };
    if (this.#closedBy === undefined) this.#owned.push(owned);
    else this.#run(owned, this.#closedBy);
    return value;
  }

  /** Releases one owned value before the scope closes, found by identity. Does nothing if it is not owned (any more). */
  release(value: unknown, reason: string): void {
    const owned = this.#take(value);
    if (owned) this.#run(owned, reason);
  }

  /** Gives up ownership without releasing: the value has ended by itself or has a new owner. */
  disown(value: unknown): void {
    this.#take(value);
  }

  /** Releases everything, the last acquired first. Idempotent: only the first call's reason counts. */
  close(reason: string): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = reason;
    for (let owned = this.#owned.pop(); owned; owned = this.#owned.pop()) this.#run(owned, reason);
  }

  #take(value: unknown): Owned | undefined {
    const index = this.#owned.findLastIndex((owned) => owned.value === value);
    return index < 0 ? undefined : this.#owned.splice(index, 1)[0];
  }

  #run(owned: Owned, reason: string): void {
    try {
      owned.release(reason);
    } catch (error) {
      this.#onReleaseError(error);
    }
  }
}
