// Targets for tests: a raw one that answers what it is told to, byte by byte, and a way to count its connections.

import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { once } from "node:events";

/** One connection at a raw target. */
export class TargetConnection {
  readonly socket: Socket;
  received = "";
  ended = false;
  closed = false;
  #waiter: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1");
      this.#waiter?.();
    });
    socket.on("end", () => {
      this.ended = true;
      this.#waiter?.();
    });
    socket.on("error", () => {}); // Resets are what many tests are about.
    socket.on("close", () => {
      this.closed = true;
      this.#waiter?.();
    });
  }

  /** Resolves when what was received contains `text`, and takes it out up to its end. */
  async read(text: string): Promise<string> {
    for (;;) {
      const at = this.received.indexOf(text);
      if (at >= 0) {
        const taken = this.received.slice(0, at + text.length);
        this.received = this.received.slice(at + text.length);
        return taken;
      }
      if (this.closed) throw new Error(`the connection was closed before ${JSON.stringify(text)}`);
      await this.#more();
    }
  }

  /** A request head. */
  head(): Promise<string> {
    return this.read("\r\n\r\n");
  }

  /** Writes text with \n for line ends. */
  write(text: string): void {
    this.socket.write(text.replaceAll("\n", "\r\n"), "latin1");
  }

  /** Resolves when the peer has closed. */
  async gone(): Promise<void> {
    while (!this.closed) await this.#more();
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(new Error(`the target waited in vain; it has ${this.received}`)), 10_000);
      this.#waiter = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
  }
}

/** The port that a server listens on. */
export function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server does not listen on a port");
  return address.port;
}

/** A raw target. */
export class RawTarget {
  readonly server: Server;
  readonly connections: TargetConnection[] = [];
  readonly #waiting: ((connection: TargetConnection) => void)[] = [];
  #accepted = 0;

  private constructor(server: Server) {
    this.server = server;
    server.on("connection", (socket: Socket) => {
      const connection = new TargetConnection(socket);
      this.connections.push(connection);
      this.#waiting.shift()?.(connection);
    });
  }

  /** Listens. Unless it is half-open, it closes a connection when the peer does. */
  static async open(options: { readonly allowHalfOpen: boolean } = { allowHalfOpen: false }): Promise<RawTarget> {
    const server = createServer(options);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new RawTarget(server);
  }

  get port(): number {
    return portOf(this.server);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The next connection that nobody was given yet. */
  next(): Promise<TargetConnection> {
    const connection = this.connections[this.#accepted];
    this.#accepted += 1;
    if (connection) return Promise.resolve(connection);
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => reject(new Error("nobody connected to the target")), 10_000);
      this.#waiting.push((accepted) => {
        clearTimeout(timeout);
        resolve(accepted);
      });
    });
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    this.server.close();
    await once(this.server, "close");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
