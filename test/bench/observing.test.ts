// The benches about observing, in a form of seconds: that they run to their end, check what they send, and would notice.
// Figures of a busy machine are no proof of anything; those come from the benches themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { overhead } from "../../bench/overhead.ts";
import { scrape } from "../../bench/scrape.ts";
import { afterSnapshot } from "../../bench/after-snapshot.ts";
import { reportText } from "../../bench/harness/report.ts";
import { tracing } from "../../bench/tracing.ts";

const seconds = { timeout: 120_000 };

test("overhead: both arms answer, and every figure is one", seconds, async () => {
  const report = await overhead({ blocks: 2, rounds: 2, requests: 150, connections: 8, warm: 100, control: 0 });
  assert.deepEqual(
    report.rows.map(([side]) => side),
    ["server", "client", "both"],
  );
  // Two blocks have a median, and no interval.
  assert.ok(Number.isFinite(report.checks[0]?.value));
  assert.match(reportText(report), /^both +\d/mu);
});

test(
  "overhead: the control compares what is the same, and asks only that no difference is shown",
  seconds,
  async () => {
    const report = await overhead({ blocks: 1, rounds: 1, requests: 100, connections: 4, warm: 50, control: 1 });
    assert.equal(report.bench, "overhead, control");
    // One block has no interval: nothing is shown.
    assert.equal(report.passed, true, reportText(report));
  },
);

test("scrape: tunnels that came and went leave no series behind", seconds, async () => {
  const report = await scrape({ tunnels: 200, scrapes: 3, passing: 200, together: 50, seed: 1 });
  const [busy, series] = report.checks;
  assert.ok((busy?.value ?? 0) > 0);
  assert.equal(series?.value, 0, reportText(report));
});

test("after-snapshot: every arm answers after it, and the cure is not undone", seconds, async () => {
  const plan = { blocks: 1, rounds: 1, requests: 500, connections: 50, delayMs: 20, warm: 500, first: 500, again: 500 };
  const report = await afterSnapshot(plan);
  assert.deepEqual(
    report.rows.map(([name]) => name),
    [
      "after a snapshot",
      "after a snapshot, no cure",
      "the first 500 requests after it",
      "ms that the server stood still",
      "us per request before it",
    ],
  );
  const { cured } = report.data as { cured: { ratio: number } };
  // Without the cure it may be several times as much; a busy machine is off by less.
  assert.ok(cured.ratio > 0 && cured.ratio < 2, reportText(report));
});

test("tracing: every arm answers, and spans are sent", seconds, async () => {
  const size = { blocks: 2, allEvery: 2, rounds: 1, requests: 300, connections: 8 };
  const report = await tracing({ ...size, warm: 100, recorded: 50, control: 0 });
  assert.deepEqual(
    report.rows.map(([arm]) => arm),
    ["no SDK", "1 %", "all"],
  );
  const { ratios } = report.data as { ratios: Record<string, { ratio: number; pairs: number }> };
  assert.deepEqual(Object.keys(ratios), ["none", "few", "all"]);
  for (const { ratio } of Object.values(ratios)) assert.ok(ratio > 0, reportText(report));
  assert.deepEqual(
    Object.values(ratios).map(({ pairs }) => pairs),
    [2, 2, 1],
  );
});
