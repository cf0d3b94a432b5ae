// Who has which public name: a live tunnel, or nobody for the time that a vanished client's name is kept.
// Entries change hands and go away by identity, so that the close of an old session never removes a new one's entry.

import type { Deadline } from "../lifecycle/deadlines.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { ServerLimits } from "./limits.ts";
import type { Tunnel } from "./tunnel.ts";

/** A request that waits for a held name. */
export interface NameWaiter {
  /** The name has a tunnel again. */
  onNameBack(tunnel: Tunnel): void;
  /** The name was released, or the wait is over. */
  onNameLost(): void;
}

/** A name whose client vanished. */
export class HeldName {
  readonly name: string;
  /** What its tunnel carried. */
  readonly type: Tunnel["type"];
  /** The client process that had it. */
  readonly instance: string;
  /** The token that it logged in with. */
  readonly tokenId: string | undefined;
  readonly waiters: Set<NameWaiter> = new Set();
  readonly #expiry: Deadline;

  constructor(tunnel: Tunnel, expiry: Deadline) {
    this.name = tunnel.name;
    this.type = tunnel.type;
    this.instance = tunnel.session.instance;
    this.tokenId = tunnel.session.token?.id;
    this.#expiry = expiry;
  }

  /** Starts the clock. */
  arm(ms: number): void {
    this.#expiry.arm(ms);
  }

  /** Stops the clock. */
  release(reason: string): void {
    this.#expiry.dispose(reason);
  }
}

/** The names of one server. */
export class NameTable {
  readonly #runtime: Runtime;
  readonly #limits: ServerLimits;
  readonly #entries = new Map<string, Tunnel | HeldName>();
  /** Those of the entries that are held. */
  readonly #held = new Set<HeldName>();
  /** Hears of every name that is nobody's any more. */
  onFreed: (name: string) => void = () => undefined;

  constructor(runtime: Runtime, limits: ServerLimits) {
    this.#runtime = runtime;
    this.#limits = limits;
  }

  /** Names with a tunnel. */
  get live(): number {
    return this.#entries.size - this.held;
  }

  /** Names kept for vanished clients. */
  get held(): number {
    return this.#held.size;
  }

  /** Requests that wait for held names. Walks these: for scrapes, not for requests. */
  get waiting(): number {
    let count = 0;
    for (const { waiters } of this.#held) count += waiters.size;
    return count;
  }

  /** What stands under the name, if anything. */
  find(name: string): Tunnel | HeldName | undefined {
    return this.#entries.get(name);
  }

  /** Puts the tunnel under its name, whatever stood there, and lets waiting requests through. Answers the tunnel it displaced. */
  claim(tunnel: Tunnel): Tunnel | undefined {
    const before = this.#entries.get(tunnel.name);
    this.#entries.set(tunnel.name, tunnel);
    if (!(before instanceof HeldName)) return before;
    this.#held.delete(before);
    before.release("resumed");
    const waiters = [...before.waiters];
    before.waiters.clear();
    for (const waiter of waiters) waiter.onNameBack(tunnel);
    return undefined;
  }

  /** Frees the tunnel's name, if it still stands there. */
  release(tunnel: Tunnel): void {
    if (this.#entries.get(tunnel.name) === tunnel) this.#free(tunnel.name);
  }

  /** Keeps the name of a vanished client's tunnel, if the tunnel still stands there, and there is room for it. */
  hold(tunnel: Tunnel): void {
    if (this.#entries.get(tunnel.name) !== tunnel) return;
    const { nameHoldMs, maxHeldNames } = this.#limits;
    const full = this.#held.size >= maxHeldNames;
    if (full) this.#runtime.events.refused("held_names");
    if (full || nameHoldMs <= 0) {
      this.#free(tunnel.name);
      return;
    }
    const held = new HeldName(
      tunnel,
      this.#runtime.deadlines.create(() => this.#drop(held, "expired")),
    );
    held.arm(nameHoldMs);
    this.#held.add(held);
    this.#entries.set(tunnel.name, held);
  }

  /** Adds a request to those that wait for the name; false if too many do. */
  wait(held: HeldName, waiter: NameWaiter): boolean {
    if (held.waiters.size >= this.#limits.maxNameWaiters) return false;
    held.waiters.add(waiter);
    return true;
  }

  /** Frees the held names that are not to be kept any longer. */
  review(mayKeep: (held: HeldName) => boolean): void {
    for (const held of this.#held) if (!mayKeep(held)) this.#drop(held, "revoked");
  }

  /** Forgets everything. */
  close(): void {
    for (const held of this.#held) this.#drop(held, "closed");
    this.#entries.clear();
  }

  #free(name: string): void {
    this.#entries.delete(name);
    this.onFreed(name);
  }

  #drop(held: HeldName, reason: string): void {
    if (this.#entries.get(held.name) === held) this.#free(held.name);
    this.#held.delete(held);
    held.release(reason);
    const waiters = [...held.waiters];
    held.waiters.clear();
    for (const waiter of waiters) waiter.onNameLost();
  }
}
