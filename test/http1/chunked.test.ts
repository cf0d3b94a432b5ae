// The chunked coding: every rule as a table, fed whole, byte by byte and cut everywhere; and what the decoder promises
// to its sink.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { ChunkSink } from "../../src/http1/chunked.ts";
import {
  ChunkedDecoder,
  chunkPrefix,
  ChunkProgress,
  chunkSuffix,
  lastChunk,
  lastChunkWithTrailers,
} from "../../src/http1/chunked.ts";
import { cut } from "./our-messages.ts";

class Collector implements ChunkSink {
  data = "";
  trailers = "";
  calls = 0;

  onChunkData(view: Buffer): void {
    assert.ok(view.length > 0);
    this.calls++;
    this.data += view.toString("latin1");
  }

  onChunkTrailers(section: Buffer): void {
    assert.ok(section.length > 0);
    this.trailers += section.toString("latin1");
  }
}

interface Outcome {
  readonly end: string;
  readonly data: string;
  readonly trailers: string;
  readonly rest: number;
}

function decodePieces(pieces: readonly Buffer[]): Outcome {
  const decoder = new ChunkedDecoder();
  const sink = new Collector();
  let left = pieces.reduce((sum, piece) => sum + piece.length, 0);
  for (const piece of pieces) {
    const before = piece.toString("latin1");
    const progress = decoder.decode(piece, 0, sink);
    assert.equal(piece.toString("latin1"), before, "the input is not written to");
    if (progress === ChunkProgress.Rejected) {
      return { end: decoder.rejection.reason, data: sink.data, trailers: sink.trailers, rest: 0 };
    }
    if (progress === ChunkProgress.Complete) {
      return { end: "complete", data: sink.data, trailers: sink.trailers, rest: left - decoder.next };
    }
    left -= piece.length;
  }
  return { end: "more", data: sink.data, trailers: sink.trailers, rest: 0 };
}

function decodeAnyhow(text: string): Outcome {
  const bytes = Buffer.from(text, "latin1");
  const whole = decodePieces([bytes]);
  const everywhere = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => index + 1);
  assert.deepEqual(decodePieces(cut(bytes, everywhere)), whole, "byte by byte");
  for (const at of everywhere) assert.deepEqual(decodePieces(cut(bytes, [at])), whole, `cut at ${at}`);
  return whole;
}

const accepted: readonly (readonly [text: string, data: string, trailers: string, rest: number])[] = [
  ["0\r\n\r\n", "", "", 0],
  ["5\r\nhello\r\n0\r\n\r\n", "hello", "", 0],
  ["5\r\nhello\r\n0\r\n\r\nGET /", "hello", "", 5],
  ["1\r\na\r\n2\r\nbc\r\n00A\r\n0123456789\r\n000\r\n\r\n", "abc0123456789", "", 0],
  ["a\r\n\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n", "\r\n0\r\n\r\n0\r\n", "", 0],
  [`${"0".repeat(14)}1\r\nx\r\n${"0".repeat(15)}\r\n\r\n`, "x", "", 0],
  ['1;a=b;c="d;e"\r\nx\r\n0;last\r\n\r\n', "x", "", 0],
  ["1 \t;a\r\nx\r\n0\r\n\r\n", "x", "", 0],
  [`1;${"e".repeat(255)}\r\nx\r\n1;${"e".repeat(255)}\r\ny\r\n0\r\n\r\n`, "xy", "", 0],
  ["0\r\nA: 1\r\nB: \r\n\r\nrest", "", "A: 1\r\nB: \r\n", 4],
  ["0\r\nContent-Length: 5\r\n\r\n", "", "Content-Length: 5\r\n", 0],
];

const refused: Record<string, readonly string[]> = {
  bad_chunk: [
    "\r\n",
    " 1\r\nx\r\n",
    "g\r\n",
    "-1\r\n",
    "+1\r\n",
    "0x1\r\nx\r\n",
    ";a\r\n",
    "1 \r\nx\r\n",
    "1 x\r\n",
    "1,1\r\n",
    `${"0".repeat(16)}\r\n`,
    "fffffffffffffff\r\n",
    "20000000000000\r\n",
    "1\nx\n",
    "1\rx",
    "1\r\nx\n0\r\n",
    "1\r\nx0\r\n",
    "1\r\nxy\r\n",
    "1\r\nx\r0",
    "1\r\nx\r\n\r\n",
    "1;a\n",
    "1;a\rb",
    "1;a\0\r\n",
    "1;\x7f\r\n",
    `1;${"e".repeat(256)}\r\n`,
    `1${" ".repeat(256)};\r\n`,
  ],
  bare_lf: ["0\r\n\n", "0\r\nA: 1\n"],
  bare_cr: ["0\r\n\rx\n"],
  obs_fold: ["0\r\n A: 1\r\n", "0\r\nA: 1\r\n b\r\n"],
  bad_name: ["0\r\nA : 1\r\n", "0\r\n: 1\r\n", "0\r\nGET / HTTP/1.1\r\n"],
  bad_value: ["0\r\nA: \0\r\n"],
};

describe("chunked bodies that are accepted", () => {
  for (const [text, data, trailers, rest] of accepted) {
    test(JSON.stringify(text.slice(0, 60)), () => {
      assert.deepEqual(decodeAnyhow(text), { end: "complete", data, trailers, rest });
    });
  }
});

describe("chunked bodies that are refused", () => {
  for (const [reason, texts] of Object.entries(refused)) {
    for (const text of texts) {
      test(`${reason}: ${JSON.stringify(text.slice(0, 60))}`, () => assert.equal(decodeAnyhow(text).end, reason));
    }
  }
});

