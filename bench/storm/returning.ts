// The clients of a server that is killed: as many processes as they need, and when each of their tunnels stood again.

import { CaissonError } from "../../src/lifecycle/errors.ts";
import { RoleProcess } from "../harness/role-process.ts";

/** Sessions of one client process: a process may have 20,000 descriptors on common machines, often fewer. */
const sessionsPerProcess = 5_000;
const lookMs = 250;

/** How they came back. */
export interface Returned {
  /** When each stood again, in milliseconds of the machine's clock, in order. */
  readonly atMs: readonly number[];
  /** Those that came back under another name. */
  readonly renamed: number;
  /** Reasons of losses and failed attempts, with how often each came. */
  readonly troubles: Readonly<Record<string, number>>;
}

/** A crowd in several processes, which keeps what it knows when the server is gone. */
export class ReturningCrowd implements AsyncDisposable {
  readonly #processes: RoleProcess[] = [];
  readonly #clients: number;

  private constructor(clients: number) {
    this.#clients = clients;
  }

  /** Connects them; resolves when all stand. */
  static async gather(
    place: { readonly server: string; readonly target: number },
    clients: number,
  ): Promise<ReturningCrowd> {
    const crowd = new ReturningCrowd(clients);
    try {
      const orders: Promise<unknown>[] = [];
      for (let left = clients; left > 0; left -= sessionsPerProcess) {
        const one = new RoleProcess();
        crowd.#processes.push(one);
        const sessions = Math.min(left, sessionsPerProcess);
        orders.push(one.ask<"crowd">({ do: "crowd", keepAlive: "usual", ...place, sessions, tunnelsEach: 1 }));
      }
      await Promise.all(orders);
      return crowd;
    } catch (error) {
      await crowd[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Resolves when all stand again after a loss. Rejects with E_GATE if they do not within `patienceMs`. */
  async allBack(patienceMs: number): Promise<Returned> {
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      const states = await Promise.all(this.#processes.map((one) => one.ask<"standing">({ do: "standing" })));
      const atMs = states.flatMap((state) => state.returnedAtMs).toSorted((a, b) => a - b);
      const standing = states.reduce((sum, state) => sum + state.standing, 0);
      const troubles: Record<string, number> = {};
      for (const state of states) {
        for (const [name, times] of Object.entries(state.troubles)) troubles[name] = (troubles[name] ?? 0) + times;
      }
      if (standing === this.#clients && atMs.length >= this.#clients) {
        return { atMs, renamed: states.reduce((sum, state) => sum + state.renamed, 0), troubles };
      }
      if (performance.now() > untilMs) {
        const how = `${standing} of ${this.#clients} clients stand after ${patienceMs} ms: ${JSON.stringify(troubles)}`;
        throw new CaissonError("E_GATE", how);
      }
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map(async (one) => one[Symbol.asyncDispose]()));
  }
}
