// Reads of every size into buffers that are used again: what was handed on is never written to any more.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { SharedIntake, SocketIntake } from "../../src/client/socket-intake.ts";

/** Reads like Node does: asks for a buffer, fills it, tells, and asks for the next one. */
class Socket {
  readonly chunks: Buffer[] = [];
  readonly #intake: SocketIntake;
  #buffer: Uint8Array;

  constructor(shared: SharedIntake) {
    this.#intake = new SocketIntake(shared);
    this.#intake.onBytes = (chunk) => void this.chunks.push(chunk);
    this.#buffer = this.#next();
  }

  read(bytes: Buffer): void {
    assert.ok(bytes.length <= this.#buffer.length);
    this.#buffer.set(bytes);
    assert.equal(this.#intake.onread.callback(bytes.length, this.#buffer), true);
    this.#buffer = this.#next();
  }

  #next(): Uint8Array {
    const { buffer } = this.#intake.onread;
    return typeof buffer === "function" ? buffer() : buffer;
  }
}

void test("bytes stay what they were, whatever is read later and by whom", () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 65_536 }), fc.constant(65_536));
  const reads = fc.array(fc.record({ socket: fc.nat({ max: 2 }), size, fill: fc.nat({ max: 255 }) }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(reads, (script) => {
      const shared = new SharedIntake();
      const sockets = [new Socket(shared), new Socket(shared), new Socket(shared)];
      const sent: Buffer[][] = [[], [], []];
      for (const { socket, size: length, fill } of script) {
        const bytes = Buffer.alloc(length, fill);
        sent[socket]?.push(bytes);
        sockets[socket]?.read(bytes);
      }
      for (const [at, { chunks }] of sockets.entries()) {
        assert.ok(Buffer.concat(chunks).equals(Buffer.concat(sent[at] ?? [])));
      }
    }),
    { numRuns: 200 },
  );
});

void test("bulk is handed on where it is, and pins at most four times its size", () => {
  const socket = new Socket(new SharedIntake());
  for (let n = 0; n < 10; n += 1) socket.read(Buffer.alloc(n % 2 === 0 ? 65_536 : 16_384, n));
  for (const chunk of socket.chunks) assert.ok(chunk.buffer.byteLength <= 4 * chunk.length);
  assert.equal(new Set(socket.chunks.map(({ buffer }) => buffer)).size, 10);
});
