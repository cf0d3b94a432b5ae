import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planOf } from "../../../bench/gate/options.ts";
import { benchmarkArray } from "../../../bench/gate/reports/benchmark-array.ts";
import { escapeMarkdown, escapeMarkup, plain } from "../../../bench/gate/reports/escape.ts";
import { html } from "../../../bench/gate/reports/html/page.ts";
import { json } from "../../../bench/gate/reports/json.ts";
import { junit } from "../../../bench/gate/reports/junit.ts";
import { line } from "../../../bench/gate/reports/line.ts";
import { markdown } from "../../../bench/gate/reports/markdown.ts";
import { table } from "../../../bench/gate/reports/table.ts";
import { neverBegun } from "../../../bench/gate/rounds.ts";
import { judge } from "../../../bench/gate/verdict/verdict.ts";
import { CaissonError } from "../../../src/lifecycle/errors.ts";
import { run, usual } from "../verdict/synthetic.ts";
import { facts, sampleReport } from "./sample-report.ts";

const outcomes = ["clean", "leak", "undecided"] as const;
const awkward = '<img src=x>&"|`';

test("the samples of these tests have the outcomes they are named for", () => {
  for (const outcome of outcomes) assert.equal(sampleReport(outcome).verdict.outcome, outcome);
});

test("the line says the outcome and why, in one line", () => {
  assert.match(
    line(sampleReport("clean")),
    /^clean: 4,000 connections and 8,000 requests in 40 rounds\. No count goes on growing/,
  );
  assert.match(line(sampleReport("clean")), /\(limit 4\)\.$/);
  assert.match(line(sampleReport("leak")), /^leak: .*kind session: entries stay in containers.* more findings\.$/);
  assert.match(line(sampleReport("undecided")), /^undecided: .*neither ruled out nor certain\.$/);
  for (const outcome of outcomes) assert.ok(!line(sampleReport(outcome)).includes("\n"));
});

test("the table names ledger, subject, amount, interval and round, in columns", () => {
  const text = table(sampleReport("leak"));
  assert.match(text, /\n {2}held {2,}session {2,}1 {2,}\[1, 1\] {2,}\d+\n/);
  assert.match(text, /\n {2}heapUsed {2,}\d+ {2,}\[\d+, \d+\] {2,}4 {2,}above\n/);
  assert.match(text, /Node v24\.1\.0, seed 7, 93 s$/);
  assert.ok(!table(sampleReport("clean")).includes("Leaks"));
});

test("JSON has its schema version, the host, the commit, the seed and every sample", () => {
  const { samples } = sampleReport("clean");
  const report = { ...sampleReport("leak"), client: samples };
  const document = JSON.parse(json(report)) as Record<string, unknown>;
  assert.equal(document["schemaVersion"], 1);
  assert.equal(document["outcome"], "leak");
  assert.equal(document["seed"], 7);
  assert.equal(document["commit"], report.facts.commit);
  assert.deepEqual(document["host"], report.facts.host);
  assert.equal((document["samples"] as unknown[]).length, report.samples.length);
  assert.deepEqual(document["client"], JSON.parse(JSON.stringify(samples)));
  assert.deepEqual(document["verdict"], JSON.parse(JSON.stringify(report.verdict)));
});

test("JUnit fails the ledgers that leak, and only counts what it shows", () => {
  const xml = junit(sampleReport("leak"));
  const failures = xml.match(/<failure /g) ?? [];
  assert.equal(failures.length, Number(/failures="(\d+)"/.exec(xml)?.[1]));
  assert.match(xml, /<testcase classname="caisson\.gate\.held"[^>]*>\s*<failure type="leak" message="leak: session">/);
  assert.equal((xml.match(/<testcase /g) ?? []).length, 14);
  assert.ok(!xml.includes(awkward));
  assert.ok(!junit(sampleReport("clean")).includes("<failure"));
});

test("what is undecided is an error in JUnit, or skipped where it may pass", () => {
  assert.match(junit(sampleReport("undecided")), /errors="1" skipped="0"[\s\S]*<error type="undecided"/);
  assert.match(
    junit(sampleReport("undecided", { undecided: "pass" })),
    /errors="0" skipped="1"[\s\S]*<skipped message="undecided/,
  );
});

