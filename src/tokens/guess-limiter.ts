// Slows down who guesses tokens, per address and in all, in bounded memory. It is asked after a guess was wrong: whoever
// has the token is never locked out by those who have not, which matters on loopback, where all share one address. What
// keeps the token secret is its length; what this keeps is the cost of guesses low and the log short. Addresses count by
// their network (address-network.ts).

import { networkOf } from "./address-network.ts";

/** Options of {@link GuessLimiter}. Defaults are those of docs/limits.md. */
export interface GuessLimits {
  /** Wrong guesses that an address may make in a burst, 1 to 1,000. Default 10. */
  readonly burst?: number;
  /** How long until it may make another one, in milliseconds. Default 6,000. */
  readonly refillMs?: number;
  /** The same for all addresses together. Default 100. */
  readonly globalBurst?: number;
  /** Default 600. */
  readonly globalRefillMs?: number;
  /** How many addresses are remembered; the one that guessed least recently is forgotten first. Default 1,000. */
  readonly maxAddresses?: number;
}

interface Bucket {
  left: number;
  atMs: number;
}

/** Counts wrong guesses. */
export class GuessLimiter {
  readonly #burst: number;
  readonly #refillMs: number;
  readonly #globalBurst: number;
  readonly #globalRefillMs: number;
  readonly #maxAddresses: number;
  readonly #addresses: Map<string, Bucket> = new Map();
  readonly #global: Bucket;

  constructor(limits: GuessLimits = {}) {
    this.#burst = limits.burst ?? 10;
    this.#refillMs = limits.refillMs ?? 6_000;
    this.#globalBurst = limits.globalBurst ?? 100;
    this.#globalRefillMs = limits.globalRefillMs ?? 600;
    this.#maxAddresses = limits.maxAddresses ?? 1_000;
    this.#global = { left: this.#globalBurst, atMs: performance.now() };
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#addresses.size;
  }

  /** A guess from this address was wrong. Answers how long it should wait, in seconds; 0 if it may try again at once. */
  wrong(address: string): number {
    const nowMs = performance.now();
    const key = networkOf(address);
    const bucket = this.#addresses.get(key) ?? { left: this.#burst, atMs: nowMs };
    this.#addresses.delete(key);
    this.#addresses.set(key, bucket);
    if (this.#addresses.size > this.#maxAddresses) this.#forgetOldest();
    const own = take(bucket, { nowMs, burst: this.#burst, refillMs: this.#refillMs });
    if (own > 0) return own;
    return take(this.#global, { nowMs, burst: this.#globalBurst, refillMs: this.#globalRefillMs });
  }

  #forgetOldest(): void {
    for (const key of this.#addresses.keys()) {
      this.#addresses.delete(key);
      return;
    }
  }
}

function take(
  bucket: Bucket,
  rate: { readonly nowMs: number; readonly burst: number; readonly refillMs: number },
): number {
  const { nowMs, burst, refillMs } = rate;
  bucket.left = Math.min(burst, bucket.left + (nowMs - bucket.atMs) / refillMs);
  bucket.atMs = nowMs;
  if (bucket.left >= 1) {
    bucket.left -= 1;
    return 0;
  }
  return Math.max(1, Math.ceil(((1 - bucket.left) * refillMs) / 1000));
}
