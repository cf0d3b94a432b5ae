// A client that asks for too much: names that are not its own, registrations, resets and control messages without end.
// It is refused or loses its session; nobody else notices.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "../../src/wire/encode.ts";
import { frameTypes } from "../../src/wire/frame.ts";
import { RawClient } from "../support/raw-client.ts";
import { control, frame, hello } from "../support/raw-peer.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { WireClient } from "./wire-client.ts";
import { Words } from "./words.ts";

const get = "GET / HTTP/1.1\r\nHost: evil.localhost\r\n\r\n";

function register(id: number, fields: object): Buffer {
  return control({ type: "register", id, kind: "http", ...fields });
}

const wrongNames: readonly (readonly [what: string, fields: object, code: string])[] = [
  ["an empty name", { name: "" }, "name_invalid"],
  ["a hyphen first", { name: "-a" }, "name_invalid"],
  ["a hyphen last", { name: "a-" }, "name_invalid"],
  ["capitals", { name: "Evil" }, "name_invalid"],
  ["an underscore", { name: "a_b" }, "name_invalid"],
  ["two labels", { name: "a.b" }, "name_invalid"],
  ["a trailing dot", { name: "a." }, "name_invalid"],
  ["64 letters", { name: "a".repeat(64) }, "name_invalid"],
  ["a line break behind a good name", { name: "evil\n" }, "name_invalid"],
  ["an encoded name", { name: "xn--80ak6aa92e" }, "name_invalid"],
  ["a look-alike", { name: "\u0435vil" }, "name_invalid"],
  ["a percent escape", { name: "%00" }, "name_invalid"],
  ["a field of the server's answers", { name: "evil\r\nSet-Cookie: a=b" }, "name_invalid"],
  ["localhost", { name: "localhost" }, "name_reserved"],
  ["www", { name: "www" }, "name_reserved"],
  ["a name that is in use", { name: "demo" }, "name_taken"],
  ["a name in use, with a wrong key", { name: "demo", resumeKey: "A".repeat(43) }, "name_taken"],
  ["a name in use, with an empty key", { name: "demo", resumeKey: "" }, "name_taken"],
  ["what looks like a random name", { name: "abcdefghijklmnop" }, "name_taken"],
  ["a port", { kind: "tcp", port: 22 }, "tcp_off"],
  ["connections as they are", { kind: "tls", name: "new" }, "tls_off"],
];

void test("names that a client cannot have are refused one by one", async (t) => {
  await using rig = await Rig.start();
  using client = await WireClient.connect(rig.port, { name: "evil" });
  let id = 1;
  for (const [what, fields, code] of wrongNames) {
    await t.test(what, async () => {
      id += 1;
      const mine = id;
      client.send(register(mine, fields));
      await until(() => client.controls("refused").some((message) => message.id === mine), { what: "it is refused" });
      assert.equal(client.controls("refused").at(-1)?.code, code);
    });
  }
  client.send(register(1, { name: "other" }));
  await until(() => client.controls("refused").at(-1)?.code === "not_allowed", { what: "an id is used once" });
  assert.equal(client.controls("registered").length, 1);
  assert.equal((await rig.fetch("/")).body, "GET /");
});

const nonsense: readonly (readonly [what: string, payload: unknown])[] = [
  ["an array", []],
  ["a number", 1],
  ["null", null],
  ["no type", {}],
  ["a type that is no word", { type: 1 }],
  ["an id of 0", { type: "register", id: 0, kind: "http" }],
  ["an id that is no integer", { type: "register", id: 1.5, kind: "http" }],
  ["an id above 2^31", { type: "register", id: 2 ** 31, kind: "http" }],
  ["an unknown kind", { type: "register", id: 2, kind: "udp" }],
  ["a name that is no text", { type: "register", id: 2, kind: "http", name: { toString: "x" } }],
  ["a name of 300 letters", { type: "register", id: 2, kind: "http", name: "a".repeat(300) }],
  ["an unregister without an id", { type: "unregister" }],
];

void test("control messages that make no sense end the session, and only that", async (t) => {
  const words = new Words();
  await using rig = await Rig.start({ serverSubscribers: [words] });
  const frames: (readonly [string, Buffer])[] = nonsense.map(([what, payload]) => [what, control(payload)]);
  frames.push(["broken JSON", encodeFrame(frameTypes.control, 0, 0, Buffer.from('{"type":"register"'))]);
  frames.push(["broken UTF-8", encodeFrame(frameTypes.control, 0, 0, Buffer.from([0x22, 0xff, 0x22]))]);
  frames.push(["keys of a prototype", control({ __proto__: null, type: "register", id: 2, kind: "constructor" })]);
  for (const [what, bytes] of frames) {
    await t.test(what, async () => {
      words.violations.length = 0;
      using client = await WireClient.connect(rig.port);
      client.send(bytes);
      await client.gone();
      assert.deepEqual(words.violations, ["bad_control"]);
    });
  }
  for (const [what, bytes, reason] of [
    ["a second hello", hello(), "hello_repeated"],
    ["deep nesting", encodeFrame(frameTypes.control, 0, 0, Buffer.from("[".repeat(16_000))), "bad_control"],
  ] as const) {
    await t.test(what, async () => {
      words.violations.length = 0;
      using client = await WireClient.connect(rig.port);
      client.send(bytes);
      await client.gone();
      assert.deepEqual(words.violations, [reason]);
    });
  }
  // Types from the future are not.
  using client = await WireClient.connect(rig.port, { name: "evil" });
  client.send(control({ type: "telemetry", id: "anything" }), encodeFrame(0x80, 0, 0, Buffer.alloc(100)));
  client.send(register(2, { name: "second" }));
  await until(() => client.controls("registered").length === 2, { what: "the session lives on" });
});

