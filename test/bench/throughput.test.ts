// bench:throughput in a form of seconds: every contestant stands, every scenario runs, and every byte is checked. Figures of
// a busy machine are no proof of anything; those come from the bench itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { quickPlan } from "../../bench/contest/speeds.ts";
import { throughput } from "../../bench/throughput.ts";
import { needsBenchPrograms } from "../support/bench-programs.ts";

test("throughput: all contestants in all divisions", { ...needsBenchPrograms(), timeout: 300_000 }, async () => {
  const report = await throughput({ plan: { ...quickPlan, mebibytes: 4 }, quick: true, connections: [4, 64] });
  const contestants = ["Caisson", "direct", "one nginx", "two nginx"];
  const absent = new Set(report.absences.map(({ division, contestant }) => `${division} ${contestant}`));
  let scenarios = 0;
  for (const [division, found] of Object.entries(report.found)) {
    for (const [scenario, samples] of Object.entries(found)) {
      scenarios += 1;
      const expected = contestants.filter((name) => !absent.has(`${division} ${name}`));
      assert.deepEqual(Object.keys(samples).toSorted(), expected, scenario);
      for (const figures of Object.values(samples).flat()) {
        assert.ok(
          Object.values(figures).every((value) => Number.isFinite(value) && value >= 0),
          scenario,
        );
      }
    }
  }
  assert.equal(scenarios, 4 + 1 + 4 + 1 + 2 + 3);
  // Without nginx's stream module two contestants are missing, and nothing else ever.
  assert.ok(report.absences.every(({ division, why }) => division === "TCP" && why.includes("libnginx-mod-stream")));
  assert.deepEqual(report.goals, []);
  assert.match(report.markdown, /^\| POST 10 KiB, 64 connections +\| \d/mu);
});
