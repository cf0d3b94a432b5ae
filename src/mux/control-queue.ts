// Control frames that wait for the next message, as plain numbers: CREDIT, RESET, PING and PONG cost no object.
// First in, first out. Nothing is held while it is empty.

import { putCredit, putGoAway, putHeader, putPing, putReset } from "../wire/encode.ts";
import { fixedPayloadBytes, frameTypes } from "../wire/frame.ts";
import { headerBytes } from "../wire/limits.ts";

/** Numbers per entry: frame type, then three whose meaning depends on it. */
const stride = 4;

/** The control frames of one session. */
export class ControlQueue {
  #entries: number[] = [];
  /** The payloads of CONTROL frames, in order. */
  #payloads: Buffer[] = [];
  #at = 0;
  #payloadAt = 0;
  #bytes = 0;

  /** Bytes of all waiting frames, with their headers. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many frames wait. */
  get size(): number {
    return (this.#entries.length - this.#at) / stride;
  }

  reset(stream: number, code: number): void {
    this.#entries.push(frameTypes.reset, stream, code, 0);
    this.#bytes += headerBytes + fixedPayloadBytes.reset;
  }

  credit(stream: number, bytes: number): void {
    this.#entries.push(frameTypes.credit, stream, bytes, 0);
    this.#bytes += headerBytes + fixedPayloadBytes.credit;
  }

  ping(high: number, low: number): void {
    this.#entries.push(frameTypes.ping, high | 0, low | 0, 0);
    this.#bytes += headerBytes + fixedPayloadBytes.ping;
  }

  pong(high: number, low: number): void {
    this.#entries.push(frameTypes.pong, high | 0, low | 0, 0);
    this.#bytes += headerBytes + fixedPayloadBytes.pong;
  }

  goAway(lastStream: number, code: number): void {
    this.#entries.push(frameTypes.goaway, lastStream, code, 0);
    this.#bytes += headerBytes + fixedPayloadBytes.goaway;
  }

  control(payload: Buffer): void {
    this.#entries.push(frameTypes.control, 0, 0, 0);
    this.#payloads.push(payload);
    this.#bytes += headerBytes + payload.length;
  }

  /** Writes as many frames as fit into `target` from `at` on; answers the offset after them. */
  write(target: Buffer, at: number): number {
    let end = at;
    while (this.#at < this.#entries.length) {
      const next = this.#writeOne(target, end);
      if (next === end) break;
      this.#bytes -= next - end;
      this.#at += stride;
      end = next;
    }
    if (this.#at === this.#entries.length) this.clear();
    return end;
  }

  /** Drops everything. */
  clear(): void {
    if (this.#entries.length > 0) this.#entries = [];
    if (this.#payloads.length > 0) this.#payloads = [];
    this.#at = 0;
    this.#payloadAt = 0;
    this.#bytes = 0;
  }

  /** Answers `at` if the frame does not fit. */
  #writeOne(target: Buffer, at: number): number {
    const type = this.#number(0);
    const room = target.length - at - headerBytes;
    switch (type) {
      case frameTypes.reset:
        return room < fixedPayloadBytes.reset ? at : putReset(target, at, this.#number(1), this.#number(2));
      case frameTypes.credit:
        return room < fixedPayloadBytes.credit ? at : putCredit(target, at, this.#number(1), this.#number(2));
      case frameTypes.ping:
      case frameTypes.pong:
        return room < fixedPayloadBytes.ping ? at : putPing(target, at, type, this.#number(1), this.#number(2));
      case frameTypes.goaway:
        return room < fixedPayloadBytes.goaway ? at : putGoAway(target, at, this.#number(1), this.#number(2));
      default: {
        const payload = this.#payloads[this.#payloadAt];
        if (!payload || room < payload.length) return at;
        this.#payloadAt += 1;
        const payloadAt = putHeader(target, at, payload.length, frameTypes.control, 0, 0);
        target.set(payload, payloadAt);
        return payloadAt + payload.length;
      }
    }
  }

  #number(index: number): number {
    return this.#entries[this.#at + index] ?? 0;
  }
}
