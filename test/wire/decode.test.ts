// Frames: the fast codec against a naive one, every truncation, every type and flag, every size.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { decodeFrames } from "../../src/wire/decode.ts";
import { encodeFrame, putCredit, putGoAway, putPing, putReset } from "../../src/wire/encode.ts";
import { frameTypes } from "../../src/wire/frame.ts";
import { headerBytes, maxControlBytes, maxFramePayload, maxStreamId } from "../../src/wire/limits.ts";
import type { ViolationReason } from "../../src/wire/violation.ts";
import { violationReasonOf } from "../../src/wire/violation.ts";

interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

/** By the letter of the layout, and slowly. */
function encodeNaively(frame: Frame): Buffer {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  const header = hex(frame.payload.length, 6) + hex(frame.type, 2) + hex(frame.flags, 2) + hex(frame.stream, 8);
  return Buffer.concat([Buffer.from(header, "hex"), frame.payload]);
}

function decode(message: Buffer): Frame[] {
  const frames: Frame[] = [];
  decodeFrames(message, {
    onFrame: (type, flags, stream, bytes, start, end) => {
      frames.push({ type, flags, stream, payload: Buffer.from(bytes.subarray(start, end)) });
    },
  });
  return frames;
}

/** Why the message is refused; undefined if it is not. */
function refusal(message: Buffer): ViolationReason | undefined {
  try {
    decode(message);
    return undefined;
  } catch (error) {
    return violationReasonOf(error) ?? assert.fail(String(error));
  }
}

const plain = { noNullPrototype: true } as const;
const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
const streamId = fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: maxStreamId }));
const end = fc.constantFrom(0, 1);
const onStream = (type: number, payload: fc.Arbitrary<Buffer>, flags: fc.Arbitrary<number>) =>
  fc.record({ type: fc.constant(type), flags, stream: streamId, payload }, plain);
const onSession = (type: number, payload: fc.Arbitrary<Buffer>) =>
  fc.record({ type: fc.constant(type), flags: fc.constant(0), stream: fc.constant(0), payload }, plain);

const validFrame: fc.Arbitrary<Frame> = fc.oneof(
  onStream(frameTypes.open, bytes(1, 300), end),
  onStream(frameTypes.head, bytes(1, 300), end),
  onStream(frameTypes.data, bytes(1, 300), end),
  onStream(frameTypes.data, fc.constant(Buffer.alloc(0)), fc.constant(1)),
  onStream(frameTypes.trailers, bytes(1, 100), fc.constant(1)),
  onStream(frameTypes.reset, bytes(1, 1), fc.constant(0)),
  onStream(frameTypes.credit, bytes(4, 4), fc.constant(0)),
  onSession(frameTypes.ping, bytes(8, 8)),
  onSession(frameTypes.pong, bytes(8, 8)),
  onSession(frameTypes.goaway, bytes(5, 5)),
  onSession(frameTypes.control, bytes(1, 200)),
  fc.record(
    {
      type: fc.integer({ min: 0x80, max: 0xff }),
      flags: fc.integer({ min: 0, max: 0xff }),
      stream: fc.integer({ min: 0, max: 0xffffffff }),
      payload: bytes(0, 50),
    },
    plain,
  ),
);

