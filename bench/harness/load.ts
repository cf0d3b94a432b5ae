// Requests in bulk at little cost: raw keep-alive connections, each with one request in flight. Every byte of every answer
// is checked: the first of a connection is read as HTTP, those after it must be the same bytes.

import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { originBody } from "./origin.ts";

/** What is sent. */
export interface Load {
  readonly port: number;
  readonly host: string;
  /** Exactly so many requests, over all connections. */
  readonly requests: number;
  readonly connections: number;
}

/** All answers together may take so long, in milliseconds. */
const patienceMs = 120_000;

/** Sends the requests; resolves when all were answered as they should. Rejects with E_GATE at the first that was not. */
export async function sendLoad(load: Load): Promise<void> {
  const run = new LoadRun(load);
  await run.finished;
}

/** One run, and the connections that it owns. */
class LoadRun {
  readonly finished: Promise<void>;
  readonly #load: Load;
  readonly #request: Buffer;
  readonly #visitors: Visitor[] = [];
  readonly #timer: NodeJS.Timeout;
  #left: number;
  #inFlight = 0;
  #settle: (error: Error | undefined) => void = () => undefined;

  constructor(load: Load) {
    this.#load = load;
    this.#left = load.requests;
    this.#request = Buffer.from(
      `GET /bench HTTP/1.1\r\nHost: ${load.host}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`,
    );
    this.#timer = setTimeout(() => this.fail("the answers took too long"), patienceMs);
    this.finished = new Promise((resolve, reject) => {
      this.#settle = (error) => {
        clearTimeout(this.#timer);
        for (const visitor of this.#visitors) visitor.socket.destroy();
        if (error) reject(error);
        else resolve();
      };
    });
    this.#start().catch((error: unknown) => this.fail(String(error)));
  }

  async #start(): Promise<void> {
    const { port, connections, requests } = this.#load;
    for (let n = 0; n < Math.min(connections, requests); n += 1) {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      this.#visitors.push(new Visitor(this, socket));
      await once(socket, "connect");
    }
    for (const visitor of this.#visitors) this.next(visitor);
  }

  /** The visitor is free for its next request. */
  next(visitor: Visitor): void {
    if (this.#left > 0) {
      this.#left -= 1;
      this.#inFlight += 1;
      visitor.socket.write(this.#request);
    } else if (this.#inFlight === 0) this.#settle(undefined);
  }

  answered(visitor: Visitor): void {
    this.#inFlight -= 1;
    this.next(visitor);
  }

  fail(why: string): void {
    this.#settle(new CaissonError("E_GATE", `the load was not answered as it should: ${why}`));
  }
}

/** One connection. */
class Visitor {
  readonly socket: Socket;
  readonly #run: LoadRun;
  #expected: Buffer | undefined;
  #received: Buffer[] = [];
  #bytes = 0;

  constructor(run: LoadRun, socket: Socket) {
    this.#run = run;
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error) => run.fail(error.message));
    socket.on("end", () => run.fail("a connection was closed"));
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
    else if (state === "wrong") this.#run.fail(`not the origin's answer: ${received.toString("latin1").slice(0, 500)}`);
  }

  #whole(answer: Buffer): void {
    this.#received = [];
    this.#bytes = 0;
    if (!this.#expected) this.#expected = answer;
    else if (answer.compare(this.#expected) !== 0) {
      this.#run.fail(`an answer differs from the one before: ${answer.toString("latin1").slice(0, 500)}`);
      return;
    }
    this.#run.answered(this);
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
