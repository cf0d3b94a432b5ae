// Counts aborted requests per visitor address, so that one address cannot make targets start work without end
// (the "rapid reset" pattern). Never counted against a session. Addresses count by their network. Memory is bounded: two
// windows of at most 4,096 of them.

import type { Deadline } from "../lifecycle/deadlines.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { networkOf } from "../tokens/address-network.ts";

const maxAddresses = 4_096;

/** Options of {@link AbortGuard}. */
export interface AbortGuardOptions {
  readonly runtime: Runtime;
  /** How many aborts are too many. */
  readonly maxAborts: number;
  /** Within how many milliseconds. */
  readonly windowMs: number;
}

/** The counts of the running window and of the one before it. */
export class AbortGuard {
  readonly #options: AbortGuardOptions;
  readonly #turn: Deadline;
  #current = new Map<string, number>();
  #previous = new Map<string, number>();

  constructor(options: AbortGuardOptions) {
    this.#options = options;
    this.#turn = options.runtime.deadlines.create(() => this.#rotate());
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  /** A visitor from this address aborted a request. */
  count(address: string): void {
    const network = networkOf(address);
    const aborts = this.#current.get(network) ?? 0;
    if (aborts === 0 && this.#current.size >= maxAddresses) return;
    this.#current.set(network, aborts + 1);
    if (!this.#turn.armed) this.#turn.arm(this.#options.windowMs);
  }

  /** Whether requests from this address are turned away for now. */
  blocks(address: string): boolean {
    if (this.#current.size === 0 && this.#previous.size === 0) return false;
    const network = networkOf(address);
    return Math.max(this.#current.get(network) ?? 0, this.#previous.get(network) ?? 0) >= this.#options.maxAborts;
  }

  /** Stops counting. */
  close(): void {
    this.#turn.dispose("closed");
    this.#current.clear();
    this.#previous.clear();
  }

  #rotate(): void {
    this.#previous = this.#current;
    this.#current = new Map();
    if (this.#previous.size > 0) this.#turn.arm(this.#options.windowMs);
  }
}
