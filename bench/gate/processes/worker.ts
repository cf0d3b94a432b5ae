// The parent's end of a worker process: sends orders, and gives back their answers.

import { fileURLToPath } from "node:url";
import { CaissonError } from "../../../src/lifecycle/errors.ts";
import { WrongAnswer } from "../network/wrong-answer.ts";
import type { OnStarted } from "./node-process.ts";
import { NodeProcess } from "./node-process.ts";
import type { AnswerMessage, Counts } from "./orders.ts";
import { isAnswer } from "./orders.ts";

/** How a worker is started. */
export interface WorkerOptions {
  /** The program, beside this file. */
  readonly script: string;
  readonly title: string;
  readonly nodeFlags?: readonly string[];
  readonly onStarted?: OnStarted | undefined;
}

interface Waiting {
  readonly timer: NodeJS.Timeout;
  resolve(counts: Counts): void;
  reject(error: CaissonError): void;
}

/** How long an order may take, in milliseconds: what it waits for will not come, and a run must end. */
const orderMs = 120_000;

/** A worker that takes orders of one type. */
export class Worker<Order> {
  readonly process: NodeProcess;
  readonly #waiting: Map<number, Waiting> = new Map();
  #last = 0;

  constructor({ script, title, nodeFlags = [], onStarted }: WorkerOptions) {
    this.process = new NodeProcess({
      title,
      nodeFlags,
      onStarted,
      script: fileURLToPath(new URL(script, import.meta.url)),
      onMessage: (message) => {
        if (isAnswer(message)) this.#onAnswer(message);
      },
    });
    void this.process.ended.then(() => this.#fail());
  }

  /** Sends an order. Rejects with E_GATE if it could not be carried out, took two minutes, or the worker died. */
  ask(order: Order): Promise<Counts> {
    this.#last += 1;
    const number = this.#last;
    return new Promise((resolve, reject) => {
      const onTimeout = (): void => {
        this.#take(number)?.reject(
          new CaissonError("E_GATE", `${this.process.title}: an order was not carried out in ${orderMs / 1_000} s`),
        );
      };
      this.#waiting.set(number, { resolve, reject, timer: setTimeout(onTimeout, orderMs) });
      try {
        this.process.send({ order, number });
      } catch (error) {
        this.#take(number)?.reject(CaissonError.from(error, "E_GATE"));
      }
    });
  }

  #take(number: number): Waiting | undefined {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  #onAnswer({ number, counts, error, wrong }: AnswerMessage): void {
    const waiting = this.#take(number);
    if (error === undefined) {
      waiting?.resolve(counts ?? {});
      return;
    }
    const cause = wrong === true ? { cause: new WrongAnswer(error) } : {};
    waiting?.reject(new CaissonError("E_GATE", `${this.process.title}: ${error}`, cause));
  }

  #fail(): void {
    for (const number of this.#waiting.keys()) this.#take(number)?.reject(this.process.failure());
  }
}
