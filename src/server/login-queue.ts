// Logins that wait for their turn. It owns no socket, only a login's place, and gives each place up exactly once. Node
// accepts one connection per turn of the event loop, visitors and clients in one row: when a crowd of clients returns, its
// logins wait here until that row is short, so that visitors in it need not. It bounds how many wait, and for how long.
//
//   add ──> waiting ── a turn in which nobody came in, or one turn in `busyTurns` ──> taken
//    │         └── its time is over ──> refused
//    └── too many wait, or the first has waited for half of its time ──> refused

import type { OwnConnection } from "./visitor-owner.ts";

/** Why a login is turned away, as metrics name it. */
export type LoginQueueRefusal = "waiting_logins" | "login_wait";

/** Options of {@link LoginQueue}. */
export interface LoginQueueOptions {
  /** How many may wait. */
  readonly maxWaiting: number;
  /** How long one may wait, in milliseconds. */
  readonly maxWaitMs: number;
  /** How many connections were accepted so far. */
  readonly accepted: () => number;
  /** Logs one in. */
  readonly take: (login: OwnConnection) => void;
  /** Turns one away that has waited. */
  readonly refuse: (login: OwnConnection, reason: LoginQueueRefusal) => void;
}

/** Logins of one turn in which nobody came in: whoever comes next waits a few milliseconds for them. */
const loginsPerTurn = 4;

/**
 * While connections come in, one login is taken in so many turns: an endless row of visitors does not keep clients out,
 * and most of the time is the row's.
 */
const busyTurns = 8;

/** The logins of one server that wait, the oldest first. */
export class LoginQueue {
  readonly #options: LoginQueueOptions;
  /** Each with the time at which it came. */
  readonly #waiting: Map<OwnConnection, number> = new Map();
  #scheduled = false;
  #accepted = 0;
  #passed = 0;

  constructor(options: LoginQueueOptions) {
    this.#options = options;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Lets a login wait, or answers why not. One whose socket is destroyed while it waits is passed over in its turn. */
  add(login: OwnConnection): LoginQueueRefusal | undefined {
    const { maxWaiting, maxWaitMs } = this.#options;
    const nowMs = performance.now();
    // Whoever comes behind one that has waited for so long would wait in vain, and give up.
    if (this.#waiting.size >= maxWaiting || this.#oldestMs(nowMs) > maxWaitMs / 2) return "waiting_logins";
    this.#waiting.set(login, nowMs);
    this.#schedule();
    return undefined;
  }

  /** Forgets all that wait. */
  close(): void {
    this.#waiting.clear();
  }

  /** For how long the first has waited. */
  #oldestMs(nowMs: number): number {
    const first = this.#waiting.values().next();
    return first.done === true ? 0 : nowMs - first.value;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#scheduled = false;
    const nowMs = performance.now();
    const accepted = this.#options.accepted();
    const quiet = accepted === this.#accepted;
    this.#accepted = accepted;
    this.#passed += 1;
    if (quiet) this.#takeSome(loginsPerTurn, nowMs);
    else if (this.#passed >= busyTurns) this.#takeSome(1, nowMs);
    if (this.#waiting.size > 0) this.#schedule();
  };

  #takeSome(count: number, nowMs: number): void {
    const { maxWaitMs, take, refuse } = this.#options;
    this.#passed = 0;
    let left = count;
    for (const [login, sinceMs] of this.#waiting) {
      if (left === 0) return;
      this.#waiting.delete(login);
      if (login.socket.destroyed) continue;
      if (nowMs - sinceMs > maxWaitMs) refuse(login, "login_wait");
      else {
        take(login);
        left -= 1;
      }
    }
  }
}
