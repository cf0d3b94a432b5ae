// One value per resource kind, as a record that the compiler knows to be complete, and a look-up for the hot path.

import type { ResourceKind } from "../lifecycle/resource.ts";

/** A record whose values `make` makes. */
export function byKind<T>(make: (kind: ResourceKind) => T): Record<ResourceKind, T> {
  return {
    session: make("session"),
    tunnel: make("tunnel"),
    stream: make("stream"),
    exchange: make("exchange"),
    pipe: make("pipe"),
    session_socket: make("session_socket"),
    visitor_socket: make("visitor_socket"),
    local_socket: make("local_socket"),
    tls_context: make("tls_context"),
    deadline: make("deadline"),
    listener: make("listener"),
    snapshot: make("snapshot"),
    span: make("span"),
  };
}

/**
 * Finds what belongs to a kind. Streams and exchanges, which come with every request, are compared: to look a name up in
 * a record costs some eighty instructions, and a request does it a dozen times.
 */
export class KindLookup<T> {
  readonly #all: Readonly<Record<ResourceKind, T>>;
  readonly #stream: T;
  readonly #exchange: T;

  constructor(all: Readonly<Record<ResourceKind, T>>) {
    this.#all = all;
    this.#stream = all.stream;
    this.#exchange = all.exchange;
  }

  /** The value of `kind`. */
  of(kind: ResourceKind): T {
    if (kind === "stream") return this.#stream;
    if (kind === "exchange") return this.#exchange;
    return this.#all[kind];
  }
}
