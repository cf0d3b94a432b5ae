// The harness that benches share: its statistics against known figures, its order, its command line, its distrust.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { sendLoad, Visitors } from "../../bench/harness/load.ts";
import { Origin } from "../../bench/harness/origin.ts";
import { askedPlan, askedSize } from "../../bench/harness/plan.ts";
import { controlChecks, informing } from "../../bench/harness/compared.ts";
import type { Check } from "../../bench/harness/report.ts";
import { figure, reportMarkdown, reportOf, reportText, verdictOf } from "../../bench/harness/report.ts";
import { alternate, interleave } from "../../bench/harness/rounds.ts";
import { deviationOf, pairedRatio, signedRankRatio, spreadOf } from "../../bench/harness/statistics.ts";
import { SeededRandom } from "../../bench/gate/seeded-random.ts";

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-3 * Math.abs(expected), `${actual} is not ${expected}`);
}

test("medians and quartiles", () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, lowerQuartile: 1.5, upperQuartile: 2.5, count: 3 });
  assert.deepEqual(spreadOf([7]), { median: 7, lowerQuartile: 7, upperQuartile: 7, count: 1 });
  assert.throws(() => spreadOf([]), RangeError);
});

test("a paired ratio by hand", () => {
  // Logarithms 0, 0.1, 0.2: mean 0.1, deviation 0.1, error 0.1 / sqrt(3), t(2) = 4.303.
  const pairs = [0, 0.1, 0.2].map((log) => ({ base: 10, other: 10 * Math.exp(log) }));
  const { ratio, lower, upper } = pairedRatio(pairs);
  close(ratio, Math.exp(0.1));
  close(lower, Math.exp(0.1 - (4.303 * 0.1) / Math.sqrt(3)));
  close(upper, Math.exp(0.1 + (4.303 * 0.1) / Math.sqrt(3)));
  assert.deepEqual(pairedRatio([{ base: 2, other: 3 }]), { ratio: 1.5, lower: 0, upper: Infinity, pairs: 1 });
  assert.throws(() => pairedRatio([]), RangeError);
  assert.throws(() => pairedRatio([{ base: 0, other: 1 }]), RangeError);
});

test("the interval holds the truth about as often as it says, whatever the machine does between pairs", () => {
  const random = new SeededRandom(7);
  let held = 0;
  for (let run = 0; run < 400; run += 1) {
    const pairs = Array.from({ length: 10 }, () => {
      const speed = 1 + 3 * random.next();
      return { base: speed * (1 + 0.02 * gauss(random)), other: 1.01 * speed * (1 + 0.02 * gauss(random)) };
    });
    const { lower, upper } = pairedRatio(pairs);
    if (lower <= 1.01 && upper >= 1.01) held += 1;
  }
  assert.ok(held > 400 * 0.92 && held < 400 * 0.98, `${held} of 400`);
});

