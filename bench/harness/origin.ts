// A target that costs next to nothing: raw sockets, one fixed answer, no dates. For requests without a body.

import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { portOf } from "../gate/network/port-of.ts";

/** What every request is answered with. */
export const originBody: string = "caisson carries this, as it is; ".repeat(4);
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${originBody.length}\r\n\r\n${originBody}`,
);
const headEnd = Buffer.from("\r\n\r\n");

interface Waiting {
  readonly socket: Socket;
  readonly dueMs: number;
}

/** A listening origin. */
export class Origin {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #delayMs: number;
  /** Whom it owes an answer, the oldest first. */
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Requests answered so far. */
  answered = 0;

  private constructor(delayMs: number) {
    this.#delayMs = delayMs;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Listens on a free port of 127.0.0.1. Each answer takes so long, in milliseconds; default 0: it comes at once. */
  static async start({ delayMs = 0 }: { readonly delayMs?: number } = {}): Promise<Origin> {
    const origin = new Origin(delayMs);
    await new Promise<void>((resolve) => void origin.#server.listen(0, "127.0.0.1", 1024, resolve));
    return origin;
  }

  get port(): number {
    return portOf(this.#server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    clearTimeout(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      // A connection carries one request at a time, so the end of a head is the end of what has come.
      if (chunk.subarray(-headEnd.length).compare(headEnd) !== 0) return;
      this.answered += 1;
      if (this.#delayMs === 0) socket.write(answer);
      else this.#owe(socket);
    });
  }

  #owe(socket: Socket): void {
    this.#waiting.push({ socket, dueMs: performance.now() + this.#delayMs });
    this.#timer ??= setTimeout(() => this.#pay(), this.#delayMs);
  }

  #pay(): void {
    const nowMs = performance.now();
    const later = this.#waiting.findIndex(({ dueMs }) => dueMs > nowMs);
    const due = this.#waiting.splice(0, later < 0 ? this.#waiting.length : later);
    for (const { socket } of due) socket.write(answer);
    const next = this.#waiting[0];
    this.#timer = next && setTimeout(() => this.#pay(), next.dueMs - nowMs);
  }
}
