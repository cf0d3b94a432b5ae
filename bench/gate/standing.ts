// Two tunnels that stand for the whole run, in the long-lived client process. What leaks on a connection while it lasts (a
// listener for each request, a half of a stream that is never closed) is gone with the connection, and so in no reading
// between clients that come and go; and a client that was shut out must be there to be missed.

import { CaissonError } from "../../src/lifecycle/errors.ts";
import type { Ground } from "./ground.ts";

/** Requests to the steady tunnel in one round. */
const requestsPerRound = 40;
const connections = 4;

/** The clients that stay. */
export class Standing {
  readonly #ground: Ground;
  readonly #steady: string;
  /** Its client is replaced in every round. */
  readonly #changing: string;
  /** Whether something failed, so that nobody knows which of them still stand. */
  #broken = false;

  private constructor(ground: Ground, names: { readonly steady: string; readonly changing: string }) {
    this.#ground = ground;
    this.#steady = names.steady;
    this.#changing = names.changing;
  }

  /** Connects them. Rejects with E_GATE. */
  static async begin(ground: Ground): Promise<Standing> {
    const [steady, changing] = ground.names(2);
    if (steady === undefined || changing === undefined) throw new CaissonError("E_INTERNAL", "there are no names");
    await ground.connect([steady, changing]);
    for (const name of [steady, changing]) ground.kept.add(name);
    return new Standing(ground, { steady, changing });
  }

  /**
   * Uses them as visitors do; resolves with how many requests that were. Rejects with E_GATE if an answer is wrong; the next
   * round then begins with new clients.
   */
  async round(): Promise<number> {
    const names = [this.#steady, this.#changing];
    if (this.#broken) {
      for (const name of names) this.#ground.kept.delete(name);
      await this.#ground.clear();
      await this.#ground.connect(names);
      for (const name of names) this.#ground.kept.add(name);
    }
    this.#broken = true;
    const requests = await this.#use();
    this.#broken = false;
    return requests;
  }

  async #use(): Promise<number> {
    const ground = this.#ground;
    await ground.takeOver([this.#changing]);
    const steady = [this.#steady];
    const visits = [
      await ground.visit(steady, { do: "load", amount: requestsPerRound, connections }),
      await ground.visit(steady, { do: "abort", when: "before" }),
      await ground.visit(steady, { do: "abort", when: "within" }),
      await ground.visit(steady, { do: "webSocket", leave: false }),
      await ground.visit(steady, { do: "webSocket", leave: true }),
      await ground.visit([this.#steady, this.#changing], { do: "get" }),
    ];
    return visits.flatMap((counts) => Object.values(counts)).reduce((sum, count) => sum + count, 0);
  }
}
