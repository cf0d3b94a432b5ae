// Fresh ids for traces and spans, cheap enough for every request: random bytes are fetched in bulk, and lines that carry two
// ids are written in bulk. What it hands out is a text of its own, never a piece of a pool: an id that is kept (by a pipe, an
// exemplar, a log) would keep the pool alive. One maker per subscriber.

import { randomFillSync } from "node:crypto";

const traceBytes = 16;
const spanBytes = 8;
/** Bytes of randomness in one line: a trace id and a span id. */
const lineBytes = traceBytes + spanBytes;
const poolLines = 256;
const poolBytes = lineBytes * poolLines;
const emptyLine = `traceparent: 00-${"0".repeat(traceBytes * 2)}-${"0".repeat(spanBytes * 2)}-00\r\n`;
const traceIdAt = emptyLine.indexOf("-") + 1;
const spanIdAt = traceIdAt + traceBytes * 2 + 1;
const digits = Buffer.from("0123456789abcdef", "latin1");

/** Makes ids. */
export class TraceIds {
  /** What ids are taken from, and what lines are made of: apart, so that no id is given out twice. */
  readonly #random: Buffer = Buffer.alloc(poolBytes);
  readonly #lineRandom: Buffer = Buffer.alloc(poolBytes);
  readonly #lines: Buffer = Buffer.from(emptyLine.repeat(poolLines), "latin1");
  #at = poolBytes;
  #linesAt: number = this.#lines.length;

  /** 32 lower-case hex digits, not all zero. */
  traceId(): string {
    return this.#take(traceBytes);
  }

  /** 16 lower-case hex digits, not all zero. */
  spanId(): string {
    return this.#take(spanBytes);
  }

  /** The complete header line of a trace that begins here and is not recorded, with a trace id and a span id of its own. */
  unrecordedLine(): string {
    if (this.#linesAt === this.#lines.length) this.#refillLines();
    const from = this.#linesAt;
    this.#linesAt += emptyLine.length;
    return this.#lines.toString("latin1", from, this.#linesAt);
  }

  #take(count: number): string {
    if (this.#at + count > poolBytes) {
      fill(this.#random);
      this.#at = 0;
    }
    const from = this.#at;
    this.#at += count;
    return this.#random.toString("hex", from, this.#at);
  }

  #refillLines(): void {
    const random = this.#lineRandom;
    fill(random);
    const lines = this.#lines;
    let from = 0;
    for (let start = 0; start < lines.length; start += emptyLine.length) {
      let at = start + traceIdAt;
      for (let index = 0; index < lineBytes; index += 1) {
        if (index === traceBytes) at = start + spanIdAt;
        const byte = random[from] ?? 0;
        from += 1;
        lines[at] = digits[byte >> 4] ?? 0;
        lines[at + 1] = digits[byte & 15] ?? 0;
        at += 2;
      }
    }
    this.#linesAt = 0;
  }
}

/** Fresh bytes. An id of zeros means none; every id begins where a span's could. */
function fill(random: Buffer): void {
  randomFillSync(random);
  for (let at = 0; at < poolBytes; at += spanBytes) random[at] = (random[at] ?? 0) | 1;
}
