// The benches with many clients, in a form of seconds: that they run to their end and check what they do. Figures of a
// busy machine, or of few clients, are no proof of anything; those come from the benches themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { idle, idlePlans } from "../../bench/idle.ts";
import { caissonContestant } from "../../bench/idle/caisson.ts";
import { storm, stormPlans } from "../../bench/storm.ts";
import { wan, wanPlans } from "../../bench/wan.ts";
import { reportMarkdown, reportText } from "../../bench/harness/report.ts";

const seconds = { timeout: 120_000, skip: process.platform !== "linux" && "reads /proc" };

test("idle: every figure is there, and few tunnels decide nothing", seconds, async () => {
  const contestants = [caissonContestant(1), caissonContestant(20)];
  const report = await idle({ ...idlePlans.quick, tunnels: 100, warm: 20 }, contestants);
  assert.deepEqual(
    report.rows.map(([name, tunnels]) => [name, tunnels]),
    [
      ["caisson", "100"],
      ["caisson, 20 tunnels a session", "100"],
    ],
  );
  for (const row of report.rows) for (const cell of row) assert.match(cell, /^(?:caisson|-?\d)/u, reportText(report));
  assert.match(reportText(report), /^not shown: KB of RSS per idle tunnel is .*100 tunnels stood, fewer than 5000/mu);
  assert.match(reportMarkdown(report), /^\| caisson \| 100 \|/mu);
  assert.equal(report.passed, true);
});

test("storm: every client is back under its name, and visitors meanwhile get their answers", seconds, async () => {
  const report = await storm({ ...stormPlans.quick, clients: 60 });
  assert.equal(report.passed, true, reportText(report));
  const figures = new Map(report.rows.map(([name, median]) => [name, Number(median)]));
  assert.equal(figures.get("errors that they saw"), 0);
  assert.ok((figures.get("visitors of the healthy tunnel") ?? 0) >= 10, reportText(report));
  const half = figures.get("seconds until half were back") ?? Infinity;
  assert.ok((figures.get("seconds until all were back") ?? 0) >= half && half > 0, reportText(report));
});

test("wan: every line carries its download and every small request", seconds, async () => {
  const report = await wan(wanPlans.quick);
  assert.equal(report.passed, true, reportText(report));
  assert.deepEqual(
    report.rows.map(([name]) => name),
    ["20 ms", "100 ms", "300 ms", "100 ms, with a rate"],
  );
  for (const row of report.rows) for (const cell of row.slice(1)) assert.match(cell, /^\d/u, reportText(report));
});
