// A TCP relay that can play a dead network: it keeps both sockets open and forwards nothing (half-open), delays,
// cuts after a number of bytes, or delivers in tiny pieces. Everything that it opens is closed by close().

import type { Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { portOf } from "./port-of.ts";

/** What the relay does to bytes. */
export interface RelayOptions {
  /** Where it forwards to; the host is 127.0.0.1 if absent. */
  readonly host?: string;
  readonly port: number;
  /** Bytes per write; whole chunks if absent. */
  readonly pieceBytes?: number;
  /** Milliseconds that every chunk is held back. */
  readonly delayMs?: number;
}

interface Pair {
  readonly inner: Socket;
  readonly outer: Socket;
}

/** A relay between clients and one port on this machine. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #server: Server;
  readonly #pairs: Set<Pair> = new Set();
  #frozen = false;
  #cutAfter = Number.POSITIVE_INFINITY;
  #forwarded = 0;

  private constructor(options: RelayOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (outer) => this.#accept(outer));
  }

  /** A relay that listens on a free port. */
  static async start(options: RelayOptions): Promise<Relay> {
    const relay = new Relay(options);
    await new Promise<void>((resolve) => void relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  /** Where it listens. */
  get port(): number {
    return portOf(this.#server);
  }

  /** Pairs of sockets that are open. */
  get size(): number {
    return this.#pairs.size;
  }

  /** Bytes forwarded so far, both ways. */
  get forwarded(): number {
    return this.#forwarded;
  }

  /** From now on both sockets of each pair stay open, and nothing is forwarded: what a lost network looks like. */
  freeze(): void {
    this.#frozen = true;
    for (const { inner, outer } of this.#pairs) {
      inner.pause();
      outer.pause();
    }
  }

  /** Forwards again what comes on new connections; frozen pairs stay dead. */
  thaw(): void {
    this.#frozen = false;
  }

  /** Cuts the connection when so many more bytes were forwarded. */
  cutAfter(bytes: number): void {
    this.#cutAfter = this.#forwarded + bytes;
  }

  /** Resets all pairs. */
  cut(): void {
    for (const pair of this.#pairs) drop(pair);
  }

  /** Closes everything. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #accept(outer: Socket): void {
    const { host = "127.0.0.1", port } = this.#options;
    const inner = connect({ port, host, allowHalfOpen: true, noDelay: true });
    const pair: Pair = { inner, outer };
    this.#pairs.add(pair);
    this.#forward(pair, { from: outer, to: inner });
    this.#forward(pair, { from: inner, to: outer });
    if (this.#frozen) this.freeze();
  }

  #forward(pair: Pair, way: { readonly from: Socket; readonly to: Socket }): void {
    const { from, to } = way;
    from.on("data", (chunk: Buffer) => {
      if (this.#frozen) return;
      const room = this.#cutAfter - this.#forwarded;
      this.#forwarded += Math.min(room, chunk.length);
      this.#deliver(to, chunk.subarray(0, room));
      if (chunk.length >= room) {
        this.#cutAfter = Number.POSITIVE_INFINITY;
        setImmediate(() => drop(pair));
      }
    });
    from.on("end", () => {
      if (!this.#frozen) to.end();
    });
    from.on("error", () => drop(pair));
    from.on("close", () => {
      this.#pairs.delete(pair);
      if (!this.#frozen) drop(pair);
    });
  }

  #deliver(to: Socket, chunk: Buffer): void {
    const { delayMs = 0, pieceBytes = chunk.length } = this.#options;
    const write = (): void => {
      for (let at = 0; at < chunk.length; at += pieceBytes) to.write(chunk.subarray(at, at + pieceBytes));
    };
    if (delayMs === 0) write();
    else setTimeout(write, delayMs);
  }
}

function drop(pair: Pair): void {
  pair.inner.destroy();
  pair.outer.destroy();
}
