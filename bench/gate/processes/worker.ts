// The parent's end of a worker process: sends orders, and gives back their answers.

import { fileURLToPath } from "node:url";
import { CaissonError } from "../../../src/lifecycle/errors.ts";
import { NodeProcess } from "./node-process.ts";
import type { AnswerMessage, Counts } from "./orders.ts";
import { isAnswer } from "./orders.ts";

/** How a worker is started. */
export interface WorkerOptions {
  /** The program, beside this file. */
  readonly script: string;
  readonly title: string;
  readonly nodeFlags?: readonly string[];
}

/** A worker that takes orders of one type. */
export class Worker<Order> {
  readonly process: NodeProcess;
  readonly #waiting: Map<number, { resolve(counts: Counts): void; reject(error: CaissonError): void }> = new Map();
  #last = 0;

  constructor({ script, title, nodeFlags = [] }: WorkerOptions) {
    this.process = new NodeProcess({
      title,
      nodeFlags,
      script: fileURLToPath(new URL(script, import.meta.url)),
      onMessage: (message) => {
        if (isAnswer(message)) this.#onAnswer(message);
      },
    });
    void this.process.ended.then(() => this.#fail());
  }

  /** Sends an order. Rejects with E_GATE if it could not be carried out, or the worker died. */
  ask(order: Order): Promise<Counts> {
    this.#last += 1;
    const number = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      try {
        this.process.send({ order, number });
      } catch (error) {
        this.#waiting.delete(number);
        reject(CaissonError.from(error, "E_GATE"));
      }
    });
  }

  #onAnswer({ number, counts, error }: AnswerMessage): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (error === undefined) waiting?.resolve(counts ?? {});
    else waiting?.reject(new CaissonError("E_GATE", `${this.process.title}: ${error}`));
  }

  #fail(): void {
    for (const { reject } of this.#waiting.values()) reject(this.process.failure());
    this.#waiting.clear();
  }
}