test("a body that is not complete is more to come, at every length", () => {
  const text = "3;x\r\nabc\r\n0\r\nA: 1\r\n\r\n";
  for (let length = 0; length < text.length; length++) assert.equal(decodeAnyhow(text.slice(0, length)).end, "more");
});

test("the trailer section has the limits of a head", () => {
  const most = `0\r\n${"A: 1\r\n".repeat(100)}\r\n`;
  assert.equal(decodePieces([Buffer.from(most)]).end, "complete");
  for (const pieces of [
    [Buffer.from(`0\r\n${"A: 1\r\n".repeat(101)}\r\n`)],
    cut(
      Buffer.from(`0\r\n${"A: 1\r\n".repeat(101)}`),
      Array.from({ length: 600 }, (_, index) => index + 1),
    ),
  ]) {
    assert.equal(decodePieces(pieces).end, "too_many_fields");
  }
  const large = Buffer.from(`0\r\nA: ${"x".repeat(17_000)}`);
  assert.equal(decodePieces([large]).end, "head_too_large");
  assert.equal(decodePieces(cut(large, [1, 5, 100, 9000, 9001, 16_386])).end, "head_too_large");
});

test("answers stay the same until reset, and a decoder serves one body after another", () => {
  const decoder = new ChunkedDecoder();
  const sink = new Collector();
  assert.equal(decoder.decode(Buffer.from("x"), 0, sink), ChunkProgress.Rejected);
  assert.equal(decoder.decode(Buffer.from("0\r\n\r\n"), 0, sink), ChunkProgress.Rejected);
  decoder.reset();
  assert.equal(decoder.decode(Buffer.from("__2\r\nab\r\n0\r\nA: 1\r\n\r\n!"), 2, sink), ChunkProgress.Complete);
  assert.equal(decoder.next, 20);
  assert.equal(decoder.decode(Buffer.from("1\r\nx"), 0, sink), ChunkProgress.Complete);
  assert.equal(decoder.next, 0);
  decoder.reset();
  assert.equal(decoder.decode(Buffer.from("2\r\nc"), 0, sink), ChunkProgress.More);
  decoder.reset();
  assert.equal(decoder.decode(Buffer.from("1\r\nd\r\n0\r\n\r\n"), 0, sink), ChunkProgress.Complete);
  assert.deepEqual([sink.data, sink.trailers], ["abcd", "A: 1\r\n"]);
});

test("small pieces of one input are handed on together, large ones as views of it", () => {
  const sink = new Collector();
  const decoder = new ChunkedDecoder();
  decoder.decode(Buffer.from(`${"1\r\nx\r\n".repeat(1000)}0\r\n\r\n`), 0, sink);
  assert.deepEqual([sink.data, sink.calls], ["x".repeat(1000), 1]);

  const input = Buffer.from(`1000\r\n${"a".repeat(4096)}\r\n1000\r\n${"b".repeat(4096)}\r\n0\r\n\r\n`);
  const views: Buffer[] = [];
  decoder.reset();
  decoder.decode(input, 0, { onChunkData: (view) => views.push(view), onChunkTrailers: () => {} });
  assert.deepEqual(
    views.map((view) => [view.buffer === input.buffer, view.byteOffset - input.byteOffset, view.length]),
    [
      [true, 6, 4096],
      [true, 6 + 4096 + 8, 4096],
    ],
  );
});

test("a sink that resets the decoder hears nothing more of that input", () => {
  for (const size of ["1", "400"]) {
    const decoder = new ChunkedDecoder();
    let calls = 0;
    const input = `${size}\r\n${"x".repeat(Number.parseInt(size, 16))}\r\n`.repeat(3);
    const progress = decoder.decode(Buffer.from(`${input}0\r\nA: 1\r\n\r\n`), 0, {
      onChunkData: () => {
        calls++;
        decoder.reset();
      },
      onChunkTrailers: () => assert.fail("after the reset"),
    });
    assert.deepEqual([calls, progress], [1, ChunkProgress.More]);
    const sink = new Collector();
    assert.equal(decoder.decode(Buffer.from("1\r\nx\r\n0\r\n\r\n"), 0, sink), ChunkProgress.Complete);
    assert.equal(sink.data, "x");
  }
});

test("what is encoded in chunks is decoded to the same, however either is cut, and not a byte more is taken", () => {
  const body = fc.array(fc.uint8Array({ minLength: 1, maxLength: 1500 }), { maxLength: 12 });
  const trailers = fc.constantFrom("", "A: 1\r\n", "X-Sum: 0\r\nX-Sum: 1\r\n");
  const numbers = fc.array(fc.nat(20_000), { maxLength: 8 });
  fc.assert(
    fc.property(body, trailers, fc.string({ maxLength: 5 }), numbers, (parts, section, rest, places) => {
      const encoded = parts.flatMap((part) => [chunkPrefix(part.length), Buffer.from(part), chunkSuffix]);
      encoded.push(section === "" ? lastChunk : lastChunkWithTrailers(Buffer.from(section)), Buffer.from(rest));
      const bytes = Buffer.concat(encoded);
      const cuts = places.map((place) => place % bytes.length).toSorted((a, b) => a - b);
      const outcome = decodePieces(cut(bytes, cuts));
      const data = Buffer.concat(parts).toString("latin1");
      assert.deepEqual(outcome, { end: "complete", data, trailers: section, rest: Buffer.byteLength(rest) });
    }),
    { numRuns: 300 },
  );
});

test("chunk prefixes are the size in hex", () => {
  for (const size of [1, 15, 16, 255, 2047, 2048, 65_536, 2 ** 40]) {
    assert.equal(chunkPrefix(size).toString(), `${size.toString(16)}\r\n`);
  }
  assert.equal(chunkPrefix(500), chunkPrefix(500));
});
