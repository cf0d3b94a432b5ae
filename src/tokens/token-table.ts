// The tokens that a server knows at one moment, and what each of them may do. Immutable: a change of the file makes a new
// table. A token is found by the digest of what is presented, compared in constant time, whether there is one or not.

import { timingSafeEqual } from "node:crypto";
import type { PortRange } from "./name-pattern.ts";
import { anyName, matchesWildcard, patternKind } from "./name-pattern.ts";
import { digestOf, idOf } from "./token-text.ts";

/** One token, as it is kept. */
export interface TokenEntry {
  /** Part of the digest; for people and commands. */
  readonly id: string;
  /** For people; may be empty. */
  readonly label: string;
  /** SHA-256 of the token. */
  readonly digest: Buffer;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  /** When it ends, in milliseconds since 1970; undefined if it does not. */
  readonly expiresMs: number | undefined;
  /** Names and wildcards it may use; `*` also stands for random names. */
  readonly names: readonly string[];
  /** Public TCP ports it may use. */
  readonly ports: readonly PortRange[];
  /** Tunnels it may have at once; undefined for the server's own limit. */
  readonly maxTunnels: number | undefined;
}

/** Why a login was turned away. Told to metrics and logs, never to the peer. */
export type TokenRefusal = "token_missing" | "token_unknown" | "token_expired";

/** What a presented token came to. */
export type TokenVerdict = { readonly token: TokenEntry } | { readonly refusal: TokenRefusal };

interface Wildcard {
  readonly pattern: string;
  readonly owners: Set<string>;
}

/** Compared with what is presented where there is no such token, so that both take the same way. */
const nobody = Buffer.alloc(32);

/** The tokens of a server. */
export class TokenTable {
  readonly #entries: ReadonlyMap<string, TokenEntry>;
  /** Who lists a name as it is. */
  readonly #exact: Map<string, Set<string>> = new Map();
  /** The longest first: the most precise one that stands for a name decides whose it is. */
  readonly #wildcards: readonly Wildcard[];

  constructor(entries: readonly TokenEntry[]) {
    this.#entries = new Map(entries.map((entry) => [entry.id, entry]));
    const wildcards = new Map<string, Wildcard>();
    for (const { id, names } of entries) {
      for (const pattern of names) {
        if (patternKind(pattern) === "exact") ownersOf(this.#exact, pattern).add(id);
        else {
          const wildcard = wildcards.get(pattern) ?? { pattern, owners: new Set() };
          wildcard.owners.add(id);
          wildcards.set(pattern, wildcard);
        }
      }
    }
    this.#wildcards = [...wildcards.values()].toSorted((a, b) => b.pattern.length - a.pattern.length);
  }

  /** How many there are, expired ones included. */
  get size(): number {
    return this.#entries.size;
  }

  /** The token with this id, expired or not. */
  get(id: string): TokenEntry | undefined {
    return this.#entries.get(id);
  }

  /** All of them, in the order of the file. */
  entries(): Iterable<TokenEntry> {
    return this.#entries.values();
  }

  /** Judges what a client presents, at `nowMs` since 1970. Every answer takes the same steps. */
  judge(presented: string | undefined, nowMs: number): TokenVerdict {
    const digest = digestOf(presented ?? "");
    const entry = this.#entries.get(idOf(digest));
    const same = timingSafeEqual(digest, entry?.digest ?? nobody);
    if (presented === undefined) return { refusal: "token_missing" };
    if (!entry || !same) return { refusal: "token_unknown" };
    return hasExpired(entry, nowMs) ? { refusal: "token_expired" } : { token: entry };
  }

  /** Whether the token lists the name itself, which allows it even names that are kept from everybody else. */
  listsExactly({ id }: TokenEntry, name: string): boolean {
    return this.#exact.get(name)?.has(id) === true;
  }

  /**
   * Whether the token may use the name. The most precise pattern among all tokens decides: a name that some tokens list
   * is theirs alone, and `ci-*` takes the names that begin so from those who have `*`.
   */
  mayUse({ id }: TokenEntry, name: string): boolean {
    const owners = this.#exact.get(name);
    if (owners) return owners.has(id);
    let best = 0;
    for (const { pattern, owners: holders } of this.#wildcards) {
      if (pattern.length < best) return false;
      if (!matchesWildcard(pattern, name)) continue;
      if (holders.has(id)) return true;
      best = pattern.length;
    }
    return false;
  }

  /** Whether the token may have random names. Nobody's pattern takes one, unless it lists the very name. */
  mayUseRandom({ id, names }: TokenEntry, name: string): boolean {
    const owners = this.#exact.get(name);
    return names.includes(anyName) && (owners === undefined || owners.has(id));
  }

  /** Whether the token may use the public port. */
  mayUsePort({ ports }: TokenEntry, port: number): boolean {
    return ports.some(({ from, to }) => port >= from && port <= to);
  }

  /** When the next token ends after `nowMs`; undefined if none does. Milliseconds since 1970. */
  nextExpiryMs(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const { expiresMs } of this.#entries.values()) {
      if (expiresMs !== undefined && expiresMs > nowMs && (next === undefined || expiresMs < next)) next = expiresMs;
    }
    return next;
  }
}

/** Whether the token has ended. */
export function hasExpired({ expiresMs }: TokenEntry, nowMs: number): boolean {
  return expiresMs !== undefined && expiresMs <= nowMs;
}

function ownersOf(table: Map<string, Set<string>>, name: string): Set<string> {
  const owners = table.get(name) ?? new Set<string>();
  table.set(name, owners);
  return owners;
}
