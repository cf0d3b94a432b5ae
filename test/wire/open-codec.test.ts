// The payload of OPEN: round trips, and everything that makes no sense.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { OpenRequest } from "../../src/wire/open.ts";
import {
  decodeOpen,
  maxVisitorBytes,
  openPrefixBytes,
  openTail,
  putOpenPrefix,
  traceparentBytes,
} from "../../src/wire/open-codec.ts";

function encode(request: OpenRequest): Buffer {
  const tail = openTail(request);
  const payload = Buffer.alloc(openPrefixBytes(request) + tail.length);
  tail.copy(payload, putOpenPrefix(payload, 0, request));
  return payload;
}

const plain = { noNullPrototype: true } as const;
const exchanges: fc.Arbitrary<OpenRequest> = fc
  .record(
    {
      kind: fc.constant("exchange" as const),
      tunnel: fc.integer({ min: 0, max: 0xffffffff }),
      body: fc.constantFrom("none" as const, "length" as const, "chunked" as const),
      headOnly: fc.boolean(),
      idempotent: fc.boolean(),
      upgrade: fc.boolean(),
      expectContinue: fc.boolean(),
      head: fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
      host: fc.tuple(fc.nat(), fc.nat()),
    },
    plain,
  )
  .map(({ host, ...request }) => {
    const hostAt = host[0] % request.head.length;
    return Object.assign(request, { hostAt, hostLength: host[1] % (request.head.length - hostAt + 1) });
  });
const pipes: fc.Arbitrary<OpenRequest> = fc.record(
  {
    kind: fc.constant("pipe" as const),
    tunnel: fc.integer({ min: 0, max: 0xffffffff }),
    visitor: fc.constantFrom("", "192.0.2.1", "2001:db8::1", "x".repeat(maxVisitorBytes)),
    // Whatever of that length it is, the codec carries it; what it means is decided by whoever traces.
    traceparent: fc
      .uint8Array({ minLength: traceparentBytes, maxLength: traceparentBytes })
      .map((bytes) => Buffer.from(bytes).toString("latin1")),
  },
  { ...plain, requiredKeys: ["kind", "tunnel", "visitor"] },
);

describe("OPEN", () => {
  it("comes out as it went in, wherever it stands in a message", () => {
    fc.assert(
      fc.property(fc.oneof(exchanges, pipes), fc.nat(20), (request, offset) => {
        const payload = encode(request);
        const message = Buffer.concat([Buffer.alloc(offset, 0xaa), payload, Buffer.alloc(7, 0xbb)]);
        const decoded = decodeOpen(message, offset, offset + payload.length);
        assert.deepEqual(decoded, request);
        // The head is a copy: the message's memory is not kept.
        message.fill(0);
        assert.deepEqual(decoded, request);
      }),
    );
  });

  it("cuts a visitor's address that is too long", () => {
    const payload = encode({ kind: "pipe", tunnel: 1, visitor: "y".repeat(maxVisitorBytes + 50) });
    assert.deepEqual(decodeOpen(payload, 0, payload.length), {
      kind: "pipe",
      tunnel: 1,
      visitor: "y".repeat(maxVisitorBytes),
    });
  });

  it("carries a trace of exactly its length, and nothing else", () => {
    const bare = encode({ kind: "pipe", tunnel: 1, visitor: "192.0.2.1" });
    assert.equal(bare.toString("latin1"), "\u0002\u0000\u0000\u0000\u0000\u0001192.0.2.1");
    for (const length of [0, traceparentBytes - 1, traceparentBytes + 1, 4_000]) {
      const open: OpenRequest = { kind: "pipe", tunnel: 1, visitor: "192.0.2.1", traceparent: "0".repeat(length) };
      assert.deepEqual(encode(open), bare);
    }
  });

  it("ignores flags of later versions", () => {
    const payload = encode({ kind: "pipe", tunnel: 1, visitor: "" });
    payload[1] = 0xfe;
    assert.deepEqual(decodeOpen(payload, 0, payload.length), { kind: "pipe", tunnel: 1, visitor: "" });
  });

  const head = "474554202f20";
  const nonsense: [string, string][] = [
    ["nothing", ""],
    ["a prefix cut short", "0100000000"],
    ["no head", "01000000000100000000"],
    ["no kind", `00000000000100000000${head}`],
    ["a kind of a later version", `03000000000100000000${head}`],
    ["an unknown body", `01030000000100000000${head}`],
    ["a host behind the head", `01000000000100030004${head}`],
    ["a host far behind the head", `010000000001ffffffff${head}`],
    ["an endless visitor", `020000000001${"61".repeat(maxVisitorBytes + 1)}`],
    ["no trace, where there should be one", "020100000001"],
    ["a trace cut short", `020100000001${"30".repeat(traceparentBytes - 1)}`],
    [
      "an endless visitor behind a trace",
      `020100000001${"30".repeat(traceparentBytes)}${"61".repeat(maxVisitorBytes + 1)}`,
    ],
  ];
  for (const [what, hex] of nonsense) {
    it(`is refused with ${what}`, () => {
      const payload = Buffer.from(hex, "hex");
      assert.throws(() => decodeOpen(payload, 0, payload.length), { code: "E_PROTOCOL", message: "bad_open" });
    });
  }
});
