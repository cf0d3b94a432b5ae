// The masking keys for the messages of one client. Random ones are drawn some at a time, because asking the system for each would
// cost more than the message.

import { randomFillSync } from "node:crypto";

const keysAtOnce = 64;

/** The keys of one WebSocket. Holds nothing until the first random one is asked for. */
export class MaskingKeys {
  readonly #kind: "zero" | "random";
  #keys: Uint32Array<ArrayBuffer> | undefined;
  #at = keysAtOnce;

  constructor(kind: "zero" | "random") {
    this.#kind = kind;
  }

  /** 0, or an unpredictable 32-bit number (RFC 6455 section 5.3). */
  next(): number {
    if (this.#kind === "zero") return 0;
    this.#keys ??= new Uint32Array(keysAtOnce);
    if (this.#at === keysAtOnce) {
      randomFillSync(this.#keys);
      this.#at = 0;
    }
    return this.#keys[this.#at++] ?? 0;
  }
}
