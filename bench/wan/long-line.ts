// A long line between clients and one port of this machine: each connection has its own, in both directions.

import type { Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { portOf } from "../gate/network/port-of.ts";
import { DelayLine } from "./delay-line.ts";

/** What the line is like. */
export interface LongLineOptions {
  /** The port on 127.0.0.1 that it leads to. */
  readonly port: number;
  /** There and back, in milliseconds. */
  readonly roundTripMs: number;
  /** Of each direction; undefined: as fast as the machine. */
  readonly bytesPerSecond?: number;
}

/** Chunks as large as a session's messages spare the relay work. */
const readBytes = 256 * 1024;

/** The listening end. */
export class LongLine {
  readonly #options: LongLineOptions;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  #closing = false;

  private constructor(options: LongLineOptions) {
    this.#options = options;
    const how = { allowHalfOpen: true, noDelay: true, highWaterMark: readBytes };
    this.#server = createServer(how, (outer) => this.#accept(outer));
  }

  /** Listens on a free port. */
  static async start(options: LongLineOptions): Promise<LongLine> {
    const line = new LongLine(options);
    await new Promise<void>((resolve) => void line.#server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get port(): number {
    return portOf(this.#server);
  }

  async close(): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(outer: Socket): void {
    const { port, roundTripMs, bytesPerSecond } = this.#options;
    // The types of Node lag behind: they do not know highWaterMark here.
    const near = { port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true, highWaterMark: readBytes };
    const inner = connect(near);
    const how = { delayMs: roundTripMs / 2, ...(bytesPerSecond !== undefined && { bytesPerSecond }) };
    const lines = [new DelayLine({ from: outer, to: inner }, how), new DelayLine({ from: inner, to: outer }, how)];
    for (const socket of [outer, inner]) {
      this.#sockets.add(socket);
      // An end travels like the bytes before it; a cut line is cut for both at once, for how it dies is not measured.
      socket.on("error", () => socket.destroy());
      socket.on("close", (failed) => {
        this.#sockets.delete(socket);
        if (!failed && !this.#closing) return;
        for (const line of lines) line.close();
        outer.destroy();
        inner.destroy();
      });
    }
  }
}
