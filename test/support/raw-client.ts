// A visitor that speaks raw bytes: for requests that no HTTP library would send, and for seeing exactly what comes back.

import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { until } from "./until.ts";

/** How a connection ended: by FIN, by reset, or not yet. */
export type Ending = "open" | "fin" | "reset";

/** One raw connection. */
export class RawClient {
  readonly socket: Socket;
  #received: Buffer[] = [];
  #ending: Ending = "open";

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => void this.#received.push(chunk));
    socket.on("end", () => void (this.#ending = "fin"));
    socket.on("error", () => void (this.#ending = "reset"));
  }

  /** Connects to a port on 127.0.0.1. */
  static async connect(port: number, options: { readonly localAddress?: string } = {}): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true, ...options });
    const client = new RawClient(socket);
    await once(socket, "connect");
    return client;
  }

  /** Everything received so far, as latin1. */
  get text(): string {
    return Buffer.concat(this.#received).toString("latin1");
  }

  /** Bytes received so far. */
  get bytes(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** How the other side ended the connection. */
  get ending(): Ending {
    return this.#ending;
  }

  /** Sends bytes as they are (strings as latin1). */
  send(data: string | Buffer): void {
    this.socket.write(typeof data === "string" ? Buffer.from(data, "latin1") : data);
  }

  /** Waits until the received text contains `part`. */
  async receive(part: string, timeoutMs = 10_000): Promise<string> {
    await until(() => this.text.includes(part), {
      what: `a visitor receives ${JSON.stringify(part)}`,
      timeoutMs,
      detail: () => ({ text: this.text.slice(0, 2_000), ending: this.#ending }),
    });
    return this.text;
  }

  /** Waits until the other side ended the connection, and answers how. */
  async ended(timeoutMs = 10_000): Promise<Ending> {
    await until(() => this.#ending !== "open", {
      what: "the connection ends",
      timeoutMs,
      detail: () => ({ text: this.text.slice(0, 2_000) }),
    });
    return this.#ending;
  }

  /** Ends our side, without the other. */
  end(): void {
    this.socket.end();
  }

  /** Resets the connection. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Lets go. */
  close(): void {
    this.socket.destroy();
  }
}