function gauss(random: SeededRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

test("a ratio by signed ranks by hand: a wild pair moves neither it nor its interval", () => {
  const pairs = (logs: readonly number[]): { base: number; other: number }[] =>
    logs.map((log) => ({ base: 10, other: 10 * Math.exp(log) }));
  const logsOf = ({ ratio, lower, upper }: { ratio: number; lower: number; upper: number }): number[] =>
    [ratio, lower, upper].map((value) => Math.log(value) + 1);
  const few = signedRankRatio(pairs([0.5, 0.1, 0.3, 0.2, 0.4]));
  close(few.ratio, Math.exp(0.3));
  assert.deepEqual({ ...few, ratio: 0 }, { ratio: 0, lower: 0, upper: Infinity, pairs: 5 });
  // Of 6, the sum of signed ranks is 0 in 1.6 of 100 cases, and at most 1 in 3.1: the least and the greatest mean.
  const six = logsOf(signedRankRatio(pairs([0.5, 0.1, 0.3, 0.2, 0.4, 0.6])));
  for (const [at, expected] of [1.35, 1.1, 1.6].entries()) close(six[at] ?? 0, expected);
  // Of 10, it is at most 8 in 2.4 of 100 cases (tables of Wilcoxon's test): the 9th mean from either end.
  const logs = Array.from({ length: 10 }, (_, at) => 2 ** at / 1024);
  const means = logs.flatMap((one, at) => logs.slice(at).map((two) => (one + two) / 2)).toSorted((a, b) => a - b);
  const ten = signedRankRatio(pairs(logs));
  close(Math.log(ten.lower), means[8] ?? 0);
  close(Math.log(ten.upper), means[46] ?? 0);
  logs[9] = 9;
  close(signedRankRatio(pairs(logs)).lower, ten.lower);
  assert.ok(Math.abs(Math.log(signedRankRatio(pairs(logs)).ratio / ten.ratio)) < 0.1);
  assert.throws(() => signedRankRatio([]), RangeError);
  close(deviationOf(pairs([0.1, 0.2, 0.3])), 0.1);
});

test("the interval by signed ranks holds the truth about as often as it says, also with wild pairs", () => {
  const random = new SeededRandom(11);
  let held = 0;
  for (let run = 0; run < 400; run += 1) {
    const pairs = Array.from({ length: 12 }, () => {
      const wild = random.next() < 0.1 ? 20 : 1;
      return { base: 1, other: 1.01 * Math.exp(0.02 * wild * gauss(random)) };
    });
    const { lower, upper } = signedRankRatio(pairs);
    if (lower <= 1.01 && upper >= 1.01) held += 1;
  }
  assert.ok(held > 400 * 0.92 && held < 400 * 0.99, `${held} of 400`);
});

test("the ratio of exchanged pairs is the inverse", () => {
  const value = fc.double({ min: 0.01, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.record({ base: value, other: value }), { minLength: 2, maxLength: 40 }), (pairs) => {
      const there = pairedRatio(pairs);
      const back = pairedRatio(pairs.map(({ base, other }) => ({ base: other, other: base })));
      close(there.ratio * back.ratio, 1);
      assert.ok(there.lower <= there.ratio && there.ratio <= there.upper);
    }),
  );
});

test("every arm once per round, in an order that the seed decides", async () => {
  const order: string[] = [];
  const plan = { arms: ["a", "b", "c"] as const, rounds: 20, seed: 3 };
  const measure = (arm: string, round: number): Promise<number> => Promise.resolve(order.push(`${arm}${round}`));
  const found = await interleave({ ...plan, measure });
  assert.deepEqual([found.a.length, found.b.length, found.c.length], [20, 20, 20]);
  for (let round = 0; round < 20; round += 1) {
    const ofRound = order.slice(round * 3, round * 3 + 3);
    assert.deepEqual(ofRound.toSorted(), [`a${round}`, `b${round}`, `c${round}`]);
  }
  assert.ok(new Set(order.filter((_, at) => at % 3 === 0).map((name) => name[0])).size === 3, "each is first at times");
  const first = [...order];
  order.length = 0;
  await interleave({ ...plan, measure });
  assert.deepEqual(order, first);
});

test("the command line: a number for each name, and nothing else", () => {
  const standard = { blocks: 3, rounds: 2 };
  assert.deepEqual(askedPlan(standard, []), { plan: standard, format: "text" });
  assert.deepEqual(askedPlan(standard, ["--json", "--rounds", "9"]), {
    plan: { blocks: 3, rounds: 9 },
    format: "json",
  });
  for (const wrong of [["--other", "1"], ["--rounds", "0"], ["--rounds", "x"], ["--rounds"], ["stray"]]) {
    assert.throws(() => askedPlan(standard, wrong), { code: "E_USAGE" }, wrong.join(" "));
  }
});

test("the quick form is a plan of its own, whose figures can be changed as well", () => {
  const plans = { standard: { rounds: 9, size: 5 }, quick: { rounds: 1, size: 1 } };
  assert.deepEqual(askedSize(plans, []), { plan: plans.standard, format: "text" });
  const changed = { plan: { rounds: 1, size: 3 }, format: "markdown" };
  assert.deepEqual(askedSize(plans, ["--quick", "--size", "3", "--markdown"]), changed);
  assert.throws(() => askedSize(plans, ["--slow"]), { code: "E_USAGE" });
});

