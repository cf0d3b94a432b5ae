// Where resume keys of names outlive the process that was given them, so that a client that was killed takes its name
// back when it is started again. A key is as good as the name: whoever stores it keeps it to itself.

import type { GivenName } from "./link-session.ts";

/** Stores keys. Its methods must not throw. */
export interface Keyring {
  /** The key for `name` on `server`, if there is one. */
  find(server: string, name: string): string | undefined;
  /** Remembers what `server` gave. */
  keep(server: string, given: GivenName): void;
}

/** Remembers nothing. */
export const noKeyring: Keyring = Object.freeze({
  find: () => undefined,
  keep: () => undefined,
});
