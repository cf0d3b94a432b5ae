// What the gate's answer means to whoever started it: the exit code of every outcome, with and without a failure of the run.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outcome } from "../../bench/gate/verdict/finding.ts";
import { gateExitCode } from "../../src/cli/commands/gate.ts";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";

const cases: readonly (readonly [Outcome, "pass" | "fail", number])[] = [
  ["clean", "fail", exitCodes.done],
  ["clean", "pass", exitCodes.done],
  ["leak", "fail", exitCodes.leak],
  ["leak", "pass", exitCodes.leak],
  ["undecided", "fail", exitCodes.undecided],
  ["undecided", "pass", exitCodes.done],
];

for (const [outcome, undecided, code] of cases) {
  test(`${outcome} with --undecided ${undecided} ends with ${code}`, () => {
    assert.equal(gateExitCode({ outcome, failure: undefined }, { undecided }), code);
  });
}

test("a failed run is a failure unless a leak explains it", () => {
  const failure = new CaissonError("E_GATE", "an answer was wrong");
  assert.throws(() => gateExitCode({ outcome: "clean", failure }, { undecided: "fail" }), failure);
  assert.throws(() => gateExitCode({ outcome: "undecided", failure }, { undecided: "pass" }), failure);
  assert.equal(gateExitCode({ outcome: "leak", failure }, { undecided: "fail" }), exitCodes.leak);
});
