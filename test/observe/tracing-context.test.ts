// W3C trace context as visitors send it: what is accepted, what is ignored, and what goes on.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  boundedTracestate,
  formatTraceparent,
  maxTracestateLength,
  parseTraceparent,
  traceLines,
} from "../../src/observe/trace-context.ts";
import { TraceIds } from "../../src/observe/trace-ids.ts";
import { FreshTrace } from "../../src/observe/unrecorded-trace.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const good = `00-${traceId}-${spanId}-01`;

test("a traceparent is read exactly", () => {
  assert.deepEqual(parseTraceparent(good), { traceId, spanId, sampled: true });
  assert.deepEqual(parseTraceparent(`00-${traceId}-${spanId}-00`), { traceId, spanId, sampled: false });
  // Bits beyond the first mean nothing to us.
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-fe`)?.sampled, false);
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-03`)?.sampled, true);
  // Later versions may have more to say.
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01`)?.traceId, traceId);
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01-what-comes`)?.traceId, traceId);
});

const refused: Readonly<Record<string, string | undefined>> = {
  absent: undefined,
  empty: "",
  "only a version": "00",
  "version ff": `ff-${traceId}-${spanId}-01`,
  "version 00 with more": `${good}-x`,
  "a later version with more, without a hyphen": `cc-${traceId}-${spanId}-01.x`,
  "upper case": good.toUpperCase(),
  "no hex": `00-${"g".repeat(32)}-${spanId}-01`,
  "a trace id of zeros": `00-${"0".repeat(32)}-${spanId}-01`,
  "a span id of zeros": `00-${traceId}-${"0".repeat(16)}-01`,
  "a short trace id": `00-${traceId.slice(1)}-${spanId}-01`,
  "a long span id": `00-${traceId}-${spanId}0-01`,
  "flags of one digit": `00-${traceId}-${spanId}-1`,
  "other separators": good.replaceAll("-", "_"),
  "blanks around": ` ${good}`,
  "blanks behind": `${good} `,
  "two of them": `${good},${good}`,
  "a line end": `${good}\r\n`,
};
for (const [what, text] of Object.entries(refused)) {
  test(`a traceparent is ignored: ${what}`, () => assert.equal(parseTraceparent(text), undefined));
}

test("whatever a visitor sends is read or ignored, never more", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: "binary", maxLength: 80 })), (text) => {
      const parent = parseTraceparent(text);
      if (parent) assert.ok(text.includes(parent.traceId) && text.includes(parent.spanId));
    }),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[a-e\d]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/u), (text) => {
      const parent = parseTraceparent(text);
      if (parent) assert.deepEqual(parseTraceparent(formatTraceparent(parent)), parent);
    }),
  );
});

const members = (count: number, value = "v"): string =>
  Array.from({ length: count }, (_, at) => `k${at}=${value}`).join(",");

const states: readonly (readonly [what: string, text: string | undefined, goesOn: string])[] = [
  ["absent", undefined, ""],
  ["empty", "", ""],
  ["one member", "rojo=00f067aa0ba902b7", "rojo=00f067aa0ba902b7"],
  ["blanks and tabs around members", " a=1 ,\tb=2\t", "a=1,b=2"],
  ["empty members", "a=1,,b=2, ", "a=1,b=2"],
  ["a multi-tenant key", "t61rcwkgmze@vendor=1", "t61rcwkgmze@vendor=1"],
  ["a blank inside of a value", "a=1 2", "a=1 2"],
  ["32 members", members(32), members(32)],
  ["33 members", members(33), ""],
  ["512 members", members(512), ""],
  ["no equals sign", "a", ""],
  ["no key", "=1", ""],
  ["no value", "a=", ""],
  ["an upper-case key", "A=1", ""],
  ["a key that begins with a digit", "1a=1", ""],
  ["a key of 257", `${"k".repeat(257)}=1`, ""],
  ["a value of 257", `a=${"v".repeat(257)}`, ""],
  ["an equals sign in a value", "a=1=2", ""],
  ["beyond ASCII", "a=\u00e9", ""],
  ["the same key twice", "a=1,a=2", ""],
  ["a line end", "a=1\r\nb: 2", ""],
];
for (const [what, text, goesOn] of states) {
  test(`tracestate: ${what}`, () => assert.equal(boundedTracestate(text), goesOn));
}

test("a long tracestate loses its longest members, then its oldest", () => {
  const long = `long=${"v".repeat(200)}`;
  const short = members(10, "v".repeat(45));
  assert.ok(`${long},${short}`.length > maxTracestateLength);
  assert.equal(boundedTracestate(`${long},${short}`), short);
  const middling = members(12, "v".repeat(60));
  const kept = boundedTracestate(middling);
  assert.ok(kept.length <= maxTracestateLength && middling.startsWith(`${kept},`), kept);
});

test("a tracestate that goes on is one again", () => {
  const state = fc.array(fc.stringMatching(/^[a-z][a-z\d]{0,9}=[!-+\--<>-~]{1,60}$/u), { maxLength: 40 });
  fc.assert(
    fc.property(
      fc.oneof(
        state.map((list) => list.join(",")),
        fc.string({ maxLength: 400 }),
      ),
      (text) => {
        const kept = boundedTracestate(text);
        assert.ok(kept.length <= maxTracestateLength);
        assert.equal(boundedTracestate(kept), kept);
      },
    ),
  );
});

test("ids are fresh and well-formed", () => {
  const made = new TraceIds();
  const ids = new Set(Array.from({ length: 1_000 }, () => made.traceId()));
  assert.equal(ids.size, 1_000);
  for (const id of ids) {
    const context = { traceId: id, spanId: made.spanId(), sampled: false };
    assert.deepEqual(parseTraceparent(formatTraceparent(context)), context);
  }
});

test("a line of an unrecorded trace is whole, its ids are fresh, and are read from it", () => {
  const made = new TraceIds();
  const ids = new Set<string>();
  for (let count = 0; count < 1_000; count += 1) {
    const line = made.unrecordedLine();
    const { traceId: trace, spanId: span, sampled, headerLines } = new FreshTrace(line);
    assert.equal(headerLines, `traceparent: 00-${trace}-${span}-00\r\n`);
    assert.deepEqual(parseTraceparent(line.slice("traceparent: ".length, -2)), {
      traceId: trace,
      spanId: span,
      sampled,
    });
    ids.add(trace).add(span);
  }
  assert.equal(ids.size, 2_000);
});

test("the lines for a head end as lines do", () => {
  const context = { traceId, spanId, sampled: true };
  assert.equal(traceLines(context, ""), `traceparent: ${good}\r\n`);
  assert.equal(traceLines(context, "a=1"), `traceparent: ${good}\r\ntracestate: a=1\r\n`);
});
