// How a run ends that could not go on: what it had measured counts, as far as it was certain.

import assert from "node:assert/strict";
import { test } from "node:test";
import { brokenEnd } from "../../../bench/gate/broken-end.ts";
import { judge } from "../../../bench/gate/verdict/verdict.ts";
import { CaissonError } from "../../../src/lifecycle/errors.ts";
import { run, usual } from "../verdict/synthetic.ts";

const failure = new CaissonError("E_GATE", "the visitors: an answer did not come");
const nothingSeen = { round: 40, failure, rested: true, noise: undefined };
const judging = { nodeMajor: 24, final: true, keepsPatience: true };
const clean = judge(
  run(usual, () => ({})),
  judging,
);
const ofContainer = judge(
  run(usual, (connections) => ({ containers: { "Book.entries": connections } })),
  judging,
);
const ofSockets = judge(
  run(usual, (connections) => ({ fds: { socket: connections } })),
  judging,
);

test("without noise the failure is one, beside what was found", () => {
  assert.deepEqual(brokenEnd(clean, nothingSeen), { verdict: clean, failure });
  assert.deepEqual(brokenEnd(ofSockets, nothingSeen), { verdict: ofSockets, failure });
});

test("with noise there is none, and the verdict says so", () => {
  const { verdict, failure: none } = brokenEnd(clean, { ...nothingSeen, noise: "the server was stopped" });
  assert.equal(none, undefined);
  assert.equal(verdict.outcome, "undecided");
  assert.match(verdict.doubts[0]?.text ?? "", /round 40 .*an answer did not come.*: meanwhile the server was stopped/);
});

test("without a rest before, what was found is open", () => {
  for (const verdict of [ofContainer, ofSockets]) {
    assert.equal(verdict.outcome, "leak");
    assert.equal(brokenEnd(verdict, { ...nothingSeen, rested: false }).verdict.outcome, "undecided");
    assert.equal(brokenEnd(verdict, nothingSeen).verdict.outcome, "leak");
  }
});
