// CONTROL messages: round trips, what is ignored, and wrong shapes of every field.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { decodeControl, encodeControl } from "../../src/wire/control-codec.ts";
import type { ControlMessage } from "../../src/wire/control.ts";
import { goAwayReasonOf, resetReasonOf } from "../../src/wire/code-names.ts";
import { goAwayCodes, resetCodes } from "../../src/wire/codes.ts";
import { violationReasonOf } from "../../src/wire/violation.ts";

const messages: Record<ControlMessage["type"], ControlMessage> = {
  hello: {
    type: "hello",
    protocol: "caisson.v1",
    version: "1.2.3",
    instance: "a_B-9",
    features: ["later"],
    limits: { maxStreams: 10 },
  },
  register: { type: "register", id: 1, kind: "http", name: "demo", resumeKey: "key", port: 8000 },
  registered: {
    type: "registered",
    id: 1,
    name: "demo",
    url: "http://demo.localhost",
    direct: { url: "http://127.0.0.1", host: "demo.localhost" },
    resumeKey: "key",
  },
  refused: { type: "refused", id: 1, code: "name_taken", message: "taken" },
  unregister: { type: "unregister", id: 2 ** 31 - 1 },
  closed: { type: "closed", id: 3, reason: "closed_by_operator" },
  notice: { type: "notice", pauseMs: 300_000 },
};

function decodeText(text: string): ControlMessage | undefined {
  return decodeControl(Buffer.from(text));
}

function refusal(value: unknown): string | undefined {
  try {
    decodeText(JSON.stringify(value));
    return undefined;
  } catch (error) {
    return violationReasonOf(error) ?? assert.fail(String(error));
  }
}

describe("control messages", () => {
  it("come out as they went in", () => {
    for (const message of Object.values(messages)) assert.deepEqual(decodeControl(encodeControl(message)), message);
    const bare: ControlMessage = { type: "register", id: 1, kind: "tls" };
    assert.deepEqual(decodeControl(encodeControl(bare)), bare);
  });

  it("lose keys that nobody knows, and are ignored if nobody knows their type", () => {
    for (const message of Object.values(messages)) {
      assert.deepEqual(decodeText(JSON.stringify({ ...message, later: { deep: [1] } })), message);
    }
    assert.equal(decodeText('{"type":"resume","id":1}'), undefined);
    assert.equal(decodeText('{"type":"__proto__"}'), undefined);
  });

  it("are refused when a known field is missing or of another type", () => {
    const optional = new Set(["name", "resumeKey", "port"]);
    for (const message of Object.values(messages)) {
      for (const key of Object.keys(message)) {
        const expected = message.type === "hello" && key === "protocol" ? "protocol_version" : "bad_control";
        const without = Object.fromEntries(Object.entries(message).filter(([name]) => name !== key));
        const mayMiss = message.type === "register" && optional.has(key);
        assert.equal(refusal(without), mayMiss ? undefined : expected, `${message.type} without ${key}`);
        for (const wrong of [null, true, {}, [], -1, 1.5, 1e300]) {
          if (key === "features" && Array.isArray(wrong)) continue;
          assert.equal(
            refusal({ ...message, [key]: wrong }),
            expected,
            `${message.type} ${key} ${JSON.stringify(wrong)}`,
          );
        }
      }
    }
  });

  it("are refused out of range", () => {
    const wrong: Record<string, unknown>[] = [
      { ...messages.hello, instance: "" },
      { ...messages.hello, instance: "x".repeat(65) },
      { ...messages.hello, instance: "ä" },
      { ...messages.hello, instance: "a\nb" },
      { ...messages.hello, version: "x".repeat(65) },
      { ...messages.hello, features: [1] },
      { ...messages.hello, features: Array.from({ length: 65 }, () => "x") },
      { ...messages.hello, limits: { maxStreams: 0 } },
      { ...messages.register, id: 0 },
      { ...messages.register, id: 2 ** 31 },
      { ...messages.register, kind: "udp" },
      { ...messages.register, name: "x".repeat(257) },
      { ...messages.register, port: 65_536 },
      { ...messages.registered, direct: { url: "x" } },
      { ...messages.notice, pauseMs: 300_001 },
      { ...messages.closed, reason: "x".repeat(257) },
    ];
    for (const value of wrong) assert.equal(refusal(value), "bad_control", JSON.stringify(value));
    assert.equal(refusal({ ...messages.hello, protocol: "caisson.v2" }), "protocol_version");
  });

  it("are refused if they are no JSON object, or no UTF-8", () => {
    for (const text of ["", "null", "[]", '"hello"', "1", "{", '{"type":1}', "{}", "\ufeff{}", "[".repeat(16_000)]) {
      assert.throws(() => decodeText(text), { code: "E_PROTOCOL", message: "bad_control" }, text.slice(0, 10));
    }
    assert.throws(() => decodeControl(Buffer.from('{"type":"notice\xff"}', "latin1")), { message: "bad_control" });
  });

  it("never do anything but come out or be refused", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          decodeText(text);
        } catch (error) {
          assert.ok(violationReasonOf(error), String(error));
        }
      }),
    );
  });

  it("understand refusals of later versions", () => {
    assert.deepEqual(decodeText('{"type":"refused","id":1,"code":"moon","message":"m"}'), {
      type: "refused",
      id: 1,
      code: "not_allowed",
      message: "m",
    });
  });

  it("above 16 KiB cannot be sent", () => {
    const message: ControlMessage = { type: "closed", id: 1, reason: "x".repeat(20_000) };
    assert.throws(() => encodeControl(message), RangeError);
  });
});

describe("codes", () => {
  it("have names, and unknown ones a safe meaning", () => {
    for (const [name, code] of Object.entries(resetCodes)) assert.equal(resetReasonOf(code), name);
    for (const [name, code] of Object.entries(goAwayCodes)) assert.equal(goAwayReasonOf(code), name);
    assert.equal(resetReasonOf(255), "internal");
    assert.equal(goAwayReasonOf(255), "shutdown");
  });
});
