import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf, idOf, isMistyped, newToken } from "../../src/tokens/token-text.ts";

test("tokens are recognisable, long and never the same", () => {
  const tokens = Array.from({ length: 200 }, newToken);
  assert.equal(new Set(tokens).size, tokens.length);
  for (const token of tokens) assert.match(token, /^csn_[A-Za-z0-9_-]{49}$/);
});

test("one wrong character anywhere is noticed", () => {
  const token = newToken();
  assert.equal(isMistyped(token), false);
  for (let at = 4; at < token.length; at += 1) {
    const wrong = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    assert.equal(isMistyped(wrong), true, String(at));
  }
  // What does not look like one may be a token of something else in front of the server.
  for (const other of ["", "csn_", token.slice(0, -1), `${token}A`, "opaque"]) assert.equal(isMistyped(other), false);
});

test("an id tells nothing of the token", () => {
  const token = newToken();
  const id = idOf(digestOf(token));
  assert.match(id, /^[0-9a-f]{12}$/);
  assert.ok(!token.includes(id));
});