test("a bound is kept, missed, or not shown, and only what is missed fails", () => {
  assert.equal(verdictOf({ what: "w", value: 2, below: 2 }), "missed");
  assert.equal(verdictOf({ what: "w", value: 2, atLeast: 2 }), "holds");
  assert.equal(verdictOf({ what: "w", value: 1, atLeast: 2 }), "missed");
  assert.equal(verdictOf({ what: "w", value: Number.NaN, below: 2 }), "missed");
  assert.equal(verdictOf({ what: "w", value: 9, below: 2, notShown: "too few" }), "not shown");
  const found = { bench: "b", plan: {}, columns: ["c", "d"], rows: [["e", "f"]], data: undefined } as const;
  const report = reportOf({ ...found, checks: [{ what: "w", value: 9, below: 2, notShown: "too few" }] });
  assert.equal(report.passed, true);
  const lines = ["| c | d |", "| --- | --- |", "| e | f |", "", "- not shown: w is 9, must be below 2 (too few)", ""];
  assert.equal(reportMarkdown(report), lines.join("\n"));
});

test("a control whose interval excludes what is the same fails, and what only informs never does", () => {
  const found = { bench: "b", plan: {}, columns: ["c", "d"], rows: [["e", "f"]], data: undefined } as const;
  const passes = (lower: number, upper: number, of: (checks: Check[]) => readonly Check[]): boolean => {
    const checks = of(controlChecks({ ratio: (lower + upper) / 2, lower, upper, pairs: 20 }));
    return reportOf({ ...found, checks }).passed;
  };
  const all = (checks: Check[]): Check[] => checks;
  assert.equal(passes(0.99, 1.01, all), true);
  assert.equal(passes(1.01, 1.03, all), false);
  assert.equal(passes(0.95, 0.99, all), false);
  assert.equal(passes(0.95, 0.99, informing), true);
  const report = reportOf({ ...found, checks: informing([{ what: "w", value: 9, below: 2 }]) });
  assert.match(reportText(report), /^for information, missed: w is 9, must be below 2$/mu);
});

test("a report says which checks hold", () => {
  const report = reportOf({
    bench: "b",
    plan: { rounds: 2 },
    columns: ["what", "value"],
    rows: [["one", "1"]],
    checks: [
      { what: "x", value: 1, below: 2 },
      { what: "y", value: 3, below: 2 },
    ],
    data: undefined,
  });
  assert.equal(report.passed, false);
  assert.match(reportText(report), /^holds: x is 1, must be below 2$/mu);
  assert.match(reportText(report), /^missed: y is 3, must be below 2$/mu);
  assert.equal(figure(0.012_345), "0.01235");
  assert.equal(figure(1234.56), "1235");
});

test("load is answered in full, exactly as often as asked", async () => {
  await using origin = await Origin.start();
  await sendLoad({ port: origin.port, host: "x", requests: 500, connections: 7 });
  assert.equal(origin.answered, 500);
});

test("visitors stay from one run to the next", async () => {
  await using origin = await Origin.start();
  using visitors = await Visitors.open({ port: origin.port, host: "x", connections: 5 });
  await visitors.send(3);
  await visitors.send(200);
  assert.equal(origin.answered, 203);
});

test("an origin takes the time that it is told to", async () => {
  await using origin = await Origin.start({ delayMs: 30 });
  const fromMs = performance.now();
  await sendLoad({ port: origin.port, host: "x", requests: 20, connections: 10 });
  // Timers count whole milliseconds, and may be early by one.
  assert.ok(performance.now() - fromMs >= 58);
  assert.equal(origin.answered, 20);
});

const wrongAnswers: readonly (readonly [string, string])[] = [
  ["another status", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"],
  ["another body", `HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n${"x".repeat(200)}`],
  ["no HTTP", "hello\r\n\r\n"],
];

for (const [name, answer] of wrongAnswers) {
  test(`load notices ${name}`, async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => socket.write(answer));
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await assert.rejects(sendLoad({ port, host: "x", requests: 10, connections: 2 }), { code: "E_GATE" });
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  });
}

test("slices go there and back in every round, and each round begins with another arm", async () => {
  const order: string[] = [];
  const run = (arm: string): Promise<void> => {
    order.push(arm);
    return Promise.resolve();
  };
  await alternate({ arms: ["a", "b"], rounds: 2, run });
  assert.equal(order.splice(0).join(""), "abbabaab");
  await alternate({ arms: ["a", "b", "c"], rounds: 3, run });
  assert.equal(order.join(""), "abccbabcaacbcabbac");
});
