// One value per resource kind, as a record that the compiler knows to be complete.

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
