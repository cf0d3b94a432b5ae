// The benches about observing, in a form of seconds: that they run to their end, check what they send, and would notice.
// Figures of a busy machine are no proof of anything; those come from the benches themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { overhead, overheadPlans } from "../../bench/overhead.ts";
import { scrape, scrapePlans } from "../../bench/scrape.ts";
import { afterSnapshot, afterSnapshotPlans } from "../../bench/after-snapshot.ts";
import { reportText } from "../../bench/harness/report.ts";
import { tracing, tracingPlans } from "../../bench/tracing.ts";

const seconds = { timeout: 120_000 };

test("overhead: both arms answer, and every figure is one", seconds, async () => {
  const report = await overhead(overheadPlans.quick);
  assert.deepEqual(
    report.rows.map(([side]) => side),
    ["server", "client", "both"],
  );
  // The goal is of both together; each side's figures are told, and fail nothing.
  assert.deepEqual(
    report.checks.map(({ what, informs }) => `${what} ${informs ?? false}`),
    ["", ", of the server", ", of the client"].flatMap((whose) => [
      `what being observed costs${whose}, in % of CPU ${whose !== ""}`,
      `its upper 95 % limit, in % ${whose !== ""}`,
    ]),
  );
  // Two blocks have a median, and no interval.
  assert.ok(Number.isFinite(report.checks[0]?.value));
  assert.equal(report.checks[0]?.notShown, "2 of the 6 blocks that an interval needs");
  assert.match(reportText(report), /^both +\d/mu);
});

test(
  "overhead: the control compares what is the same, and asks only that no difference is shown",
  seconds,
  async () => {
    const report = await overhead({ ...overheadPlans.quick, blocks: 1, control: 1 });
    assert.equal(report.bench, "overhead, control");
    assert.ok(report.checks.every(({ notShown }) => notShown === "1 of the 6 blocks that an interval needs"));
    assert.equal(report.passed, true, reportText(report));
  },
);

test("scrape: tunnels that came and went leave no series behind", seconds, async () => {
  const report = await scrape(scrapePlans.quick);
  const [busy, series] = report.checks;
  assert.ok((busy?.value ?? 0) > 0);
  assert.equal(series?.value, 0, reportText(report));
});

test("after-snapshot: every arm answers after it, and the cure is not undone", seconds, async () => {
  const report = await afterSnapshot(afterSnapshotPlans.quick);
  assert.deepEqual(
    report.rows.map(([name]) => name),
    [
      "after a snapshot",
      "after a snapshot, no cure",
      "the first 500 requests after it",
      "ms that the server stood still",
    ],
  );
  const { cured, uncured } = report.data as { cured: { ratio: number }; uncured: { ratio: number } };
  assert.ok(report.passed, "one block shows nothing");
  for (const { ratio } of [cured, uncured]) assert.ok(ratio > 0 && Number.isFinite(ratio), reportText(report));
});

test("tracing: every arm answers, and spans are sent", seconds, async () => {
  const report = await tracing(tracingPlans.quick);
  assert.deepEqual(
    report.rows.map(([arm]) => arm),
    ["no SDK", "1 %", "all"],
  );
  const { ratios } = report.data as { ratios: Record<string, { ratio: number; pairs: number }> };
  assert.deepEqual(Object.keys(ratios), ["none", "few", "all"]);
  // What is the same twice must show as the same, in every run.
  assert.ok(report.checks.some(({ what }) => what.includes("the same twice")));
  for (const { ratio } of Object.values(ratios)) assert.ok(ratio > 0, reportText(report));
  assert.deepEqual(
    Object.values(ratios).map(({ pairs }) => pairs),
    [2, 2, 1],
  );
});