describe("frames", () => {
  it("come out as they went in, however many share a message", () => {
    fc.assert(
      fc.property(fc.array(validFrame, { minLength: 1, maxLength: 20 }), (frames) => {
        const message = Buffer.concat(frames.map(encodeNaively));
        const fast = frames.map(({ type, flags, stream, payload }) => encodeFrame(type, flags, stream, payload));
        assert.deepEqual(Buffer.concat(fast), message);
        assert.deepEqual(decode(message), frames);
      }),
    );
  });

  it("are refused when cut at any byte, after the whole ones before the cut were delivered", () => {
    fc.assert(
      fc.property(fc.array(validFrame, { minLength: 1, maxLength: 4 }), fc.nat(), (frames, seed) => {
        const parts = frames.map(encodeNaively);
        const message = Buffer.concat(parts);
        const cut = 1 + (seed % message.length);
        const boundaries: number[] = [];
        for (const part of parts) boundaries.push((boundaries.at(-1) ?? 0) + part.length);
        const whole = boundaries.filter((boundary) => boundary <= cut).length;
        const seen: number[] = [];
        const read = () => decodeFrames(message.subarray(0, cut), { onFrame: (type) => void seen.push(type) });
        if (boundaries.includes(cut)) read();
        else assert.throws(read, { code: "E_PROTOCOL", message: "frame_truncated" });
        assert.equal(seen.length, whole);
      }),
    );
  });

  it("are refused at every single truncation of one message", () => {
    const message = Buffer.concat([
      encodeFrame(frameTypes.data, 0, 7, Buffer.from("payload")),
      encodeFrame(frameTypes.ping, 0, 0, Buffer.alloc(8)),
    ]);
    assert.equal(refusal(message.subarray(0, 0)), "empty_message");
    for (let length = 1; length < message.length; length += 1) {
      const expected = length === headerBytes + 7 ? undefined : "frame_truncated";
      assert.equal(refusal(message.subarray(0, length)), expected, `at ${length}`);
    }
  });

  it("never make the decoder do anything but deliver or refuse", () => {
    fc.assert(
      fc.property(bytes(0, 200), (message) => void refusal(message)),
      { numRuns: 2000 },
    );
  });

  it("below 0x80 must have a known type", () => {
    const known = new Set<number>(Object.values(frameTypes));
    for (let type = 0; type < 0x100; type += 1) {
      const unknown = refusal(encodeFrame(type, 0, 1, Buffer.alloc(1))) === "frame_type";
      assert.equal(unknown, type < 0x80 && !known.has(type), `type ${type}`);
    }
  });

  const payloads: Record<string, Buffer> = {
    open: Buffer.alloc(20),
    head: Buffer.alloc(20),
    data: Buffer.alloc(20),
    trailers: Buffer.alloc(20),
    reset: Buffer.alloc(1),
    credit: Buffer.alloc(4),
    ping: Buffer.alloc(8),
    pong: Buffer.alloc(8),
    goaway: Buffer.alloc(5),
    control: Buffer.alloc(20),
  };
  const sessionTypes = new Set(["ping", "pong", "goaway", "control"]);
  const endTypes = new Set(["open", "head", "data", "trailers"]);

  it("have only the flags of their type", () => {
    for (const [name, type] of Object.entries(frameTypes)) {
      const stream = sessionTypes.has(name) ? 0 : 1;
      for (let flags = 0; flags < 0x100; flags += 1) {
        const fits = flags === 0 ? name !== "trailers" : flags === 1 && endTypes.has(name);
        const reason = refusal(encodeFrame(type, flags, stream, payloads[name] ?? assert.fail(name)));
        assert.equal(reason, fits ? undefined : "frame_flags", `${name} with flags ${flags}`);
      }
    }
  });

  it("have a stream exactly where one belongs", () => {
    for (const [name, type] of Object.entries(frameTypes)) {
      const flags = name === "trailers" ? 1 : 0;
      const bytesOf = payloads[name] ?? assert.fail(name);
      const session = sessionTypes.has(name);
      assert.equal(refusal(encodeFrame(type, flags, 0, bytesOf)), session ? undefined : "frame_stream", name);
      assert.equal(refusal(encodeFrame(type, flags, 1, bytesOf)), session ? "frame_stream" : undefined, name);
      assert.equal(refusal(encodeFrame(type, flags, maxStreamId, bytesOf)), session ? "frame_stream" : undefined, name);
      assert.equal(refusal(encodeFrame(type, flags, maxStreamId + 1, bytesOf)), "frame_stream", name);
      assert.equal(refusal(encodeFrame(type, flags, 0xffffffff, bytesOf)), "frame_stream", name);
    }
  });

  it("have a payload of a possible size", () => {
    const sizes: [keyof typeof frameTypes, number, ViolationReason | undefined][] = [
      ["open", 0, "frame_length"],
      ["head", 0, "frame_length"],
      ["data", 0, "frame_length"],
      ["trailers", 0, "frame_length"],
      ["control", 0, "frame_length"],
      ["reset", 0, "frame_length"],
      ["reset", 2, "frame_length"],
      ["credit", 3, "frame_length"],
      ["credit", 5, "frame_length"],
      ["ping", 7, "frame_length"],
      ["pong", 9, "frame_length"],
      ["goaway", 4, "frame_length"],
      ["goaway", 6, "frame_length"],
      ["control", maxControlBytes, undefined],
      ["control", maxControlBytes + 1, "frame_too_large"],
      ["data", maxFramePayload, undefined],
      ["data", maxFramePayload + 1, "frame_too_large"],
      ["head", maxFramePayload + 1, "frame_too_large"],
    ];
    for (const [name, size, reason] of sizes) {
      const stream = sessionTypes.has(name) ? 0 : 1;
      const flags = name === "trailers" ? 1 : 0;
      assert.equal(
        refusal(encodeFrame(frameTypes[name], flags, stream, Buffer.alloc(size))),
        reason,
        `${name} ${size}`,
      );
    }
    assert.equal(refusal(encodeFrame(frameTypes.data, 1, 1, Buffer.alloc(0))), undefined);
    assert.equal(refusal(encodeFrame(0x80, 0, 0, Buffer.alloc(maxFramePayload + 1))), "frame_too_large");
    // The size is judged before the bytes are there.
    assert.equal(refusal(Buffer.from("ffffff030000000001", "hex")), "frame_too_large");
  });
});

describe("frames written in place", () => {
  it("equal those of the naive codec", () => {
    fc.assert(
      fc.property(
        streamId,
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.nat(255),
        fc.nat(30),
        (stream, word, code, at) => {
          const target = Buffer.alloc(64, 0xee);
          const word4 = Buffer.alloc(4);
          word4.writeUInt32BE(word);
          const check = (length: number, frame: Frame) => {
            assert.equal(length, at + headerBytes + frame.payload.length);
            assert.deepEqual(target.subarray(at, length), encodeNaively(frame));
            assert.ok(target.subarray(0, at).every((byte) => byte === 0xee));
            assert.ok(target.subarray(length).every((byte) => byte === 0xee));
            target.fill(0xee);
          };
          const session = { flags: 0, stream: 0 };
          check(putReset(target, at, stream, code), {
            type: frameTypes.reset,
            flags: 0,
            stream,
            payload: Buffer.of(code),
          });
          check(putCredit(target, at, stream, word), { type: frameTypes.credit, flags: 0, stream, payload: word4 });
          for (const type of [frameTypes.ping, frameTypes.pong] as const) {
            // Signed numbers are the same 32 bits.
            const frame = { type, ...session, payload: Buffer.concat([word4, word4]) };
            check(putPing(target, at, type, word | 0, word), frame);
          }
          check(putGoAway(target, at, word, code), {
            type: frameTypes.goaway,
            ...session,
            payload: Buffer.concat([word4, Buffer.of(code)]),
          });
        },
      ),
    );
  });
});
