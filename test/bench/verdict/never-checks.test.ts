import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "../../../bench/gate/verdict/verdict.ts";
import { run, usual } from "./synthetic.ts";

const options = { nodeMajor: 20, final: true };

test("what must never be is a leak although it does not grow", () => {
  const samples = run(usual, () => ({ probes: { "never.unrouted_tunnels": 1 } }));
  const { outcome, findings } = judge(samples, options);
  assert.equal(outcome, "leak");
  assert.deepEqual(
    findings.map(({ ledger, subject, sinceRound }) => [ledger, subject, sinceRound]),
    [["probe", "never.unrouted_tunnels", usual.warmup]],
  );
  assert.match(findings[0]?.text ?? "", /^1 unrouted tunnels, which no healthy server has: since round 6\.$/u);
});

test("one reading in an unlucky moment accuses nobody", () => {
  const samples = run(usual, (_, round) => ({ probes: { "never.unrouted_tunnels": round === 20 ? 1 : 0 } }));
  assert.equal(judge(samples, options).findings.length, 0);
});
