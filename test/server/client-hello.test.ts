// The ClientHello reader against real ones, against every truncation and fragmentation of them, and against nonsense.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionOptions } from "node:tls";
import fc from "fast-check";
import { maxClientHelloBytes, readClientHello } from "../../src/server/client-hello.ts";
import { firstHello, fragmentHello } from "../support/first-hello.ts";

function extension(type: number, data: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(data.length, 2);
  return Buffer.concat([header, data]);
}

function serverName(name: string, type = 0): Buffer {
  const text = Buffer.from(name, "latin1");
  const entry = Buffer.concat([Buffer.from([type, text.length >> 8, text.length & 255]), text]);
  return extension(0, Buffer.concat([Buffer.from([entry.length >> 8, entry.length & 255]), entry]));
}

/** A hello of our own, with the given extensions. */
function made(extensions: readonly Buffer[], padding = 0): Buffer {
  const list = Buffer.concat([...extensions, ...(padding > 0 ? [extension(21, Buffer.alloc(padding))] : [])]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0, 0, 2, 0x13, 0x01, 1, 0, list.length >> 8, list.length & 255]),
    list,
  ]);
  const message = Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 255]), body]);
  return Buffer.concat([Buffer.from([22, 3, 1, message.length >> 8, message.length & 255]), message]);
}

const refused = (problem: string): object => ({ state: "refused", problem });

test("the names of real clients are read", async () => {
  const cases: readonly [ConnectionOptions, string | undefined][] = [
    [{ servername: "demo.example.com" }, "demo.example.com"],
    [{ servername: "Demo.Example.COM", maxVersion: "TLSv1.2" }, "demo.example.com"],
    [{ servername: "" }, undefined],
  ];
  for (const [options, expected] of cases) {
    assert.deepEqual(readClientHello(await firstHello(options)), { state: "complete", serverName: expected });
  }
});

test("cut anywhere, it waits for more; cut into records, it is the same", async () => {
  const hello = await firstHello({ servername: "demo.example.com" });
  for (let length = 0; length < hello.length; length += 1) {
    assert.deepEqual(readClientHello(hello.subarray(0, length)), { state: "more" }, `${length} bytes`);
  }
  const whole = readClientHello(hello);
  for (const size of [32, 100, 500, hello.length]) assert.deepEqual(readClientHello(fragmentHello(hello, size)), whole);
  assert.deepEqual(readClientHello(Buffer.concat([hello, Buffer.from("more")])), whole);
  assert.deepEqual(readClientHello(fragmentHello(hello, 1)), refused("bad_client_hello"), "hundreds of records");
});

test("what is no ClientHello is refused at its first wrong byte", () => {
  const cases: readonly [what: string, bytes: Buffer, problem: string][] = [
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n"), "not_tls"],
    ["one byte of it", Buffer.from("G"), "not_tls"],
    ["SSL 2", Buffer.from("802e0100", "hex"), "not_tls"],
    ["another version", Buffer.from("16020000", "hex"), "not_tls"],
    ["an alert", Buffer.from("1503010002", "hex"), "not_tls"],
    ["an empty record", Buffer.from("1603010000", "hex"), "bad_client_hello"],
    ["a record that is too long", Buffer.from("160301ffff", "hex"), "bad_client_hello"],
    ["another message", Buffer.from("1603010004020000ff", "hex"), "bad_client_hello"],
    ["a message that is too long", Buffer.from("160301000401ffffff", "hex"), "hello_too_large"],
    ["no hosts", made([extension(0, Buffer.from([0, 0]))]), "bad_client_hello"],
    ["two hosts", made([serverName("a.test"), serverName("b.test")]), "bad_client_hello"],
    ["an unknown type of name", made([serverName("a.test", 1)]), "bad_client_hello"],
    ["a blank in a name", made([serverName("a b.test")]), "bad_client_hello"],
    ["NUL in a name", made([serverName("a\0.test")]), "bad_client_hello"],
    ["an empty label", made([serverName("a..test")]), "bad_client_hello"],
    ["a name that is too long", made([serverName(`${"a".repeat(64)}.test`)]), "bad_client_hello"],
    ["an extension beyond the end", made([Buffer.from([0, 5, 0, 9, 1])]), "bad_client_hello"],
  ];
  for (const [what, bytes, problem] of cases) assert.deepEqual(readClientHello(bytes), refused(problem), what);
});

test("a dot at the end is dropped, other extensions do not matter, and size is bounded", () => {
  const complete = { state: "complete", serverName: "a.test" };
  assert.deepEqual(readClientHello(made([extension(10, Buffer.alloc(4)), serverName("A.test.")])), complete);
  assert.deepEqual(readClientHello(made([serverName("a.test")], 15_000)), complete);
  const large = fragmentHello(made([serverName("a.test")], 40_000), 16_000);
  assert.deepEqual(readClientHello(large), refused("hello_too_large"));
});

test("whatever the bytes, it answers, and only whole hellos are complete", async () => {
  const hello = await firstHello({ servername: "demo.example.com" });
  const change = fc.tuple(fc.nat(hello.length - 1), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      const bytes = Buffer.from(hello);
      for (const [at, value] of changes) bytes[at] = value;
      const progress = readClientHello(bytes);
      assert.ok(["more", "refused", "complete"].includes(progress.state));
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assert.notEqual(readClientHello(Buffer.concat([Buffer.from([22, 3, 1]), bytes])).state, "complete");
    }),
  );
  assert.ok(maxClientHelloBytes <= 16 * 1024);
});
