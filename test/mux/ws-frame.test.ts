// Our WebSocket frames against those of `ws`: what we write it reads and writes alike; what it accepts we read alike, in
// any pieces, and everything else comes back to it untouched.

import assert from "node:assert/strict";
import type { Writable } from "node:stream";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import * as ws from "ws";
import { MaskingKeys } from "../../src/mux/masking-keys.ts";
import { TransferMemory } from "../../src/lifecycle/transfer-memory.ts";
import { MessageReader } from "../../src/mux/message-reader.ts";
import { applyMask, frameMessage, maskedHeaderBytes, unmaskedHeaderBytes } from "../../src/mux/ws-frame.ts";
import { maxMessageBytes, maxMessageFragments } from "../../src/wire/limits.ts";

/** The parts of `ws` that its types do not know. */
interface Internals {
  readonly Receiver: new (options: object) => Writable;
  readonly Sender: { frame(data: Buffer, options: object): Buffer[] };
}
const { Receiver, Sender } = ws as unknown as Internals;

function frameByWs(data: Buffer, options: { opcode?: number; fin?: boolean; key?: number | undefined }): Buffer {
  const { opcode = 2, fin = true, key } = options;
  const generateMask = (mask: Buffer): void => void mask.writeUInt32BE(key ?? 0);
  const how = { fin, opcode, mask: key !== undefined, generateMask, readOnly: true, rsv1: false };
  return Buffer.concat(Sender.frame(data, how));
}

/** What a reader of one side hears, as lines. */
class Heard {
  readonly lines: string[] = [];
  readonly #receiver: Writable;

  constructor(from: "client" | "server") {
    const isServer = from === "client";
    this.#receiver = new Receiver({
      isServer,
      maxPayload: maxMessageBytes,
      maxFragments: maxMessageFragments,
      skipUTF8Validation: true,
    });
    this.#receiver.on("message", (data: Buffer, binary: boolean) => {
      this.lines.push(`${binary ? "binary" : "text"} ${data.toString("hex")}`);
    });
    this.#receiver.on("ping", (data: Buffer) => this.lines.push(`ping ${data.toString("hex")}`));
    this.#receiver.on("pong", (data: Buffer) => this.lines.push(`pong ${data.toString("hex")}`));
    this.#receiver.on("conclude", (code: number) => this.lines.push(`close ${code}`));
    this.#receiver.on("error", (error: Error & { code?: string }) => this.lines.push(`error ${error.code}`));
  }

  _onWhole(message: Buffer): void {
    this.lines.push(`binary ${message.toString("hex")}`);
  }

  byWs(chunk: Buffer): void {
    if (this.#receiver.writable) this.#receiver.write(chunk);
  }
}

/** Errors of a stream are told in the next turn. */
async function hear(from: "client" | "server", chunks: readonly Buffer[], how: "ours" | "ws"): Promise<string[]> {
  const heard = new Heard(from);
  let reader: MessageReader | undefined =
    how === "ours" ? new MessageReader({ from, sink: heard, memory: new TransferMemory() }) : undefined;
  for (const chunk of chunks) {
    const copy = Buffer.from(chunk);
    const rest = reader ? reader.read(copy) : copy;
    if (!rest) continue;
    reader = undefined;
    heard.byWs(rest);
    await new Promise(setImmediate);
  }
  await new Promise(setImmediate);
  return heard.lines;
}

