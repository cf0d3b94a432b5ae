import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadResumeSecret, stateDirectory } from "../../src/cli/resume-secret.ts";

function temporary(context: { after(cleanUp: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), "caisson-secret-"));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("the secret is made once, and only its owner can read it", async (t) => {
  const env = { XDG_STATE_HOME: temporary(t) };
  const first = await loadResumeSecret(env);
  assert.match(first.secret, /^[0-9a-f]{64}$/);
  assert.equal(first.warning, undefined);
  assert.deepEqual(await loadResumeSecret(env), first);
  const directory = join(env.XDG_STATE_HOME, "caisson");
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(join(directory, "secret")).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory), ["secret"]);
});

test("servers that start together agree on one secret", async (t) => {
  const env = { XDG_STATE_HOME: temporary(t) };
  const found = await Promise.all(Array.from({ length: 8 }, () => loadResumeSecret(env)));
  assert.equal(new Set(found.map(({ secret }) => secret)).size, 1);
  assert.deepEqual(
    found.map(({ warning }) => warning),
    Array.from({ length: 8 }, () => undefined),
  );
});

test("without a place to keep it the secret is a passing one, with a warning", async (t) => {
  const home = temporary(t);
  writeFileSync(join(home, "caisson"), "a file where the directory should be");
  const first = await loadResumeSecret({ XDG_STATE_HOME: home });
  const second = await loadResumeSecret({ XDG_STATE_HOME: home });
  assert.match(first.secret, /^[0-9a-f]{64}$/);
  assert.match(first.warning ?? "", /random names will not survive a restart/);
  assert.notEqual(first.secret, second.secret);
});

test("a file that holds something else is left alone", async (t) => {
  const home = temporary(t);
  mkdirSync(join(home, "caisson"));
  const file = join(home, "caisson", "secret");
  writeFileSync(file, "my notes\n");
  chmodSync(file, 0o600);
  assert.match((await loadResumeSecret({ XDG_STATE_HOME: home })).warning ?? "", /holds no secret/);
  assert.equal(readFileSync(file, "utf8"), "my notes\n");
});

test("state goes where XDG says, if it says so absolutely", () => {
  assert.equal(stateDirectory({ XDG_STATE_HOME: "/var/x" }), "/var/x/caisson");
  const standard = join(homedir(), ".local", "state", "caisson");
  assert.equal(stateDirectory({}), standard);
  assert.equal(stateDirectory({ XDG_STATE_HOME: "relative" }), standard);
});
