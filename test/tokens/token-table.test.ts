import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matchesWildcard, parsePortRange, patternKind } from "../../src/tokens/name-pattern.ts";
import { TokenTable } from "../../src/tokens/token-table.ts";
import type { Scope } from "../support/tokens.ts";
import { makeToken } from "../support/tokens.ts";

function table(...scopes: readonly Scope[]): {
  readonly table: TokenTable;
  readonly made: readonly ReturnType<typeof makeToken>[];
} {
  const made = scopes.map(makeToken);
  return { table: new TokenTable(made.map(({ entry }) => entry)), made };
}

test("patterns are names, or have one star", () => {
  for (const name of ["shop", "a", "a-b", "0"]) assert.equal(patternKind(name), "exact", name);
  for (const name of ["*", "ci-*", "*-preview", "a*b"]) assert.equal(patternKind(name), "wildcard", name);
  const wrong = [
    "",
    "-a",
    "a-",
    "**",
    "a*b*",
    "a.b",
    "A",
    "a b",
    "xn--a",
    "xn--*",
    "-*",
    "*-",
    "a\n",
    "a\0*",
    `${"a".repeat(63)}*`,
  ];
  for (const name of wrong) assert.equal(patternKind(name), undefined, JSON.stringify(name));
});

test("a star stands for any run of characters, and nothing else does", () => {
  const letters = fc.stringMatching(/^[a-z0-9]{0,8}$/);
  fc.assert(
    fc.property(letters, letters, letters, (head, middle, tail) => {
      assert.ok(matchesWildcard(`${head}*${tail}`, head + middle + tail));
      assert.equal(matchesWildcard(`${head}x*`, `${head}y${middle}`), false);
    }),
  );
  // Head and tail may not share characters.
  assert.equal(matchesWildcard("aba*aba", "aba"), false);
});

test("ports are one, or a range that is not empty", () => {
  assert.deepEqual(parsePortRange("22"), { from: 22, to: 22 });
  assert.deepEqual(parsePortRange("2200-2299"), { from: 2200, to: 2299 });
  for (const wrong of ["", "0", "65536", "9-8", "-1", "1-", "1-2-3", "x", "1.5", " 1", "1\n"]) {
    assert.equal(parsePortRange(wrong), undefined, wrong);
  }
});

test("only the whole token is one", () => {
  const { table: tokens, made } = table({}, {});
  const now = Date.now();
  for (const { token, entry } of made) {
    assert.deepEqual(tokens.judge(token, now), { token: entry });
    for (let length = 0; length < token.length; length += 1) {
      assert.deepEqual(tokens.judge(token.slice(0, length), now), { refusal: "token_unknown" });
    }
    for (const wrong of [`${token}A`, ` ${token}`, token.toLowerCase(), entry.id, entry.digest.toString("hex")]) {
      assert.deepEqual(tokens.judge(wrong, now), { refusal: "token_unknown" });
    }
  }
  assert.deepEqual(tokens.judge(undefined, now), { refusal: "token_missing" });
});

test("a token ends at its time", () => {
  const { table: tokens, made } = table({ expiresMs: 1_000 }, { expiresMs: 5_000 }, {});
  const [first] = made;
  assert.ok(first);
  assert.deepEqual(tokens.judge(first.token, 999), { token: first.entry });
  assert.deepEqual(tokens.judge(first.token, 1_000), { refusal: "token_expired" });
  assert.equal(tokens.nextExpiryMs(0), 1_000);
  assert.equal(tokens.nextExpiryMs(1_000), 5_000);
  assert.equal(tokens.nextExpiryMs(5_000), undefined);
});

test("the most precise pattern decides whose a name is", () => {
  const scopes = [["*"], ["shop"], ["ci-*"], ["ci-main", "ci-*"], ["shop", "*"], []];
  const { table: tokens, made } = table(...scopes.map((names) => ({ names })));
  const users = (name: string): number[] => made.flatMap(({ entry }, at) => (tokens.mayUse(entry, name) ? [at] : []));
  assert.deepEqual(users("anything"), [0, 4]);
  assert.deepEqual(users("shop"), [1, 4]);
  assert.deepEqual(users("ci-7"), [2, 3]);
  assert.deepEqual(users("ci-main"), [3]);
});

test("patterns of the same length share what both stand for", () => {
  const { table: tokens, made } = table({ names: ["a*"] }, { names: ["*b"] }, { names: ["*"] });
  assert.deepEqual(
    made.map(({ entry }) => tokens.mayUse(entry, "a-b")),
    [true, true, false],
  );
});

test("random names need a star, and are nobody's by a pattern", () => {
  const name = "abcdefghijklmnop";
  const { table: tokens, made } = table({ names: ["*"] }, { names: ["a*"] }, { names: ["shop"] });
  assert.deepEqual(
    made.map(({ entry }) => tokens.mayUseRandom(entry, name)),
    [true, false, false],
  );
  const reserved = table({ names: ["*"] }, { names: [name, "*"] });
  assert.deepEqual(
    reserved.made.map(({ entry }) => reserved.table.mayUseRandom(entry, name)),
    [false, true],
  );
});

test("ports are those that are listed", () => {
  const { table: tokens, made } = table({ ports: [{ from: 2200, to: 2201 }] });
  const [only] = made;
  assert.ok(only);
  assert.deepEqual(
    [2199, 2200, 2201, 2202].map((port) => tokens.mayUsePort(only.entry, port)),
    [false, true, true, false],
  );
});
