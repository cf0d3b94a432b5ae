// One download that lasts until it is stopped: what came when, every byte compared with the target's pattern.

import type { Socket } from "node:net";
import { connect } from "node:net";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { PatternCheck } from "../targets/pattern.ts";

/** More than any measurement takes. */
const askedBytes = 2 ** 40;

/** A running download. */
export class EndlessDownload {
  readonly #socket: Socket;
  readonly #check: PatternCheck = new PatternCheck();
  #head = "";
  #trouble: string | undefined;

  constructor({ port, host }: { readonly port: number; readonly host: string }) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#socket.on("error", (error) => (this.#trouble ??= error.message));
    this.#socket.on("end", () => (this.#trouble ??= "it was ended"));
    this.#socket.write(`GET /bytes/${askedBytes} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  }

  /** Bytes of the body so far. Throws E_GATE if something is wrong with them. */
  get bytes(): number {
    if (!this.#check.right) this.#trouble ??= `other bytes than the target's before byte ${this.#check.bytes}`;
    if (this.#trouble !== undefined) throw new CaissonError("E_GATE", `the download went wrong: ${this.#trouble}`);
    return this.#check.bytes;
  }

  /** Leaves. */
  stop(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#head.endsWith("\r\n\r\n")) {
      this.#check.add(chunk);
      return;
    }
    const before = this.#head.length;
    this.#head += chunk.toString("latin1");
    const end = this.#head.indexOf("\r\n\r\n") + 4;
    if (end < 4) return;
    this.#head = this.#head.slice(0, end);
    if (this.#head.startsWith("HTTP/1.1 200 ")) this.#check.add(chunk.subarray(end - before));
    else this.#trouble = this.#head;
  }
}
