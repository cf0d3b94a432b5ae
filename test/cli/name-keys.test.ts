import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { NameKeys } from "../../src/cli/name-keys.ts";

function inFolder(run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "caisson-test-"));
  try {
    run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("keys are kept by server and name, in a file for its owner only", () => {
  inFolder((folder) => {
    const file = join(folder, "deep", "names.json");
    const keys = new NameKeys(file);
    assert.equal(keys.find("ws://a", "demo"), undefined);
    keys.keep("ws://a", { name: "demo", resumeKey: "one" });
    keys.keep("ws://b", { name: "demo", resumeKey: "two" });
    keys.keep("ws://a", { name: "demo", resumeKey: "three" });
    assert.equal(keys.find("ws://a", "demo"), "three");
    assert.equal(new NameKeys(file).find("ws://b", "demo"), "two");
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });
});

test("the oldest keys go when there are too many", () => {
  inFolder((folder) => {
    const keys = new NameKeys(join(folder, "names.json"));
    for (let n = 0; n < 205; n += 1) keys.keep("ws://a", { name: `n${n}`, resumeKey: `k${n}` });
    assert.equal(keys.find("ws://a", "n4"), undefined);
    assert.equal(keys.find("ws://a", "n5"), "k5");
  });
});

test("a key belongs to the process that was given it for as long as that runs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "caisson-test-"));
  const file = join(folder, "names.json");
  const other = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
  writeFileSync(file, JSON.stringify([{ server: "ws://a", name: "demo", key: "k", pid: other.pid }]));
  assert.equal(new NameKeys(file).find("ws://a", "demo"), undefined);
  other.kill("SIGKILL");
  await once(other, "exit");
  assert.equal(new NameKeys(file).find("ws://a", "demo"), "k");
  rmSync(folder, { recursive: true, force: true });
});

test("a damaged or unwritable file is no reason to fail", () => {
  inFolder((folder) => {
    const file = join(folder, "names.json");
    writeFileSync(file, '[{"server":1}, "garbage"');
    const keys = new NameKeys(file);
    assert.equal(keys.find("ws://a", "demo"), undefined);
    keys.keep("ws://a", { name: "demo", resumeKey: "k" });
    assert.match(readFileSync(file, "utf8"), /"k"/);
    const closed = join(folder, "closed");
    writeFileSync(closed, "");
    chmodSync(closed, 0o400);
    new NameKeys(join(closed, "names.json")).keep("ws://a", { name: "demo", resumeKey: "k" });
  });
});
