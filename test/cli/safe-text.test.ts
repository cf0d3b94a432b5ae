import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { jsonLine, maxTextBytes, safeText } from "../../src/cli/safe-text.ts";

const escapes: readonly [text: string, safe: string][] = [
  ["GET /plain?a=b 200", "GET /plain?a=b 200"],
  ["grün 世界 🚇", "grün 世界 🚇"],
  ["\u001b[2J\u001b]0;title\u0007", String.raw`\x1b[2J\x1b]0;title\x07`],
  ["two\r\nlines", String.raw`two\x0d\x0alines`],
  ["del\u007f csi\u009b31m", String.raw`del\x7f csi\x9b31m`],
  ["\u202egnp.exe", String.raw`\u{202e}gnp.exe`],
  ["zero\u200bwidth\u2028", String.raw`zero\u{200b}width\u{2028}`],
  ["lone \ud800 surrogate", String.raw`lone \u{d800} surrogate`],
];

test("nothing printed can steer a terminal or forge a line", () => {
  for (const [text, safe] of escapes) assert.equal(safeText(text), safe);
});

test("long text is cut between characters, with an ellipsis", () => {
  assert.equal(safeText("x".repeat(maxTextBytes)), "x".repeat(maxTextBytes));
  const cut = safeText("ü".repeat(maxTextBytes));
  assert.ok(cut.endsWith("ü…"));
  assert.ok(Buffer.byteLength(cut) <= maxTextBytes);
});

const anyText = fc.string({ unit: "binary" });
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

test("whatever comes in, what goes out is short and printable", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 16, max: 200 }), (text, maxBytes) => {
      const safe = safeText(text, maxBytes);
      assert.ok(Buffer.byteLength(safe) <= maxBytes);
      assert.ok(!unsafe.test(safe));
    }),
  );
});

test("a JSON line is one line, means the same, and is harmless on a terminal", () => {
  fc.assert(
    fc.property(anyText, (path) => {
      const line = jsonLine({ path });
      assert.ok(!/[\p{Cc}\u2028\u2029\u202e]/u.test(line));
      assert.deepEqual(JSON.parse(line), { path });
    }),
  );
});
