// A process of its own that plays a role, so that its CPU time is its own. It is asked over a channel, every answer has a
// deadline, and it is gone when it is disposed of, or when this process is.

import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import type { Answers, Order } from "./role-orders.ts";
import { isReply } from "./role-orders.ts";

/** How long an answer may take, in milliseconds: a crowd of 10,000 takes its time. */
const patienceMs = 240_000;

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** One process. */
export class RoleProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiter>();
  #lastId = 0;

  /** Starts it. `nodeFlags` are for node itself. */
  constructor(nodeFlags: readonly string[] = []) {
    const file = fileURLToPath(new URL("role-worker.js", import.meta.url));
    this.#child = fork(file, [], { execArgv: [...nodeFlags], stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.#child.on("message", (message) => this.#onMessage(message));
    this.#child.once("exit", () => this.#onExit());
  }

  /** To be read by; 0 if it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Gives an order. Rejects with E_GATE if it fails, takes too long, or the process is gone. */
  async ask<Name extends Order["do"]>(order: Extract<Order, { readonly do: Name }>): Promise<Answers[Name]> {
    const id = (this.#lastId += 1);
    const answer = await new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(id, `no answer to "${order.do}" in ${patienceMs} ms`), patienceMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#child.send({ id, order }, (error) => {
        if (error) this.#fail(id, error.message);
      });
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the worker is of this build: it answers what the table says
    return answer as Answers[Name];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }

  #onMessage(message: unknown): void {
    if (!isReply(message)) return;
    if (message.error !== undefined) this.#fail(message.id, message.error);
    else this.#take(message.id)?.resolve(message.value);
  }

  #onExit(): void {
    for (const id of this.#waiting.keys()) this.#fail(id, "the process has ended");
  }

  #fail(id: number, why: string): void {
    this.#take(id)?.reject(new CaissonError("E_GATE", `a process of the bench: ${why}`));
  }

  #take(id: number): Waiter | undefined {
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiter?.timer);
    return waiter;
  }
}
