// Visitors who come at a steady pace whatever becomes of those before them, each on a connection of its own. How long one
// waited counts from when it should have come: a visitor that a busy server keeps from coming waits as well.

import { connect } from "node:net";
import { originBody } from "./origin.ts";

/** Where they go, and how often. */
export interface SteadyVisitsOptions {
  readonly port: number;
  readonly host: string;
  /** Milliseconds between two. */
  readonly everyMs: number;
  /** What they ask for, and the body that they expect. Default: the origin's. */
  readonly path?: string;
  readonly body?: string;
}

/** What became of them. */
export interface VisitsFound {
  /** How long each waited for its whole answer, in milliseconds, in the order in which they ended. */
  readonly waitedMs: readonly number[];
  /** What went wrong, one text for each visitor that did not get the origin's answer. */
  readonly errors: readonly string[];
}

/** A visitor without an answer gives up after this, in milliseconds. */
const patienceMs = 30_000;

/** The visitors, from the construction on until {@link stop}. */
export class SteadyVisits {
  readonly #options: SteadyVisitsOptions;
  readonly #startedMs: number = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #open: Set<Promise<void>> = new Set();
  readonly #waitedMs: number[] = [];
  readonly #errors: string[] = [];
  #sent = 0;

  constructor(options: SteadyVisitsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#sendDue(), Math.min(options.everyMs, 10));
  }

  /** No more come; resolves when the last has its answer, or has given up. */
  async stop(): Promise<VisitsFound> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    return { waitedMs: this.#waitedMs, errors: this.#errors };
  }

  /** All that should have come by now. */
  #sendDue(): void {
    const nowMs = performance.now();
    for (;;) {
      const dueMs = this.#startedMs + this.#sent * this.#options.everyMs;
      if (dueMs > nowMs) return;
      this.#sent += 1;
      const visit = this.#visit(dueMs).finally(() => this.#open.delete(visit));
      this.#open.add(visit);
    }
  }

  async #visit(dueMs: number): Promise<void> {
    const problem = await visitOnce(this.#options);
    if (problem === undefined) this.#waitedMs.push(performance.now() - dueMs);
    else this.#errors.push(problem);
  }
}

/** One visit; answers what was wrong, if anything was. */
export function visitOnce(visit: Omit<SteadyVisitsOptions, "everyMs">): Promise<string | undefined> {
  const { port, host, path = "/bench", body = originBody } = visit;
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let answer = "";
    const settle = (problem: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(problem);
    };
    const timer = setTimeout(() => settle(`no answer in ${patienceMs} ms`), patienceMs);
    socket.setEncoding("latin1");
    socket.on("connect", () => socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
    socket.on("data", (text: string) => (answer += text));
    socket.on("error", (error) => settle(error.message));
    socket.on("end", () => settle(problemWith(answer, body)));
  });
}

function problemWith(answer: string, body: string): string | undefined {
  if (answer.startsWith("HTTP/1.1 200 ") && answer.endsWith(`\r\n\r\n${body}`)) return undefined;
  return `answered ${JSON.stringify(answer.slice(0, 200))}`;
}
