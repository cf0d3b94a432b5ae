import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { stepsBetween } from "../../../bench/gate/reports/html/plot.ts";
import { judge } from "../../../bench/gate/verdict/verdict.ts";
import { mergeVerdicts } from "../../../bench/gate/merge-verdicts.ts";
import { html } from "../../../bench/gate/reports/html/page.ts";
import { sampleReport } from "./sample-report.ts";

test("the page stands alone: it refers to nothing outside itself, and forbids it", () => {
  const page = html(sampleReport("leak"));
  assert.deepEqual(page.match(/(?:src|href|action)="|url\((?!#)|@import|https?:\/\//), null);
  const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)];
  assert.equal(scripts.length, 1);
  const hash = createHash("sha256")
    .update(scripts[0]?.[1] ?? "")
    .digest("base64");
  assert.ok(page.includes(`script-src 'sha256-${hash}'`));
  assert.match(page, /default-src 'none'/);
  assert.match(page, /prefers-color-scheme: dark/);
});

test("every series has its plot or stands among those that never moved", () => {
  const page = html(sampleReport("leak"));
  const titles = [
    "heapUsed",
    "heap space old_space",
    "rss",
    "session",
    "tunnel",
    "server.names",
    "server.cache",
    "Timeout",
  ];
  for (const title of [...titles, "socket", "Map", "size of /metrics", "tcp inuse", "series of /metrics"]) {
    assert.ok(page.includes(`<h3>${title}</h3>`) || page.includes(`<li><span>${title}</span>`), title);
  }
  assert.equal((page.match(/<svg class="plot"/g) ?? []).length, (page.match(/<figure /g) ?? []).length);
  assert.deepEqual(page.match(/NaN|undefined|Infinity/), null);
});

test("the client process has plots of its own, and each side's are marked with its own findings", () => {
  const clean = sampleReport("clean");
  const leaking = sampleReport("leak");
  const page = html({
    ...clean,
    client: leaking.samples,
    verdict: mergeVerdicts(clean.verdict, leaking.verdict),
  });
  const plots = page.slice(page.indexOf("<h2>Memory after collection"));
  const [ofServer = "", ...ofClient] = plots.split("<h2>Client process: ");
  assert.ok(!ofServer.includes('<span class="badge leak">'), "the server has no leak");
  const memory = ofClient.find((section) => section.startsWith("Memory after collection")) ?? "";
  assert.match(memory, /<h3>heapUsed<\/h3><span class="badge leak">/);
  assert.match(page, /<h2>Client process: Resources by kind<\/h2>/);
});

test("heap spaces in which nothing ever was have neither row nor plot", () => {
  const report = sampleReport("leak");
  const samples = report.samples.map((sample) => {
    const { memory } = sample;
    return { ...sample, memory: { ...memory, heapSpaces: { ...memory.heapSpaces, shared_space: 0 } } };
  });
  const page = html({ ...report, samples, verdict: judge(samples, { nodeMajor: 24, final: true }) });
  assert.ok(page.includes("heap space old_space"));
  assert.ok(!page.includes("shared_space"));
});

test("a plot is as high as what was measured; the warm-up does not flatten it", () => {
  const report = sampleReport("clean");
  const samples = report.samples.map((sample) => {
    const { phase, memory } = sample;
    const extra = phase === "warmup" ? -5_000_000 : 0;
    return { ...sample, memory: { ...memory, heapUsed: memory.heapUsed + extra } };
  });
  const page = html({ ...report, samples });
  const [, from, to] = /<h3>heapUsed<\/h3>.*?data-from="(\d+)" data-to="(\d+)"/s.exec(page) ?? [];
  const measured = samples.filter(({ phase }) => phase === "measure").map(({ memory }) => memory.heapUsed);
  assert.ok(Number(from) <= Math.min(...measured) && Number(to) >= Math.max(...measured));
  assert.ok(Number(to) - Number(from) < 100_000, `${from} to ${to}`);
});

test("names from the measured process stay text", () => {
  const page = html(sampleReport("leak"));
  assert.ok(page.includes("&lt;img src=x&gt;"));
  assert.ok(!page.includes("<img"));
  const data = /<script type="application\/json" id="data">(.*)<\/script>/.exec(page)?.[1];
  assert.ok(data !== undefined && !data.includes("<"));
  const { charts, xs } = JSON.parse(data) as { charts: [string, number[]][][]; xs: number[] };
  for (const chart of charts) for (const [, values] of chart) assert.equal(values.length, xs.length);
});

test("each outcome is said in words, and a run without samples has a page too", () => {
  assert.match(html(sampleReport("clean")), /<h1>Clean<\/h1>/);
  assert.match(html(sampleReport("leak")), /<h1>Leak found<\/h1>/);
  assert.match(html(sampleReport("undecided")), /<h1>Undecided<\/h1>/);
  const { facts } = sampleReport("clean");
  const doubt = { ledger: "heap", subject: "heapUsed", perConnection: 0, sinceRound: 0, text: "Nothing." } as const;
  const none = { findings: [], warnings: [], slopes: [], rounds: 0, connections: 0, requests: 0 };
  const empty = html({ facts, samples: [], verdict: { outcome: "undecided", doubts: [doubt], ...none } });
  assert.deepEqual(empty.match(/NaN|Infinity/), null);
});

test("ticks are inside the range, ascending and few", () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 1, max: 1e9 }), (from, width) => {
      const steps = stepsBetween(from, from + width, 4);
      assert.ok(steps.length <= 5);
      for (const [index, step] of steps.entries()) {
        assert.ok(step >= from && step <= from + width);
        assert.ok(step > (steps[index - 1] ?? -Infinity));
      }
    }),
  );
});
