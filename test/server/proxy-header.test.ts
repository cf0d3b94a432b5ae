// The PROXY header: what the specification allows is read, everything else is refused, and no cut or change of it throws.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ProxyHeaderProgress } from "../../src/server/proxy-header.ts";
import { maxProxyHeaderBytes, readProxyHeader } from "../../src/server/proxy-header.ts";

const signature = "0d0a0d0a000d0a515549540a";

function binary(rest: string): Buffer {
  return Buffer.from(signature + rest, "hex");
}

const v4 = "c0a80001c0a80002d4310050";
const v6 = `${"20010db8000000000000000000000001".repeat(2)}d4310050`;
const mapped = `00000000000000000000ffffc0a80001${"00".repeat(16)}d4310050`;

const accepted: readonly [what: string, bytes: Buffer, address: string | undefined][] = [
  ["version 1 over IPv4", Buffer.from("PROXY TCP4 192.0.2.7 192.0.2.8 54321 443\r\n"), "192.0.2.7"],
  ["version 1 over IPv6", Buffer.from("PROXY TCP6 2001:DB8::7 ::1 0 65535\r\n"), "2001:db8::7"],
  ["version 1, unknown", Buffer.from("PROXY UNKNOWN\r\n"), undefined],
  ["version 1, unknown with anything", Buffer.from("PROXY UNKNOWN ffff:f...f:ffff 1 x\r\n"), undefined],
  ["version 2 over IPv4", binary(`2111000c${v4}`), "192.168.0.1"],
  ["version 2 with more behind the addresses", binary(`21110010${v4}03000100`), "192.168.0.1"],
  ["version 2 over IPv6", binary(`21210024${v6}`), "2001:db8::1"],
  ["version 2 with a mapped address", binary(`21210024${mapped}`), "192.168.0.1"],
  ["version 2, the balancer itself", binary("20000000"), undefined],
  ["version 2, the balancer itself with addresses", binary(`2011000c${v4}`), undefined],
  ["version 2, unspecified", binary("21000000"), undefined],
];

for (const [what, bytes, address] of accepted) {
  test(`${what} is read, in whatever pieces it comes`, () => {
    const expected: ProxyHeaderProgress = { state: "complete", address, end: bytes.length };
    assert.deepEqual(readProxyHeader(bytes), expected);
    assert.deepEqual(readProxyHeader(Buffer.concat([bytes, Buffer.from("GET / HTTP/1.1\r\n")])), expected);
    for (let length = 0; length < bytes.length; length += 1) {
      assert.deepEqual(readProxyHeader(bytes.subarray(0, length)), { state: "more" }, `${length} bytes`);
    }
  });
}

const refused: readonly [what: string, bytes: Buffer][] = [
  ["no header at all", Buffer.from("GET / HTTP/1.1\r\n")],
  ["small letters", Buffer.from("proxy TCP4 192.0.2.7 192.0.2.8 1 2\r\n")],
  ["a bare line feed", Buffer.from("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\n")],
  ["two blanks", Buffer.from("PROXY  TCP4 192.0.2.7 192.0.2.8 1 2\r\n")],
  ["no destination", Buffer.from("PROXY TCP4 192.0.2.7 1 2\r\n")],
  ["a word too many", Buffer.from("PROXY TCP4 192.0.2.7 192.0.2.8 1 2 3\r\n")],
  ["a port too large", Buffer.from("PROXY TCP4 192.0.2.7 192.0.2.8 65536 2\r\n")],
  ["a port with a zero in front", Buffer.from("PROXY TCP4 192.0.2.7 192.0.2.8 01 2\r\n")],
  ["an IPv6 address as IPv4", Buffer.from("PROXY TCP4 ::1 ::1 1 2\r\n")],
  ["no address", Buffer.from("PROXY TCP4 example.com 192.0.2.8 1 2\r\n")],
  ["datagrams", Buffer.from("PROXY UDP4 192.0.2.7 192.0.2.8 1 2\r\n")],
  ["a line without an end", Buffer.from(`PROXY UNKNOWN ${"x".repeat(120)}`)],
  ["a line that is too long", Buffer.from(`PROXY UNKNOWN ${"x".repeat(120)}\r\n`)],
  ["version 3", binary(`3111000c${v4}`)],
  ["an unknown command", binary(`2211000c${v4}`)],
  ["addresses that are cut off", binary("21110004c0a80001")],
  ["IPv6 addresses that are cut off", binary(`2121000c${v4}`)],
  ["datagrams of version 2", binary(`2112000c${v4}`)],
  ["a local socket", binary(`213100d8${"00".repeat(216)}`)],
  ["more than anybody sends", binary("2111ffff")],
];

for (const [what, bytes] of refused) {
  test(`${what}: refused`, () => assert.deepEqual(readProxyHeader(bytes), { state: "refused" }));
}

test("whatever the bytes, it answers within its bounds", () => {
  const start = fc.constantFrom(Buffer.from("PROXY TCP4 "), Buffer.from(signature, "hex"), Buffer.alloc(0));
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 300 }), (head, tail) => {
      const bytes = Buffer.concat([head, tail]);
      const progress = readProxyHeader(bytes);
      if (progress.state === "complete") assert.ok(progress.end <= bytes.length);
      if (progress.state === "more") assert.ok(bytes.length < maxProxyHeaderBytes);
    }),
    { numRuns: 2000 },
  );
});
