// The tokens file: whole or not at all, one writer at a time, and nobody else's to write.

import assert from "node:assert/strict";
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { decodeTokens, encodeTokens } from "../../src/tokens/token-codec.ts";
import { readTokenFile, updateTokenFile } from "../../src/tokens/token-file.ts";
import { makeToken, TokensFile } from "../support/tokens.ts";

function isConfigError(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof CaissonError && error.code === "E_CONFIG" && pattern.test(error.message);
}

test("what is written is what is read, and the token is not in it", () => {
  const made = [
    makeToken({ names: ["shop", "ci-*"], ports: [{ from: 22, to: 22 }], maxTunnels: 3, label: "Ann’s laptop" }),
    makeToken({ expiresMs: Date.parse("2030-01-31T00:00:00Z"), names: [] }),
  ];
  const text = encodeTokens(made.map(({ entry }) => entry));
  assert.deepEqual(
    decodeTokens(text),
    made.map(({ entry }) => entry),
  );
  for (const { token } of made) assert.ok(!text.includes(token.slice(4, 12)));
});

test("a text that was cut anywhere is refused as a whole", () => {
  const text = encodeTokens([makeToken().entry, makeToken().entry]).trimEnd();
  for (let length = 0; length < text.length; length += 1) {
    assert.throws(() => decodeTokens(text.slice(0, length)), isConfigError(/./), String(length));
  }
});

const good = makeToken().entry;
const wrongs: readonly (readonly [what: string, change: (entry: Record<string, unknown>) => void])[] = [
  ["another id", (entry) => (entry["id"] = "000000000000")],
  ["no digest", (entry) => delete entry["sha256"]],
  ["a name with a control byte", (entry) => (entry["names"] = ["sh\0op"])],
  ["a name with a line end", (entry) => (entry["names"] = ["shop\n"])],
  ["names that are no list", (entry) => (entry["names"] = "shop")],
  ["no names", (entry) => delete entry["names"]],
  ["a port out of range", (entry) => (entry["ports"] = ["70000"])],
  ["an expiry that is no time", (entry) => (entry["expires"] = "soon")],
  ["an expiry of null", (entry) => (entry["expires"] = null)],
  ["a limit of 0", (entry) => (entry["maxTunnels"] = 0)],
  ["a label with an escape", (entry) => (entry["label"] = "\u001b[2J")],
];
for (const [what, change] of wrongs) {
  test(`an entry with ${what} makes the file unusable`, () => {
    const root = JSON.parse(encodeTokens([good])) as { tokens: Record<string, unknown>[] };
    for (const entry of root.tokens) change(entry);
    assert.throws(() => decodeTokens(JSON.stringify(root)), isConfigError(/token 1/));
  });
}

test("other versions, doubles and other JSON are refused", () => {
  const text = encodeTokens([good]);
  assert.throws(() => decodeTokens(text.replace('"version": 1', '"version": 2')), isConfigError(/version/));
  assert.throws(() => decodeTokens(encodeTokens([good, good])), isConfigError(/same id/));
  for (const other of ["", "null", "[]", "{}", '"x"', '{"version":1}']) {
    assert.throws(() => decodeTokens(other), isConfigError(/./), other);
  }
});

test("the file is its owner's, and stays whole and alone in its folder", async () => {
  using tokens = new TokensFile();
  await tokens.add();
  if (process.platform !== "win32") assert.equal(statSync(tokens.file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(tokens.folder), ["tokens.json"]);
});

test("many writers at once lose nothing", async () => {
  using tokens = new TokensFile();
  const made = await Promise.all(Array.from({ length: 12 }, () => tokens.add()));
  const { entries } = await readTokenFile(tokens.file);
  assert.deepEqual(new Set(entries.map(({ id }) => id)), new Set(made.map(({ entry }) => entry.id)));
  assert.deepEqual(readdirSync(tokens.folder), ["tokens.json"]);
});

test("the lock of a process that is gone holds nobody up", async () => {
  using tokens = new TokensFile();
  // No system gives out so large a process id.
  writeFileSync(`${tokens.file}.lock`, "4194999");
  await tokens.add();
  assert.deepEqual(readdirSync(tokens.folder), ["tokens.json"]);
});

test("a change that fails leaves file and folder as they were", async () => {
  using tokens = new TokensFile();
  await tokens.add();
  const before = readFileSync(tokens.file, "utf8");
  await assert.rejects(
    updateTokenFile(tokens.file, () => {
      throw new CaissonError("E_USAGE", "no such id");
    }),
    /no such id/,
  );
  assert.equal(readFileSync(tokens.file, "utf8"), before);
  assert.deepEqual(readdirSync(tokens.folder), ["tokens.json"]);
  writeFileSync(tokens.file, before.slice(0, 40));
  await assert.rejects(tokens.add(), isConfigError(/cannot use the tokens file/));
  assert.equal(readFileSync(tokens.file, "utf8"), before.slice(0, 40));
});

test("a link stays a link", { skip: process.platform === "win32" }, async () => {
  using tokens = new TokensFile();
  await tokens.add();
  const link = join(tokens.folder, "link.json");
  symlinkSync(tokens.file, link);
  await updateTokenFile(link, (entries) => [...entries, makeToken().entry]);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal((await readTokenFile(tokens.file)).entries.length, 2);
});

test("a file that others can write lets nobody in", { skip: process.platform === "win32" }, async () => {
  using tokens = new TokensFile();
  await tokens.add();
  for (const mode of [0o622, 0o606, 0o660]) {
    chmodSync(tokens.file, mode);
    await assert.rejects(readTokenFile(tokens.file), isConfigError(/chmod/));
  }
  chmodSync(tokens.file, 0o644);
  assert.equal((await readTokenFile(tokens.file)).entries.length, 1);
});

test("a missing file says how to make one", async () => {
  using tokens = new TokensFile();
  await assert.rejects(readTokenFile(tokens.file), isConfigError(/caisson token create/));
});
