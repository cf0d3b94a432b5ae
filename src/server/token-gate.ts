// Who may log in, and what each login may do, where the server has tokens. It judges logins, slows down who guesses, and
// ends the sessions of tokens that were revoked, have expired, or lost a name.

import type { Deadline } from "../lifecycle/deadlines.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { GuessLimiter } from "../tokens/guess-limiter.ts";
import type { TokenEntry, TokenRefusal, TokenTable } from "../tokens/token-table.ts";
import { hasExpired } from "../tokens/token-table.ts";
import { looksRandom } from "./names.ts";

/** A session as the gate sees it. */
export interface GatedSession {
  /** What it logged in with. */
  readonly token: TokenEntry | undefined;
  /** Whether it is to be counted: one that is ending is on its way out. */
  readonly stays: boolean;
  /** The tunnels that it has. */
  readonly tunnels: ReadonlyMap<number, { readonly name: string }>;
  /** The token is not valid any more. */
  revoke(): void;
  /** The scopes have changed: what this token does not cover any more is to be given up. */
  rescope(token: TokenEntry): void;
}

/** What a tunnel is reached by. */
export interface GatedPlace {
  readonly name: string;
  /** The public port of a TCP tunnel; undefined for others. */
  readonly port: number | undefined;
}

/** Options of {@link TokenGate}. */
export interface TokenGateOptions {
  readonly runtime: Runtime;
  readonly table: TokenTable;
  /** Tokens have changed or ended: what is kept for their holders is to be looked through. */
  readonly onChanged: () => void;
}

/** What a login came to. `retrySeconds` is above 0 for an address that guesses too often. */
export type LoginVerdict =
  | { readonly token: TokenEntry }
  | { readonly refusal: TokenRefusal; readonly retrySeconds: number };

/** The clock on the wall, which expiry goes by, may jump: it is looked at this often at least. Milliseconds. */
const longestWaitMs = 60_000;

/** The tokens of a running server. */
export class TokenGate {
  readonly #options: TokenGateOptions;
  readonly #limiter = new GuessLimiter();
  readonly #expiry: Deadline;
  /** By the id of their token, so that a login among thousands looks at its own only. */
  readonly #sessions = new Map<string, Set<GatedSession>>();
  #table: TokenTable;

  constructor(options: TokenGateOptions) {
    this.#options = options;
    this.#table = options.table;
    this.#expiry = options.runtime.deadlines.create(() => this.#endExpired());
    this.#awaitExpiry();
  }

  /** The tokens in force. */
  get table(): TokenTable {
    return this.#table;
  }

  /** How many addresses have guessed lately. */
  get guessers(): number {
    return this.#limiter.size;
  }

  /** Judges an `Authorization` field. `address` is whose guess it is if it is wrong. */
  judge(field: string | undefined, address: string): LoginVerdict {
    const [, presented] = /^bearer +(\S{1,8192}) *$/iu.exec(field ?? "") ?? [];
    const verdict = this.#table.judge(presented, Date.now());
    return "token" in verdict ? verdict : { ...verdict, retrySeconds: this.#limiter.wrong(address) };
  }

  /** Whether the token may have the name, a random one or any other. */
  mayUse(token: TokenEntry, name: string): boolean {
    return this.#table.mayUse(token, name) || (looksRandom(name) && this.#table.mayUseRandom(token, name));
  }

  /** Whether the token's scope holds what stands under a name: its port, where it has one, and the name. */
  covers(token: TokenEntry, { name, port }: GatedPlace): boolean {
    if (port === undefined) return this.mayUse(token, name);
    // What a TCP tunnel is reached by is its port: a random name for it needs no scope.
    return this.#table.mayUsePort(token, port) && (looksRandom(name) || this.mayUse(token, name));
  }

  /** Whether a place is still to be kept for the holder of the token with this id. */
  mayKeep(place: GatedPlace, tokenId: string): boolean {
    const token = this.#table.get(tokenId);
    return token !== undefined && !hasExpired(token, Date.now()) && this.covers(token, place);
  }

  /** A session has begun. */
  join(session: GatedSession, { id }: TokenEntry): void {
    const sessions = this.#sessions.get(id) ?? new Set();
    this.#sessions.set(id, sessions.add(session));
  }

  /** The session is gone. */
  leave(session: GatedSession, { id }: TokenEntry): void {
    const sessions = this.#sessions.get(id);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#sessions.delete(id);
  }

  /** How many sessions of the token there are, but those that end. */
  countSessions({ id }: TokenEntry): number {
    let count = 0;
    for (const { stays } of this.#sessions.get(id) ?? []) if (stays) count += 1;
    return count;
  }

  /** How many tunnels all sessions of the token have, but the one under `name`, which a new one would replace. */
  countTunnels({ id }: TokenEntry, name: string | undefined): number {
    let count = 0;
    for (const { tunnels } of this.#sessions.get(id) ?? []) {
      for (const tunnel of tunnels.values()) if (tunnel.name !== name) count += 1;
    }
    return count;
  }

  /** How many sessions it knows. Walks the tokens that have some: for scrapes. */
  get sessions(): number {
    let count = 0;
    for (const { size } of this.#sessions.values()) count += size;
    return count;
  }

  /** Other tokens are in force from now on: sessions whose token is not among them end at once. */
  replace(table: TokenTable): void {
    this.#table = table;
    for (const [id, sessions] of this.#sessions) {
      const entry = table.get(id);
      for (const session of sessions) {
        if (entry === undefined) session.revoke();
        else session.rescope(entry);
      }
    }
    this.#endExpired();
  }

  /** Looks at no clock any more. */
  close(): void {
    this.#expiry.dispose("closed");
  }

  #endExpired(): void {
    const nowMs = Date.now();
    for (const [id, sessions] of this.#sessions) {
      const entry = this.#table.get(id);
      if (entry && hasExpired(entry, nowMs)) for (const session of sessions) session.revoke();
    }
    this.#options.onChanged();
    this.#awaitExpiry();
  }

  #awaitExpiry(): void {
    const nowMs = Date.now();
    const nextMs = this.#table.nextExpiryMs(nowMs);
    if (nextMs === undefined) this.#expiry.disarm();
    else this.#expiry.arm(Math.min(nextMs - nowMs, longestWaitMs));
  }
}
