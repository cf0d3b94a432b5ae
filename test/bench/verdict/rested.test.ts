// The verdict between two rests: what stays of the clients between them, whatever is also kept for a while.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sample } from "../../../bench/gate/verdict/sample.ts";
import { judgeRested } from "../../../bench/gate/verdict/rested.ts";
import { judge } from "../../../bench/gate/verdict/verdict.ts";
import { kind, memory, quietSample } from "./synthetic.ts";

const node24 = { nodeMajor: 24 };

/** A rest, five rounds whose clients leave things for a while, and a rest; `stays` says what is there after so many clients. */
function betweenRests(stays: (connections: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: 7 }, (_, at) => {
    const connections = 2_000 + 200 * at;
    const passing = at === 0 || at === 6 ? 0 : 200 * at;
    const changes = stays(connections);
    const containers = { "Server.recent": passing + (changes.containers?.["Server.recent"] ?? 0) };
    return quietSample(at, { connections, atMs: at * 2_000, ...changes, containers });
  });
}

const verdictOf = (samples: readonly Sample[]): ReturnType<typeof judge> =>
  judgeRested(samples, judge(samples, { ...node24, final: true }), node24);

test("what is gone after each rest is no leak, and told as a warning", () => {
  const verdict = verdictOf(betweenRests(() => ({})));
  assert.equal(verdict.outcome, "clean");
  assert.deepEqual([verdict.findings, verdict.doubts], [[], []]);
});

for (const share of [0.02, 0.25, 0.5, 1]) {
  test(`of a series that is also kept for a while, ${share} for each client stays, and is found`, () => {
    const { outcome, findings } = verdictOf(
      betweenRests((connections) => ({ containers: { "Server.recent": Math.floor(share * connections) } })),
    );
    assert.equal(outcome, "leak");
    assert.deepEqual(
      findings.map(({ ledger, subject }) => [ledger, subject]),
      [["probe", "Server.recent"]],
    );
    assert.ok(Math.abs((findings[0]?.perConnection ?? 0) - share) < 0.01);
    assert.match(findings[0]?.text ?? "", /both times long after the last client had left/);
  });
}

test("a handful is nothing, one in 200 is a doubt", () => {
  const few = verdictOf(betweenRests((connections) => ({ handles: { Timeout: connections > 2_500 ? 8 : 2 } })));
  assert.equal(few.outcome, "clean");
  const rare = verdictOf(betweenRests((connections) => ({ fds: { socket: Math.floor(connections / 120) } })));
  assert.deepEqual([rare.outcome, rare.doubts.map(({ ledger }) => ledger)], ["undecided", ["fds"]]);
});

test("what cannot be collected, and what memory keeps, is found as well", () => {
  const retained = verdictOf(betweenRests((connections) => ({ kinds: { session: kind({ retained: connections }) } })));
  assert.deepEqual(
    retained.findings.map(({ ledger }) => ledger),
    ["alive"],
  );
  const heap = verdictOf(betweenRests((connections) => ({ memory: memory(20 * connections) })));
  assert.deepEqual(
    heap.findings.map(({ ledger }) => ledger),
    ["heap"],
  );
  const slot = verdictOf(betweenRests((connections) => ({ memory: memory(6 * connections) })));
  assert.deepEqual([slot.outcome, slot.doubts.map(({ ledger }) => ledger)], ["undecided", ["heap"]]);
});

test("a ring that still fills is none of it", () => {
  const samples = betweenRests((connections) => ({ containers: { "Server.recent": (connections - 2_000) / 20 } }));
  const base = judge(samples, { ...node24, final: true });
  const idle = Array.from({ length: 6 }, (_, reading) =>
    quietSample(7, { atMs: 14_000 + reading * 700, containers: { "Server.recent": 60 + 4 * reading } }),
  );
  assert.equal(judgeRested(samples, base, node24).outcome, "leak");
  const verdict = judgeRested(samples, base, { ...node24, idle });
  assert.equal(verdict.outcome, "clean");
  assert.ok(verdict.warnings.some(({ text }) => text.includes("grows without any client too")));
});
