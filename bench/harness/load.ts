// Requests in bulk at little cost: raw keep-alive connections, each with one request in flight. Every byte of every answer
// is checked: the first of a connection is read as HTTP, those after it must be the same bytes.

import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { originBody } from "./origin.ts";

/** What is sent. */
export interface Load extends Visit {
  /** Exactly so many requests, over all connections. */
  readonly requests: number;
}

/** Who asks whom. */
export interface Visit {
  readonly port: number;
  readonly host: string;
  readonly connections: number;
}

/** All answers together may take so long, in milliseconds. */
const patienceMs = 120_000;

/** Sends the requests; resolves when all were answered as they should. Rejects with E_GATE at the first that was not. */
export async function sendLoad({ requests, ...visit }: Load): Promise<void> {
  using visitors = await Visitors.open({ ...visit, connections: Math.min(visit.connections, requests) });
  await visitors.send(requests);
}

interface Run {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Connections that stay open from one run of requests to the next, and are closed when they are disposed of. */
export class Visitors {
  readonly #request: Buffer;
  readonly #visitors: Visitor[] = [];
  #left = 0;
  #inFlight = 0;
  #run: Run | undefined;
  /** What went wrong, also between two runs. */
  #failure: CaissonError | undefined;

  private constructor({ host }: Visit) {
    this.#request = Buffer.from(`GET /bench HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`);
  }

  /** Connects them one after the other. Rejects with E_GATE if one is refused. */
  static async open(visit: Visit): Promise<Visitors> {
    const all = new Visitors(visit);
    try {
      for (let n = 0; n < visit.connections; n += 1) {
        const socket = connect({ port: visit.port, host: "127.0.0.1", noDelay: true });
        all.#visitors.push(new Visitor(all, socket));
        await once(socket, "connect");
      }
      return all;
    } catch (error) {
      all[Symbol.dispose]();
      throw new CaissonError("E_GATE", "a visitor of the bench was not let in", { cause: error });
    }
  }

  /** Sends so many; resolves when all were answered as they should. One run at a time. */
  send(requests: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      const timer = setTimeout(() => this.fail("the answers took too long"), patienceMs);
      this.#run = { resolve, reject, timer };
      this.#left = requests;
      for (const visitor of this.#visitors) this.#next(visitor);
    });
  }

  [Symbol.dispose](): void {
    for (const { socket } of this.#visitors) socket.destroy();
    this.#settle()?.reject(new CaissonError("E_GATE", "the visitors of the bench were sent away"));
  }

  answered(visitor: Visitor): void {
    this.#inFlight -= 1;
    this.#next(visitor);
  }

  fail(why: string): void {
    this.#failure ??= new CaissonError("E_GATE", `the load was not answered as it should: ${why}`);
    for (const { socket } of this.#visitors) socket.destroy();
    this.#settle()?.reject(this.#failure);
  }

  /** The visitor is free for its next request. */
  #next(visitor: Visitor): void {
    if (this.#left > 0) {
      this.#left -= 1;
      this.#inFlight += 1;
      visitor.socket.write(this.#request);
    } else if (this.#inFlight === 0) this.#settle()?.resolve();
  }

  #settle(): Run | undefined {
    const run = this.#run;
    this.#run = undefined;
    clearTimeout(run?.timer);
    return run;
  }
}

/** One connection. */
class Visitor {
  readonly socket: Socket;
  readonly #visitors: Visitors;
  #expected: Buffer | undefined;
  #received: Buffer[] = [];
  #bytes = 0;

  constructor(visitors: Visitors, socket: Socket) {
    this.#visitors = visitors;
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error) => visitors.fail(error.message));
    socket.on("end", () => visitors.fail("a connection was closed"));
  }

  #onData(chunk: Buffer): void {
    this.#bytes += chunk.length;
    const expected = this.#expected;
    if (expected && this.#received.length === 0 && chunk.length === expected.length) {
      this.#whole(chunk);
      return;
    }
    this.#received.push(chunk);
    if (expected && this.#bytes < expected.length) return;
    const received = Buffer.concat(this.#received);
    const state = expected ? "whole" : stateOf(received);
    if (state === "whole") this.#whole(received);
    else if (state === "wrong")
      this.#visitors.fail(`not the origin's answer: ${received.toString("latin1").slice(0, 500)}`);
  }

  #whole(answer: Buffer): void {
    this.#received = [];
    this.#bytes = 0;
    if (!this.#expected) this.#expected = answer;
    else if (answer.compare(this.#expected) !== 0) {
      this.#visitors.fail(`an answer differs from the one before: ${answer.toString("latin1").slice(0, 500)}`);
      return;
    }
    this.#visitors.answered(this);
  }
}

/** Whether these bytes are one good answer in full, may become one, or never will. */
function stateOf(bytes: Buffer): "part" | "whole" | "wrong" {
  const text = bytes.toString("latin1");
  const bodyAt = text.indexOf("\r\n\r\n") + 4;
  if (bodyAt < 4) return "part";
  if (!text.startsWith("HTTP/1.1 200 ")) return "wrong";
  if (text.length < bodyAt + originBody.length) return "part";
  return text.slice(bodyAt) === originBody ? "whole" : "wrong";
}
