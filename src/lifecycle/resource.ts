// The kinds of things that are opened and must be closed, and what every one of them can say of itself.
// Ledgers, metrics and leak reports are keyed by these names; nothing is created whose kind is not listed here.

/** Every resource kind of Caisson, in the order in which ledgers and tables show them. */
export const resourceKinds = [
  "session",
  "tunnel",
  "stream",
  "exchange",
  "pipe",
  "session_socket",
  "visitor_socket",
  "local_socket",
  "tls_context",
  "deadline",
  "listener",
  "snapshot",
  "span",
] as const;

/** One of {@link resourceKinds}. */
export type ResourceKind = (typeof resourceKinds)[number];

/** Whether it is rare, and most often stands for long: the others come and go with every connection or exchange. */
export function isStanding(kind: ResourceKind): boolean {
  return kind === "session" || kind === "tunnel" || kind === "pipe" || kind === "snapshot";
}

/** Anything that is opened and must be closed. Implemented by the resource classes themselves, never by wrappers made for observers. */
export interface Resource {
  readonly kind: ResourceKind;
  /** `performance.now()` at the moment of opening, in milliseconds. Monotonic; never a wall-clock time. */
  readonly openedAtMs: number;
}

/**
 * What a role (server or client) holds right now, read from the real containers at the moment of asking:
 * never a counter that goes up and down. Kinds that the role cannot hold are absent.
 */
export interface Inventory {
  /** The number of resources of each kind that some container still refers to. */
  readonly held: Partial<Record<ResourceKind, number>>;
  /**
   * The size of each named map, set, queue or pool, and the listener count of each long-lived emitter. A name that begins
   * with `never.` counts what no healthy role has at any moment: it reads zero, or something is wrong.
   */
  readonly probes: Readonly<Record<string, number>>;
}
