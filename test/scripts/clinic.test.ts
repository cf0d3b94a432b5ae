// Each tool of scripts/clinic in its short form, so that none of them rots. Under CI only: clinic is 154 MB.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { packagePath } from "../support/package-file.ts";

const script = packagePath("scripts/clinic/profile.mjs");
const isCi = (process.env["CI"] ?? "") !== "";
const skip = isCi ? false : "runs under CI; here: node scripts/clinic/profile.mjs all --quick";

/**
 * The script itself gives up a tool that has hung, after 240 s and its load; the first run installs clinic, too, and builds. This
 * is well above, so that the script's own sentence is what is read. Milliseconds.
 */
const patienceMs = 600_000;

/** Runs the script; what it says is its own proof that the load went well and the output holds something. */
function profile(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: "utf8",
    timeout: patienceMs,
  });
  return { status, said: stdout + stderr };
}

for (const tool of ["doctor", "heapprofiler", "flame", "heap-prof", "cpu-prof"]) {
  test(`${tool} profiles the server under churn`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), "caisson-clinic-"));
    try {
      const { status, said } = profile(tool, "--quick", "--out", folder);
      assert.equal(status, 0, said);
      assert.match(said, /\d+ rounds, \d+ clients, \d+ requests, all answered/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

test("a tool that is not offered is a usage error", () => {
  const { status, said } = profile("bubbleprof");
  assert.equal(status, 2);
  assert.match(said, /bubbleprof is not offered: it hangs/);
});
