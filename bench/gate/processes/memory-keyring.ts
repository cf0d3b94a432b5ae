// Keeps resume keys in memory, so that a second client of this process may take a name over from the first.

import type { Keyring } from "../../../src/index.ts";

/** Keys by name. The servers are not told apart: a gate run has one. */
export class MemoryKeyring implements Keyring {
  readonly #keys: Map<string, string> = new Map();

  find(_server: string, name: string): string | undefined {
    return this.#keys.get(name);
  }

  keep(_server: string, given: Parameters<Keyring["keep"]>[1]): void {
    this.#keys.set(given.name, given.resumeKey);
  }

  /** Lets go of the key of a name that is not needed again. */
  forget(name: string): void {
    this.#keys.delete(name);
  }
}