test("Markdown has a heading with the outcome and a table of findings that names cannot break", () => {
  const text = markdown(sampleReport("leak"));
  assert.match(text, /^## Leak gate: leak found\n/);
  assert.match(text, /\n\| held \| session \| 1 \\\[1, 1\\\] \| \d+ \| /);
  for (const row of text.split("\n").filter((each) => each.startsWith("| objects"))) {
    assert.equal(row.replaceAll(String.raw`\|`, "").split("|").length, 7);
  }
  assert.ok(!text.includes("<img"));
  assert.match(markdown(sampleReport("clean")), /^## Leak gate: clean\n/);
});

test("the benchmark array has name, unit and a number in each entry", () => {
  const report = sampleReport("clean");
  const entries = JSON.parse(benchmarkArray({ ...report, jit: report })) as Record<string, unknown>[];
  for (const { name, unit, value } of entries) {
    assert.equal(typeof name, "string");
    assert.equal(typeof unit, "string");
    assert.ok(Number.isFinite(value));
  }
  const names = entries.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes("gate heapUsed (quiet)") && names.includes("gate heapUsed (jit)"));
});

test("a run whose processes did not come up in time has every report, and says what was seen", () => {
  const plan = planOf({ preset: "quick" });
  const failure = new CaissonError("E_GATE", "the server did not say what was waited for in 240000 ms");
  const { verdict, samples, brokenOff } = neverBegun(plan, { failure, noise: "the server was stopped" });
  assert.equal(verdict.outcome, "undecided");
  assert.ok(brokenOff);
  const report = { verdict, samples, facts };
  assert.match(line(report), /^undecided: .* did not say what was waited for .*: meanwhile the server was stopped/);
  for (const write of [table, json, junit, markdown, html, benchmarkArray]) assert.ok(write(report).length > 0);
  // What was not measured has not passed; nor has what does not gate.
  const xml = junit(report);
  assert.match(xml, /errors="2" skipped="11"/);
  assert.equal((xml.match(/<skipped message="not measured, or no part of the verdict"\/>/g) ?? []).length, 11);
  assert.match(xml, /<testcase classname="caisson\.gate\.held"[^>]*>\s*<skipped /);
  const unknowing = run(usual, () => ({ kinds: undefined }));
  const ofStranger = junit({
    facts,
    samples: unknowing,
    verdict: judge(unknowing, { nodeMajor: 24, final: true, heapGates: false }),
  });
  const skipped = [...ofStranger.matchAll(/gate\.(\w+)"[^>]*>\s*<skipped /g)].map(([, ledger]) => ledger);
  assert.deepEqual(skipped, ["held", "live", "alive", "operations", "series", "heap"]);
});

test("a failed run is told as failed in every report, and never as clean", () => {
  const failure = "an answer was wrong\nlast <words>";
  const report = { ...sampleReport("clean"), failure };
  assert.match(line(report), /^failed: .* The run itself failed, so it says nothing of leaks: an answer was wrong\.$/);
  assert.match(table(report), /^failed: [^]*\nFailure\n {2}an answer was wrong\n {2}last <words>\n/);
  const document = JSON.parse(json(report)) as Record<string, unknown>;
  assert.deepEqual([document["outcome"], document["failure"]], ["failed", failure]);
  const xml = junit(report);
  assert.match(xml, /failures="0" errors="1" skipped="0"/);
  assert.match(xml, /gate\.run"[^>]*>\s*<error type="failed" message="an answer was wrong">[^<]*last &lt;words&gt;</);
  assert.match(markdown(report), /^## Leak gate: the run failed\n[^]*### Failure\n\nan answer was wrong {2}\n/);
  const page = html(report);
  assert.match(page, /<section class="verdict failed"><h1>The run failed<\/h1>[^]*last &lt;words&gt;/);
  const entries = JSON.parse(benchmarkArray(report)) as readonly Record<string, unknown>[];
  assert.equal(entries.find(({ name }) => name === "gate failures")?.["value"], 1);
  for (const text of [line(report), table(report), markdown(report), page, xml]) {
    assert.doesNotMatch(text, /every count returned|no count goes on growing|leak gate: clean|<h1>clean/i);
  }
});

test("a leak outranks a failure, which is told beside it", () => {
  const report = { ...sampleReport("leak"), failure: "an answer was wrong" };
  assert.match(line(report), /^leak: .* The run failed, too: an answer was wrong\.$/);
  assert.equal((JSON.parse(json(report)) as Record<string, unknown>)["outcome"], "leak");
  assert.match(junit(report), /<error type="failed" message="an answer was wrong">/);
  for (const write of [table, markdown, html]) assert.match(write(report), /an answer was wrong/);
});

test("what the default JIT showed is a warning, and gates nothing", () => {
  const jit = { verdict: sampleReport("leak").verdict, samples: [] };
  const report = { ...sampleReport("clean"), jit };
  assert.match(line(report), /^clean: /);
  for (const write of [table, markdown, html]) {
    assert.match(write(report), /With the default JIT: .*entries stay in containers/);
  }
  assert.match(junit(report), /failures="0" errors="0"/);
});

test("no text gets out of its place", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.doesNotMatch(plain(text), /[\p{Cc}\p{Cs}]/u);
      assert.doesNotMatch(escapeMarkup(text), /[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
      assert.doesNotMatch(escapeMarkdown(text), /(?<!\\)[|`]|[\n<>]/);
    }),
  );
  assert.equal(plain("a\u001b[31m\u202eb\ud800"), "a\ufffd[31m\ufffdb\ufffd");
});
