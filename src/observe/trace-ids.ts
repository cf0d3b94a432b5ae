// Fresh ids for traces and spans, cheap enough for every request: random bytes are fetched and turned into digits in bulk,
// and an id (or the whole line that carries two of them) is a piece of that text. One pool per subscriber.

import { randomFillSync } from "node:crypto";

const traceDigits = 32;
const spanDigits = 16;
/** Bytes of randomness in one line: a trace id and a span id. */
const lineBytes = 24;
const poolLines = 256;
const poolBytes = lineBytes * poolLines;
const spanBytes = spanDigits / 2;
const emptyLine = `traceparent: 00-${"0".repeat(traceDigits)}-${"0".repeat(spanDigits)}-00\r\n`;
const traceIdAt = emptyLine.indexOf("-") + 1;
const spanIdAt = traceIdAt + traceDigits + 1;
const digits = Buffer.from("0123456789abcdef", "latin1");

/** Makes ids. */
export class TraceIds {
  readonly #random: Buffer = Buffer.alloc(poolBytes);
  readonly #lineBytes: Buffer = Buffer.from(emptyLine.repeat(poolLines), "latin1");
  #digits = "";
  #at = 0;
  #lines = "";
  #linesAt = 0;

  /** 32 lower-case hex digits, not all zero. */
  traceId(): string {
    return this.#take(traceDigits);
  }

  /** 16 lower-case hex digits, not all zero. */
  spanId(): string {
    return this.#take(spanDigits);
  }

  /** The complete header line of a trace that begins here and is not recorded, with a trace id and a span id of its own. */
  unrecordedLine(): string {
    if (this.#linesAt === this.#lines.length) this.#refillLines();
    const from = this.#linesAt;
    this.#linesAt += emptyLine.length;
    return this.#lines.slice(from, this.#linesAt);
  }

  #take(count: number): string {
    if (this.#at + count > this.#digits.length) {
      this.#digits = this.#fill().toString("hex");
      this.#at = 0;
    }
    const from = this.#at;
    this.#at += count;
    return this.#digits.slice(from, this.#at);
  }

  #refillLines(): void {
    const random = this.#fill();
    const lines = this.#lineBytes;
    let from = 0;
    for (let start = 0; start < lines.length; start += emptyLine.length) {
      let at = start + traceIdAt;
      for (let index = 0; index < lineBytes; index += 1) {
        if (index === traceDigits / 2) at = start + spanIdAt;
        const byte = random[from] ?? 0;
        from += 1;
        lines[at] = digits[byte >> 4] ?? 0;
        lines[at + 1] = digits[byte & 15] ?? 0;
        at += 2;
      }
    }
    this.#lines = lines.toString("latin1");
    this.#linesAt = 0;
  }

  #fill(): Buffer {
    const random = randomFillSync(this.#random);
    // An id of zeros means none; every id begins where a span's could.
    for (let at = 0; at < poolBytes; at += spanBytes) random[at] = (random[at] ?? 0) | 1;
    return random;
  }
}
