// A target that is nothing but a TCP listener: what it does with a connection is the test's, so that it can break every
// rule of HTTP. It remembers how each connection ended, as seen from the target.

import type { AddressInfo, Server, Socket } from "node:net";
import { createServer } from "node:net";

/** Called for each accepted connection. Errors of the socket are swallowed. */
export type Behaviour = (socket: Socket) => void;

/** A raw target, closed with all of its connections when it is disposed of. */
export class RawTarget {
  /** Connections accepted so far. */
  accepted = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(behaviour: Behaviour, halfOpen: boolean) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.accepted += 1;
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => this.#sockets.delete(socket));
      if (!halfOpen) socket.on("end", () => socket.end());
      behaviour(socket);
    });
  }

  /** Listens on a free port of 127.0.0.1. It ends its side when the other does, unless it is to keep it open. */
  static async start(behaviour: Behaviour, options: { readonly halfOpen?: boolean } = {}): Promise<RawTarget> {
    const target = new RawTarget(behaviour, options.halfOpen ?? false);
    await new Promise<void>((resolve) => void target.#server.listen(0, "127.0.0.1", resolve));
    return target;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The connections that are open. */
  get sockets(): ReadonlySet<Socket> {
    return this.#sockets;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** A behaviour: calls `answer` with each request head as text, once it is complete. Bodies are left to the caller. */
export function onHeads(answer: (head: string, socket: Socket) => void): Behaviour {
  return (socket) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
        const head = text.slice(0, end + 4);
        text = text.slice(end + 4);
        answer(head, socket);
      }
    });
  };
}
