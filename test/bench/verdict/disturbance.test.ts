// A round that failed for want of processor time makes a run undecided, and says what was seen; it hides no leak.

import assert from "node:assert/strict";
import { test } from "node:test";
import { noiseIn } from "../../../bench/gate/readings/machine-noise.ts";
import { beforeDisturbance, disturbed, opened } from "../../../bench/gate/verdict/disturbance.ts";
import { judge } from "../../../bench/gate/verdict/verdict.ts";
import { kind, memory, run, usual } from "./synthetic.ts";

const disturbance = {
  round: 7,
  failure: "requests: a visitor was answered 503\nmore",
  noise: "the server waited 9.0 s",
};
const clean = judge(
  run(usual, () => ({ memory: memory(0) })),
  { nodeMajor: 24, final: true },
);
const leak = judge(
  run(usual, (connections) => ({
    kinds: { session: kind({ opened: connections, closed: connections, held: connections }) },
  })),
  { nodeMajor: 24, final: true },
);

test("a disturbed run is undecided and says why", () => {
  assert.equal(clean.outcome, "clean");
  const { outcome, doubts } = disturbed(clean, disturbance);
  assert.equal(outcome, "undecided");
  assert.equal(
    doubts[0]?.text,
    "The machine was too busy in round 7 to say why it failed (requests: a visitor was answered 503): meanwhile the server waited 9.0 s.",
  );
});

test("a leak stays a leak", () => {
  assert.equal(leak.outcome, "leak");
  const { outcome, findings, warnings } = disturbed(leak, disturbance);
  assert.equal(outcome, "leak");
  assert.deepEqual(findings, leak.findings);
  assert.equal(warnings.at(-1)?.ledger, "machine");
});

test("a leak is what was one before the first disturbed round, whatever grows behind it", () => {
  const rounds = run(usual, () => ({}));
  const [disturbedFrom = Number.NaN] = [12].map((round) => rounds[round]?.connections);
  const judged = (kept: (connections: number) => number): string => {
    const samples = run(usual, (connections) => ({
      kinds: { session: kind({ opened: connections + 3, closed: connections, held: kept(connections) }) },
    }));
    const before = beforeDisturbance(samples, new Set([12, 15]));
    assert.equal(before.length, samples.filter(({ round }) => round < 12).length);
    return judge(before, { nodeMajor: 24, final: true }).outcome;
  };
  assert.notEqual(
    judged((connections) => (connections < disturbedFrom ? 3 : connections)),
    "leak",
  );
  assert.equal(
    judged((connections) => 3 + connections),
    "leak",
  );
});

test("what was found beside a disturbance is open", () => {
  const { outcome, findings, doubts } = opened(leak);
  assert.equal(outcome, "undecided");
  assert.deepEqual(findings, []);
  assert.deepEqual(doubts.slice(0, leak.findings.length), leak.findings);
  assert.equal(opened(clean), clean);
});

test("without a disturbance nothing changes", () => {
  assert.equal(disturbed(clean, undefined), clean);
});

test("a process that waits for a processor longer than it runs, and for long, is noise", () => {
  const before = { "the server": { ranMs: 1_000, waitedMs: 500, stopped: false } };
  const noise = (ranMs: number, waitedMs: number): string | undefined =>
    noiseIn({
      lateMs: 3,
      before,
      after: { "the server": { ranMs: 1_000 + ranMs, waitedMs: 500 + waitedMs, stopped: false } },
    });
  assert.equal(noise(2_000, 6_000), "the server ran for 2.0 s and waited 6.0 s for a processor");
  assert.equal(noise(6_000, 2_000), undefined);
  assert.equal(noise(200, 1_000), undefined);
});

test("so is one that was stopped, however little it waited", () => {
  const before = { "the server": { ranMs: 1_000, waitedMs: 500, stopped: false } };
  const after = { "the server": { ranMs: 1_000, waitedMs: 500, stopped: true } };
  assert.equal(noiseIn({ lateMs: 3, before, after }), "the server was stopped");
});

test("so is a late event loop of the gate itself; a process that is new or gone says nothing", () => {
  const time = { ranMs: 1_000, waitedMs: 90_000, stopped: false };
  assert.equal(
    noiseIn({ lateMs: 1_400, before: {}, after: { "a client": time } }),
    "the gate's own event loop came 1.4 s late",
  );
  assert.equal(noiseIn({ lateMs: 30, before: { "a client": time }, after: {} }), undefined);
});
