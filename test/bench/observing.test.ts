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
  const report = await overhead({ blocks: 2, rounds: 1, requests: 600, connections: 8, warm: 100 });
  assert.deepEqual(
    report.rows.map(([side]) => side),
    ["server", "client", "both"],
  );
  // Two blocks have a median, and no interval.
  assert.ok(Number.isFinite(report.checks[0]?.value));
  assert.match(reportText(report), /^both +\d/mu);
});

test("scrape: tunnels that came and went leave no series behind", seconds, async () => {
  const report = await scrape({ tunnels: 200, scrapes: 3, passing: 200, together: 50, seed: 1 });
  const [busy, series] = report.checks;
  assert.ok((busy?.value ?? 0) > 0);
  assert.equal(series?.value, 0, reportText(report));
});

test("after-snapshot: the cure is not undone", seconds, async () => {
  const plan = { blocks: 1, rounds: 1, requests: 1_000, connections: 100, warm: 500, youngMiB: 1 };
  const report = await afterSnapshot(plan);
  assert.deepEqual(
    report.rows.map(([name]) => name),
    [
      "CPU, no snapshot",
      "CPU, snapshot",
      "CPU, snapshot, no cure",
      "minor collections, no snapshot",
      "minor collections, snapshot",
      "minor collections, snapshot, no cure",
      "CPU of the first 500 requests, no snapshot",
      "CPU of the first 500 requests, snapshot",
      "ms that the server stood still",
    ],
  );
  const { cured } = report.data as { cured: { ratio: number } };
  // Without the cure it is several times as much; a busy machine is off by less.
  assert.ok(cured.ratio < 2, reportText(report));
});

test("tracing: every arm answers, and spans are sent", seconds, async () => {
  const report = await tracing({ blocks: 2, rounds: 1, requests: 600, connections: 8, warm: 100 });
  assert.deepEqual(
    report.rows.map(([arm]) => arm),
    ["no SDK", "1 %", "all"],
  );
  const { ratios } = report.data as { ratios: Record<string, { ratio: number; pairs: number }> };
  assert.deepEqual(Object.keys(ratios), ["none", "few", "all"]);
  for (const { ratio, pairs } of Object.values(ratios)) assert.ok(ratio > 0 && pairs === 2, reportText(report));
});