void test("registrations without end are refused from the eleventh on, and then end the session", async () => {
  const words = new Words();
  const limits = { controlBytes: 200_000, nameHoldMs: 0 };
  await using rig = await Rig.start({ serve: { limits }, serverSubscribers: [words] });
  using client = await WireClient.connect(rig.port);
  for (let id = 1; id <= 500; id += 1) client.send(register(id, { name: `flood-${id}` }));
  await until(() => client.controls("refused").length === 490, { what: "490 are refused" });
  assert.equal(client.controls("registered").length, 10);
  assert.ok(client.controls("refused").every(({ code }) => code === "too_many"));
  assert.equal(rig.serverLedger.live("tunnel"), 11);
  for (let round = 0; round < 50 && client.closed === undefined; round += 1) {
    for (let id = 1; id <= 100; id += 1) client.send(control({ type: "unregister", id }), register(id, {}));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.gone();
  assert.deepEqual(words.violations, ["control_flood"]);
  await until(() => rig.serverLedger.live("tunnel") === 1, { what: "its tunnels are gone" });
  assert.equal((await rig.fetch("/")).body, "GET /");
});

void test("a client that resets everything answers its visitors with errors, and costs no more than its bytes", async () => {
  const words = new Words();
  await using rig = await Rig.start({
    serve: { limits: { deadBytes: 1_000_000, nameHoldMs: 0 } },
    serverSubscribers: [words],
  });
  using client = await WireClient.connect(rig.port, { name: "evil" });
  for (let round = 0; round < 100; round += 1) {
    const visitor = await RawClient.connect(rig.port);
    visitor.send(get);
    const { id } = await client.opened();
    client.send(frame("reset", id, Buffer.of(round % 12)));
    await visitor.receive("\r\nCaisson-Error: ");
    visitor.close();
  }
  await rig.quiet();
  assert.deepEqual(words.violations, []);
  // Dead streams may be spoken of, but not for ever.
  const flood = Buffer.concat(Array.from({ length: 5_000 }, () => frame("reset", 1, Buffer.of(0))));
  for (let round = 0; round < 100 && client.closed === undefined; round += 1) {
    client.send(flood);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.gone();
  assert.deepEqual(words.violations, ["dead_bytes"]);
  assert.equal((await rig.fetch("/")).body, "GET /");
});

void test("two clients that fight for a name with the right key never both have it", async () => {
  await using rig = await Rig.start();
  const clients: WireClient[] = [];
  using first = await WireClient.connect(rig.port, { name: "evil" });
  const registered = first
    .seen("control")
    .map(({ payload }) => JSON.parse(payload.toString()) as { resumeKey?: string });
  const resumeKey = registered.find((message) => message.resumeKey !== undefined)?.resumeKey;
  for (let n = 0; n < 20; n += 1) {
    const client = await WireClient.connect(rig.port);
    clients.push(client);
    client.send(register(1, { name: "evil", resumeKey }));
    await until(() => client.controls("registered").length === 1, { what: "the newest has it" });
    assert.equal(rig.server.inventory().probes["names.live"], 2);
  }
  await until(() => rig.serverLedger.live("session") === 2, { what: "the others are told to go" });
  assert.equal(rig.serverLedger.live("tunnel"), 2);
  for (const client of clients) client[Symbol.dispose]();
});

void test("names that vanished clients leave behind are bounded", async () => {
  const words = new Words();
  await using rig = await Rig.start({ serve: { limits: { maxHeldNames: 15 } }, serverSubscribers: [words] });
  for (let round = 0; round < 4; round += 1) {
    using client = await WireClient.connect(rig.port);
    for (let id = 1; id <= 10; id += 1) client.send(register(id, { name: `left-${round}-${id}` }));
    await until(() => client.controls("registered").length === 10, { what: "ten tunnels stand" });
    client[Symbol.dispose]();
    await until(() => rig.serverLedger.live("session") === 1, { what: "it has vanished" });
  }
  assert.equal(rig.server.inventory().probes["names.held"], 15);
  assert.equal(words.refusals.filter((reason) => reason === "held_names").length, 25);
});
