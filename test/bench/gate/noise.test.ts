// What the machine does to a run is no fault of the software: `caisson gate` ends undecided with exit code 8 and says what it
// saw, never with 7 or 1. A process that dies fails the run on any machine. Linux only: elsewhere nobody tells of the processes.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { exitCodes } from "../../../src/cli/exit-codes.ts";
import { startCaisson } from "../../support/run.ts";
import { until } from "../../support/until.ts";

const elsewhere = process.platform === "linux" ? false : "needs /proc";
const args: readonly string[] = ["gate", "--quick", "--clients", "80", "--rounds", "8", "--scenario", "clean"];
/** How long a machine that runs tests may take for what takes some seconds, in milliseconds. */
const timeoutMs = 180_000;

/** The child of `parent` whose command line has `word`. */
function childOf(parent: number, word: string): number {
  const found = readdirSync("/proc").find((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const status = readFileSync(`/proc/${name}/status`, "utf8");
      return (
        status.includes(`\nPPid:\t${parent}\n`) &&
        readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes(word)
      );
    } catch {
      return false; // It ended meanwhile.
    }
  });
  assert.ok(found !== undefined, `process ${parent} has no child with ${word}`);
  return Number(found);
}

test("a server that is stopped for a while makes the run undecided", { skip: elsewhere }, async () => {
  await using running = startCaisson(args);
  await until(() => running.stderr.includes("round 2/"), { what: "the second round is over", timeoutMs });
  const server = childOf(running.pid, "serve");
  process.kill(server, "SIGSTOP");
  try {
    await until(() => running.stderr.includes("the server under test was stopped"), {
      what: "a round fails",
      timeoutMs,
      detail: () => running.stderr,
    });
  } finally {
    process.kill(server, "SIGCONT");
  }
  const { code } = await running.exited;
  const said = `${running.lines.join("\n")}\n${running.stderr}`;
  assert.equal(code, exitCodes.undecided, said);
  assert.match(said, /^undecided: .*The machine was too busy in round \d+ .* the server under test was stopped/);
});

test("a null run whose target dies fails, and writes its reports all the same", { skip: elsewhere }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "caisson-null-"));
  try {
    const file = join(folder, "report.json");
    const nullRun = ["--quick", "--scenario", "null", "--clients", "80", "--rounds", "8", "--report-json", file];
    await using running = startCaisson(["gate", ...nullRun]);
    await until(() => running.stderr.includes("null round 2/"), { what: "the second round is over", timeoutMs });
    const origin = fileURLToPath(new URL("../../../bench/gate/processes/origin-worker.js", import.meta.url));
    process.kill(childOf(running.pid, origin), "SIGKILL");
    const { code } = await running.exited;
    assert.equal(code, exitCodes.failed, running.stderr);
    const { outcome, failure, samples } = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    assert.equal(outcome, "failed");
    assert.equal(typeof failure, "string");
    assert.ok(Array.isArray(samples) && samples.length >= 2, "what was measured before is reported");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a server that dies while it is stopped fails the run", { skip: elsewhere }, async () => {
  await using running = startCaisson(args);
  await until(() => running.stderr.includes("round 2/"), { what: "the second round is over", timeoutMs });
  const server = childOf(running.pid, "serve");
  process.kill(server, "SIGSTOP");
  process.kill(server, "SIGKILL");
  const { code } = await running.exited;
  assert.equal(code, exitCodes.failed, running.stderr);
  assert.match(running.stderr, /the server under test ended with signal SIGKILL/);
});
