// Things to be released together, the last one first: what `await using` cannot hold because it leaves the function that
// made it.

/** A pile of them. */
export class AsyncResources implements AsyncDisposable {
  readonly #releases: (() => Promise<void>)[] = [];

  /** Takes something over, and gives it back. */
  own<T extends AsyncDisposable>(resource: T): T {
    this.#releases.push(async () => await resource[Symbol.asyncDispose]());
    return resource;
  }

  /** Takes over what only has a function that releases it. */
  after(release: () => void): void {
    this.#releases.push(() => Promise.resolve(release()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const release of this.#releases.splice(0).toReversed()) await release();
  }
}