function cutUp(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let n = 0; at < bytes.length; n += 1) {
    const size = sizes.length === 0 ? bytes.length : (sizes[n % sizes.length] ?? 1);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const payload = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const keys = fc.constantFrom(undefined, 0, 0xffffffff, 0x01020304, 0x80000001);

describe("frames that we write", () => {
  const sizes = [0, 1, 3, 63, 64, 65, 125, 126, 127, 1000, 65_535, 65_536, maxMessageBytes];
  for (const key of [undefined, 0, 0xfedcba98]) {
    it(`are those of ws, ${key === undefined ? "without a mask" : `with the mask ${key}`}`, () => {
      for (const size of sizes) {
        for (const headroom of key === undefined ? [unmaskedHeaderBytes, 31] : [maskedHeaderBytes, 33]) {
          const message = Buffer.allocUnsafe(headroom + size + 5);
          for (let at = headroom; at < message.length; at += 1) message[at] = at * 7;
          const expected = frameByWs(Buffer.from(message.subarray(headroom, headroom + size)), { key });
          const frame = frameMessage(message, { headroom, end: headroom + size }, key);
          assert.ok(frame.equals(expected), `${size} bytes`);
          assert.equal(frame.buffer, message.buffer);
        }
      }
    });
  }

  it("are masked right at any alignment", () => {
    fc.assert(
      fc.property(payload(300), fc.integer({ min: 0, max: 0xffffffff }), fc.nat({ max: 9 }), (bytes, key, shift) => {
        const expected = Buffer.from(bytes).map((byte, at) => byte ^ ((key >>> (24 - (at % 4) * 8)) & 0xff));
        const target = Buffer.alloc(bytes.length + shift);
        bytes.copy(target, shift);
        applyMask(target.subarray(shift), key);
        assert.deepEqual(target.subarray(shift), Buffer.from(expected));
        assert.ok(target.subarray(0, shift).every((byte) => byte === 0));
      }),
    );
  });

  it("are masked with keys that differ, or with 0", () => {
    const random = new MaskingKeys("random");
    const drawn = new Set(Array.from({ length: 1000 }, () => random.next()));
    assert.ok(drawn.size > 990);
    const zero = new MaskingKeys("zero");
    assert.deepEqual([zero.next(), zero.next()], [0, 0]);
  });
});

describe("frames that we read", () => {
  /** Anything that may come: messages, control frames, fragments, text, and headers that are wrong. */
  const frames = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ data: payload(200), key: keys }).map(({ data, key }) => frameByWs(data, { key })),
    },
    fc
      .record({ data: payload(125), key: keys, opcode: fc.constantFrom(1, 8, 9, 10), fin: fc.boolean() })
      .map(({ data, ...how }) => frameByWs(data, how)),
    fc
      .record({ data: payload(30), key: keys, opcode: fc.constantFrom(0, 2), fin: fc.boolean() })
      .map(({ data, ...how }) => frameByWs(data, how)),
    payload(20),
  );

  for (const from of ["client", "server"] as const) {
    it(`are heard as ws hears them, from a ${from}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(frames, { maxLength: 8 }),
          fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }),
          async (list, sizes) => {
            const chunks = cutUp(Buffer.concat(list), sizes);
            assert.deepEqual(await hear(from, chunks, "ours"), await hear(from, chunks, "ws"));
          },
        ),
        { numRuns: 300 },
      );
    });

    it(`are heard as ws hears them at the limits of length, from a ${from}`, async () => {
      const mask = from === "client" ? 0x80 : 0;
      const key = from === "client" ? [1, 2, 3, 4] : [];
      const u64 = (value: bigint): number[] => {
        const bytes = Buffer.alloc(8);
        bytes.writeBigUInt64BE(value);
        return [...bytes];
      };
      const heads: number[][] = [
        [0x82, mask | 126, 0, 5],
        [0x82, mask | 127, ...u64(5n)],
        [0x82, mask | 127, ...u64(BigInt(maxMessageBytes))],
        [0x82, mask | 127, ...u64(BigInt(maxMessageBytes + 1))],
        [0x82, mask | 127, ...u64(2n ** 32n)],
        [0x82, mask | 127, ...u64(2n ** 63n + 5n)],
        [0x82, (mask ^ 0x80) | 5],
        [0xc2, mask | 5],
        [0xa2, mask | 5],
        [0x92, mask | 5],
        [0x83, mask | 5],
        [0x89, mask | 126, 0, 126],
        [0x09, mask | 5],
        [0x80, mask | 5],
      ];
      for (const head of heads) {
        const bytes = Buffer.from([...head, ...key, ...Buffer.alloc(maxMessageBytes, 7)]);
        for (const sizes of [[], [1, 2, 70_000], [3, 7, 60_000]]) {
          const chunks = cutUp(bytes, sizes);
          const ours = await hear(from, chunks, "ours");
          assert.deepEqual(ours, await hear(from, chunks, "ws"), `${head.join()} in ${sizes.join()}`);
        }
      }
    });
  }

  it("keep no view of a chunk between chunks", () => {
    const messages: string[] = [];
    const sink = { _onWhole: (message: Buffer) => void messages.push(message.toString()) };
    const reader = new MessageReader({ from: "server", sink, memory: new TransferMemory() });
    const text = "hello ".repeat(500);
    const message = Buffer.concat([Buffer.alloc(unmaskedHeaderBytes), Buffer.from(text)]);
    const frame = frameMessage(message, { headroom: unmaskedHeaderBytes, end: message.length });
    for (const size of [1, 2, 3, 700, 5000]) {
      for (const chunk of cutUp(Buffer.concat([frame, frame]), [size])) {
        const copy = Buffer.from(chunk);
        assert.equal(reader.read(copy), undefined);
        copy.fill(0);
      }
      assert.deepEqual(messages.splice(0), [text, text]);
    }
  });
});
