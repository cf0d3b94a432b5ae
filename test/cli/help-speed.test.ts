// Help is what people wait for with a hand on the keyboard: at most 2.5 times what Node itself needs to start.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { caissonMain } from "../support/run.ts";

const allowedRatio = 2.5;
const rounds = 9;

test("--help answers within 2.5 times `node -e 0`", () => {
  // Other tests run beside this one: a ratio that is too high once proves nothing, one that is low enough does.
  const ratios: number[] = [];
  while (ratios.length < 4) {
    const ratio = measure();
    ratios.push(ratio);
    if (ratio <= allowedRatio) return;
  }
  assert.fail(`--help took ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")} times as long as node -e 0`);
});

/** The ratio of the medians of interleaved runs. */
function measure(): number {
  const bare: number[] = [];
  const help: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    bare.push(timeOf(["-e", "0"]));
    help.push(timeOf([caissonMain, "--help"]));
  }
  return median(help) / median(bare);
}

function timeOf(args: readonly string[]): number {
  const startedAtMs = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: "ignore" });
  assert.equal(status, 0);
  return performance.now() - startedAtMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.POSITIVE_INFINITY;
}
