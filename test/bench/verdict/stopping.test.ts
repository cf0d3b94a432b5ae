// When a run may end early: after enough rounds without a doubt, and with a heap that is back where it was.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding, Outcome } from "../../../bench/gate/verdict/finding.ts";
import type { Standing } from "../../../bench/gate/verdict/stopping.ts";
import { certainlyClean, heapReturned, leavesNothingOpen } from "../../../bench/gate/verdict/stopping.ts";
import { memory, run } from "./synthetic.ts";

const doubt: Finding = {
  ledger: "objects",
  subject: "Timeout",
  perConnection: 0.001,
  sinceRound: 9,
  text: "One more.",
};
const verdicts = (...outcomes: readonly Outcome[]): Standing[] =>
  outcomes.map((outcome) => ({ outcome, doubts: outcome === "undecided" ? [doubt] : [] }));

test("the last two verdicts must be clean, and there must be enough of them", () => {
  const plan = { earliest: 4 };
  assert.equal(certainlyClean(verdicts("clean", "clean", "clean"), plan), false);
  assert.equal(certainlyClean(verdicts("undecided", "clean", "clean", "clean"), plan), true);
  assert.equal(certainlyClean(verdicts("clean", "clean", "clean", "undecided", "clean"), plan), false);
  assert.equal(certainlyClean(verdicts("clean", "clean", "clean", "leak"), plan), false);
});

test("a count that rose once leaves nothing open, anything else does", () => {
  const once: Finding = { ...doubt, once: true };
  assert.equal(leavesNothingOpen({ outcome: "undecided", doubts: [once, once] }), true);
  assert.equal(leavesNothingOpen({ outcome: "undecided", doubts: [once, doubt] }), false);
  assert.equal(leavesNothingOpen({ outcome: "leak", doubts: [] }), false);
  const plan = { earliest: 2 };
  assert.equal(certainlyClean([...verdicts("clean"), { outcome: "undecided", doubts: [once] }], plan), true);
});

test("without an earliest round no run ends early", () => {
  assert.equal(certainlyClean(verdicts("clean", "clean", "clean", "clean"), { earliest: undefined }), false);
});

test("a heap has returned unless it rose by more than the tolerance, in one step or in many", () => {
  const layout = { warmup: 4, rounds: 12, size: 100 };
  const risen = (bytes: (connections: number) => number): boolean =>
    heapReturned(
      run(layout, (connections) => ({ memory: memory(bytes(connections)) })),
      24,
    );
  assert.equal(
    risen(() => 0),
    true,
  );
  assert.equal(
    risen((connections) => -3 * connections),
    true,
  );
  assert.equal(
    risen((connections) => 8 * connections),
    false,
  );
  assert.equal(
    risen((connections) => (connections > 1_000 ? 20_480 : 0)),
    false,
  );
  // One wild reading is no level.
  assert.equal(
    risen((connections) => (connections === 1_600 ? 20_480 : 0)),
    true,
  );
});
