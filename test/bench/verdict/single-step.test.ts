// A heap that rises once by a little and stands still before and after is no growth by connection; one that goes on is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../../bench/gate/seeded-random.ts";
import { judge } from "../../../bench/gate/verdict/verdict.ts";
import type { Verdict } from "../../../bench/gate/verdict/finding.ts";
import { gaussian, memory, run } from "./synthetic.ts";

const layout = { warmup: 4, rounds: 25, size: 100 };
const deviation = 700;

function judged(bytes: (connections: number) => number): Verdict {
  const random = new SeededRandom(5);
  const samples = run(layout, (connections) => ({
    memory: memory(Math.round(bytes(connections) + deviation * gaussian(random))),
  }));
  return judge(samples, { nodeMajor: 24, final: true });
}

test("one step of 33 KB in the middle of a run is clean, and told", () => {
  for (const at of [1_000, 1_500, 1_700, 2_200]) {
    const { outcome, warnings } = judged((connections) => (connections > at ? 33_000 : 0));
    assert.equal(outcome, "clean", `step after ${at} connections`);
    const told = warnings.map(({ text }) => text).join("\n");
    // Where the median slope bears the step by itself, nothing needs to be told.
    if (told !== "") assert.match(told, /^The heap rose once, by about 3[0-9.]+ [Kk]i?B in round \d+/);
  }
});

test("a large step, a second step, and a slope beside a step stay open or leak", () => {
  for (const bytes of [
    (connections: number) => (connections > 1_500 ? 120_000 : 0),
    (connections: number) => (connections > 1_200 ? 20_000 : 0) + (connections > 2_000 ? 20_000 : 0),
    (connections: number) => 8 * connections + (connections > 1_500 ? 33_000 : 0),
  ])
    assert.notEqual(judged(bytes).outcome, "clean");
});
