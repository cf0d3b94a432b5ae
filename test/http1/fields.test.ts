// Names are recognised in any case, wherever they stand, and no other name is taken for one of ours.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { fieldIdOf, fieldIds, underscoredFieldIdOf } from "../../src/http1/fields.ts";
import { acceptFor } from "../../src/http1/websocket-accept.ts";

const families = new Set(["unknown", "caisson", "x-forwarded", "shadow"]);
const names = Object.entries(fieldIds).filter(([name]) => !families.has(name));

function idOf(name: string): number {
  return fieldIdOf(Buffer.from(`<${name}:`, "latin1"), 1, name.length + 1);
}

function dashedIdOf(name: string): number {
  return underscoredFieldIdOf(Buffer.from(`<${name}:`, "latin1"), 1, name.length + 1);
}

test("every known name, in every case", () => {
  for (const [name, id] of names) {
    assert.equal(idOf(name), id, name);
    assert.equal(idOf(name.toUpperCase()), id, name);
    assert.equal(idOf(name.replace(/^.|-./g, (letter) => letter.toUpperCase())), id, name);
  }
});

test("ids are their own place in the list", () => {
  assert.deepEqual(Object.values(fieldIds), [...Object.values(fieldIds).keys()]);
});

test("no name that differs in a byte is known", () => {
  const known = new Map(names);
  const place = fc.nat(40);
  fc.assert(
    fc.property(fc.constantFrom(...known.keys()), place, fc.nat(255), fc.nat(2), (name, at, byte, change) => {
      const index = at % name.length;
      const other =
        name.slice(0, index) +
        (change === 0 ? "" : String.fromCodePoint(byte)) +
        name.slice(index + (change === 1 ? 0 : 1));
      const lower = other.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
      const family = lower.startsWith("x-forwarded-") && lower.length > 12 ? fieldIds["x-forwarded"] : fieldIds.unknown;
      assert.equal(idOf(other), known.get(lower) ?? family, other);
    }),
    { numRuns: 2000 },
  );
});

test("families of names", () => {
  for (const [name, id] of [
    ["Caisson-Error", fieldIds.caisson],
    ["CAISSON-x", fieldIds.caisson],
    ["Caisson-", fieldIds.unknown],
    ["Caisson", fieldIds.unknown],
    ["Caissons-X", fieldIds.unknown],
    ["X-Forwarded-Prefix", fieldIds["x-forwarded"]],
    ["X-Forwarded-", fieldIds.unknown],
    ["X-Forwarded", fieldIds.unknown],
    ["unknown", fieldIds.unknown],
    ["shadow", fieldIds.unknown],
    ["x", fieldIds.unknown],
  ] as const) {
    assert.equal(idOf(name), id, name);
  }
});

test("names with _ shadow what they would be with -", () => {
  for (const name of [
    "X_Forwarded_For",
    "x-forwarded_proto",
    "TRANSFER_ENCODING",
    "Content_Length",
    "Caisson_X",
    "X_Forwarded_Y",
    "X_Real_IP",
  ]) {
    assert.equal(dashedIdOf(name), fieldIds.shadow, name);
  }
  for (const name of ["_", "X_Other", "User_Agent", "Host_", "_host"])
    assert.equal(dashedIdOf(name), fieldIds.unknown, name);
});

test("the accept value of RFC 6455 section 1.3", () => {
  assert.equal(acceptFor("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});
