// What is left of a request whose complete response came before its end: bytes that nobody reads any more.
// It takes a bounded number of them, for a visitor that is nearly done, and then lets the upload stall until the server ends the stream.

import type { StreamHandler } from "../mux/handlers.ts";
import type { Stream } from "../mux/stream.ts";

/** Handles the rest of such a stream. */
export class RequestDiscard implements StreamHandler {
  readonly #stream: Stream;
  #allowance: number;

  /** Takes `allowance` bytes. */
  constructor(stream: Stream, allowance: number) {
    this.#stream = stream;
    this.#allowance = allowance;
  }

  onHead(): void {}

  onData(chunk: Buffer): void {
    if (this.#allowance <= 0) return;
    this.#allowance -= chunk.length;
    this.#stream.consumed(chunk.length);
  }

  onTrailers(): void {}

  onReset(): void {}

  onWritable(): void {}

  onOpened(): void {}
}
