import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SeededRandom } from "../../../bench/gate/seeded-random.ts";
import type { Verdict } from "../../../bench/gate/verdict/finding.ts";
import type { JudgeOptions } from "../../../bench/gate/verdict/judging.ts";
import type { Sample } from "../../../bench/gate/verdict/sample.ts";
import { betweenIdleMs, idleCouldTell } from "../../../bench/gate/verdict/idle-growth.ts";
import { judge } from "../../../bench/gate/verdict/verdict.ts";
import { arrayBytes, gaussian, kind, memory, quietSample, run, setBytes, usual, type Layout } from "./synthetic.ts";

const node24: JudgeOptions = { nodeMajor: 24, final: false };

function judged(
  change: (connections: number, round: number) => Partial<Sample>,
  options: JudgeOptions = node24,
): Verdict {
  return judge(run(usual, change), options);
}

function heap(bytesAfter: (connections: number, round: number) => number, deviation = 700): Verdict {
  const random = new SeededRandom(9);
  return judged((connections, round) => ({
    memory: memory(Math.round(bytesAfter(connections, round) + deviation * gaussian(random))),
  }));
}

function namesOf(verdict: Verdict): string[] {
  return verdict.findings.map(({ ledger, subject }) => `${ledger} ${subject}`);
}

describe("exact counts", () => {
  test("a run in which nothing moves is clean, with nothing to say", () => {
    const verdict = judged(() => ({}));
    assert.equal(verdict.outcome, "clean");
    assert.deepEqual([verdict.findings, verdict.warnings, verdict.doubts], [[], [], []]);
    assert.equal(verdict.connections, 4000);
    assert.equal(verdict.rounds, 40);
  });

  test("entries that stay after the close are held, one per connection, since the first round", () => {
    const verdict = judged((connections) => ({
      kinds: { session: kind({ opened: connections, closed: connections, live: 0, held: connections }) },
    }));
    assert.equal(verdict.outcome, "leak");
    assert.deepEqual(namesOf(verdict), ["held session"]);
    assert.equal(verdict.findings[0]?.perConnection, 1);
    assert.equal(verdict.findings[0]?.sinceRound, 1);
    assert.match(verdict.findings[0]?.text ?? "", /session.*since round 1\./);
  });

  test("a contradiction of two ledgers counts even if it never grows, once it persists", () => {
    const late = (from: number): Verdict =>
      judged((_, round) => ({ kinds: { session: kind({ live: 0, held: round >= from ? 1 : 0 }) } }));
    assert.deepEqual(namesOf(late(20)), ["held session"]);
    assert.equal(late(20).findings[0]?.sinceRound, 20);
    assert.equal(late(46).outcome, "undecided");
  });

  test("where a leak is certain, a contradiction names it however few samples there were", () => {
    const short = { warmup: 2, rounds: 1, size: 100 };
    const samples = run(short, (connections) => ({
      kinds: { session: kind({ opened: connections, closed: connections, held: connections, retained: connections }) },
    }));
    const { outcome, findings, doubts } = judge(samples, { nodeMajor: 20, final: true });
    assert.equal(outcome, "leak");
    assert.deepEqual(
      findings.map(({ ledger, subject }) => `${ledger} ${subject}`),
      ["held session", "alive session"],
    );
    assert.ok(!doubts.some(({ ledger }) => ledger === "held"));
  });

  test("what is open and in no container is a ghost", () => {
    const verdict = judged((_, round) => ({ kinds: { session: kind({ live: round, held: 0 }) } }));
    assert.deepEqual(namesOf(verdict), ["live session"]);
    assert.match(verdict.findings[0]?.text ?? "", /no container refers to/);
  });

  test("one in a hundred that is never closed is found", () => {
    const verdict = judged((_, round) => ({ kinds: { exchange: kind({ live: round, held: round }) } }));
    assert.deepEqual(namesOf(verdict), ["live exchange"]);
    assert.match(verdict.findings[0]?.text ?? "", /one in 100/);
  });

  test("what the collector took before its close is named", () => {
    const verdict = judged((_, round) => ({
      kinds: {
        stream: kind({ live: round > 30 ? 2 : 0, held: round > 30 ? 2 : 0, collectedUnclosed: round > 30 ? 2 : 0 }),
      },
    }));
    assert.deepEqual(namesOf(verdict), ["live stream"]);
    assert.match(verdict.findings[0]?.text ?? "", /collected without ever having been closed/);
  });

  test("a single retained resource is a leak, with the exact number", () => {
    const verdict = judged((_, round) => ({ kinds: { session: kind({ retained: round > 12 ? 13 : 0 }) } }));
    assert.deepEqual(namesOf(verdict), ["alive session"]);
    assert.match(verdict.findings[0]?.text ?? "", /^Exactly 13 closed/);
    assert.equal(verdict.findings[0]?.sinceRound, 13);
  });

  test("uncollected resources that only wait are no leak; ever more of them are", () => {
    assert.equal(
      judged((_, round) => ({ kinds: { session: kind({ uncollected: (round % 3) * 5 }) } })).outcome,
      "clean",
    );
    const growing = judged((connections) => ({ kinds: { session: kind({ uncollected: connections }) } }));
    assert.deepEqual(namesOf(growing), ["alive session"]);
  });

  const counts: Record<string, { name: string; change: (count: number) => Partial<Sample> }> = {
    fds: { name: "fds socket", change: (count) => ({ fds: { socket: 4 + count } }) },
    handles: { name: "handles Timeout", change: (count) => ({ handles: { Timeout: count } }) },
    listeners: { name: "listeners ws message", change: (count) => ({ listeners: { "ws message": count } }) },
    probes: { name: "probe server.names", change: (count) => ({ probes: { "server.names": count } }) },
    objects: { name: "objects Proxy", change: (count) => ({ objects: { Proxy: count } }) },
    series: { name: "series series of /metrics", change: (count) => ({ series: 300 + count }) },
    operations: {
      name: "operations name claim pending",
      change: (pending) => ({ operations: { "name claim": { pending, abandoned: 0, oldestMs: 5 } } }),
    },
  };
  for (const [ledger, { name, change }] of Object.entries(counts)) {
    test(`${ledger} that grow by connection are a leak`, () => {
      const verdict = judged((connections) => change(connections / 2));
      assert.deepEqual(namesOf(verdict), [name]);
      assert.equal(verdict.findings[0]?.perConnection, 0.5);
    });
    test(`${ledger} that reach a cap are no leak`, () => {
      const verdict = judged((connections) => change(Math.min(1000, connections)));
      assert.equal(verdict.outcome, "clean");
    });
  }

  test("what grows for a short while only asks for more rounds, until there are none", () => {
    const short: Layout = { warmup: 2, rounds: 10, size: 100 };
    const samples = run(short, (connections) => ({ probes: { cache: connections } }));
    assert.equal(judge(samples, node24).outcome, "undecided");
    assert.deepEqual(namesOf(judge(samples, { ...node24, final: true })), ["probe cache"]);
  });

  test("a run that was cut short is as patient at its end as before", () => {
    const cut = { ...node24, final: true, keepsPatience: true };
    const short: Layout = { warmup: 2, rounds: 10, size: 100 };
    const filling = run(short, (connections) => ({ probes: { cache: connections } }));
    assert.equal(judge(filling, cut).outcome, "undecided");
    assert.match(judge(filling, cut).doubts[0]?.text ?? "", /fills up to a limit/);
    // What does not fill up is as certain as ever, and so is what was measured for long enough.
    const kept = run(short, (connections) => ({
      kinds: { session: kind({ opened: connections, held: connections }) },
    }));
    assert.equal(judge(kept, cut).outcome, "leak");
    const slot = run({ warmup: 4, rounds: 20, size: 100 }, (connections) => ({
      containers: { "Array of number": connections },
    }));
    assert.deepEqual(namesOf(judge(slot.slice(0, -1), cut)), []);
    assert.deepEqual(namesOf(judge(slot, cut)), ["probe Array of number"]);
  });

  test("a handful of things more, one now and then, is told as a warning; one in a hundred is a leak", () => {
    const objects = (more: (round: number) => number): Verdict =>
      judged((_, round) => ({ objects: { MessagePort: 3 + more(round) } }), { ...node24, final: true });
    const few = objects((round) => Math.floor(round / 10));
    assert.equal(few.outcome, "clean");
    assert.equal(few.warnings[0]?.subject, "MessagePort");
    assert.deepEqual(namesOf(objects((round) => round)), ["objects MessagePort"]);
    const rare = run({ warmup: 4, rounds: 10, size: 60 }, (connections) => ({
      kinds: { session: kind({ uncollected: Math.floor(connections / 100) }) },
    }));
    assert.deepEqual(namesOf(judge(rare, { ...node24, final: true })), ["alive session"]);
  });

  test("at the end one step early in the run and a little at its very end only warn, steps that add up do not", () => {
    const steps = (...late: readonly number[]): Verdict =>
      judged(
        (_, round) => ({ objects: { Object: 6700 + (round > 8 ? 30 : 0) + (late[round - (47 - late.length)] ?? 0) } }),
        { ...node24, final: true },
      );
    assert.equal(steps(3).outcome, "clean");
    assert.equal(steps(3).warnings[0]?.subject, "Object");
    assert.notEqual(steps(...Array.from({ length: 25 }, (_, late) => 3 * late)).outcome, "clean");
  });

  test("a count that swings is no doubt for ever, and one in fifty is a leak under the same swings", () => {
    const random = new SeededRandom(21);
    let clean = 0;
    for (let trial = 0; trial < 100; trial++) {
      const swing = (): number => Math.floor(16 * random.next() ** 3);
      const healthy = (_: number, round: number): Partial<Sample> => ({
        objects: { Object: 6700 + (round > 7 ? 30 : 0) + swing() },
      });
      const leaky = (connections: number): Partial<Sample> => ({
        objects: { Object: 6700 + Math.floor(connections / 50) + swing() },
      });
      if (judged(healthy, { ...node24, final: true }).outcome === "clean") clean++;
      assert.equal(judged(leaky, { ...node24, final: true }).outcome, "leak", `trial ${trial}`);
    }
    assert.ok(clean >= 95, `${clean} of 100`);
  });

  test("a process without ledgers is watched for longer than its longest usual timer", () => {
    const samples = run({ warmup: 0, rounds: 20, size: 200 }, (connections) => ({
      kinds: undefined,
      handles: { Timeout: connections },
    }));
    assert.equal(judge(samples, node24).outcome, "undecided");
    assert.equal(judge(samples, { ...node24, patienceMs: 10_000 }).outcome, "leak");
  });

  test("without connections growth is counted by request", () => {
    const samples = run(usual, (connections) => ({
      connections: 7,
      requests: connections,
      handles: { Timeout: connections },
    }));
    const verdict = judge(samples, node24);
    assert.deepEqual(namesOf(verdict), ["handles Timeout"]);
    assert.match(verdict.findings[0]?.text ?? "", /1 per request/);
  });
});

describe("memory", () => {
  test("flat, saw-tooth, decay and warm-up are clean", () => {
    assert.equal(heap(() => 0).outcome, "clean");
    assert.equal(heap((_, round) => (round % 4) * 3000).outcome, "clean");
    assert.equal(heap((connections) => 400_000 * Math.exp(-connections / 500)).outcome, "clean");
    assert.equal(heap((connections) => 300_000 * (1 - Math.exp(-connections / 100))).outcome, "clean");
  });

  test("a ramp of eight bytes is a leak, with its interval and round", () => {
    const verdict = heap((connections) => 8 * connections);
    assert.deepEqual(namesOf(verdict), ["heap old_space"]);
    const [finding] = verdict.findings;
    assert.ok(finding?.interval !== undefined);
    assert.ok(finding.interval[0] > 7 && finding.interval[1] < 9, finding.text);
    assert.ok(finding.sinceRound <= 12, finding.text);
  });

  test("a single step is never a leak", () => {
    for (const at of [10, 20, 26, 40]) {
      const { outcome } = heap((_, round) => (round > at ? 200_000 : 0), 50);
      assert.notEqual(outcome, "leak", `step after round ${at}`);
    }
  });

  test("slow saturation is never a leak", () => {
    for (const constant of [300, 600, 1000]) {
      const { outcome } = heap((connections) => 200_000 * (1 - Math.exp(-connections / constant)));
      assert.notEqual(outcome, "leak", `constant ${constant}`);
    }
  });

  test("noise is undecided, says what was seen, and never a leak", () => {
    const verdict = heap(() => 0, 60_000);
    assert.equal(verdict.outcome, "undecided");
    assert.match(verdict.doubts[0]?.text ?? "", /neither ruled out nor certain/);
    const random = new SeededRandom(77);
    for (let trial = 0; trial < 60; trial++) {
      const deviation = 500 * (1 + random.below(200));
      const samples = run(usual, () => ({ memory: memory(Math.round(deviation * gaussian(random))) }));
      assert.notEqual(judge(samples, { ...node24, final: true }).outcome, "leak", `deviation ${deviation}`);
    }
  });

  test("Node 20 is allowed its own slope", () => {
    const samples = run(usual, (connections) => ({ memory: memory(5 * connections) }));
    assert.equal(judge(samples, { nodeMajor: 20, final: false }).outcome, "clean");
    assert.equal(judge(samples, { nodeMajor: 24, final: false }).outcome, "leak");
    assert.equal(judge(samples, { nodeMajor: 24, final: false, heapTolerance: 10 }).outcome, "clean");
  });

  test("with the default JIT the heap only warns", () => {
    const samples = run(usual, (connections) => ({ memory: memory(50 * connections) }));
    const verdict = judge(samples, { nodeMajor: 24, final: true, heapGates: false });
    assert.equal(verdict.outcome, "clean");
    assert.match(verdict.warnings[0]?.text ?? "", /default JIT/);
    assert.equal(verdict.slopes.find(({ series }) => series === "heapUsed")?.outcome, "not judged");
  });

  test("pinned slabs are external memory, named once; resident memory only warns", () => {
    const pinned = run(usual, (connections) => ({
      memory: { ...memory(0), external: 2_000_000 + 8192 * connections, arrayBuffers: 8192 * connections },
    }));
    assert.deepEqual(namesOf(judge(pinned, node24)), ["external arrayBuffers"]);
    const resident = judged((connections) => ({ memory: { ...memory(0), rss: 90_000_000 + 10_000 * connections } }));
    assert.equal(resident.outcome, "clean");
    assert.equal(resident.warnings[0]?.ledger, "rss");
  });

  test("a flat heap after too few connections proves nothing", () => {
    const samples = run({ warmup: 40, rounds: 20, size: 100 }, () => ({}));
    assert.equal(judge(samples, node24).outcome, "undecided");
    const last = judge(samples, { ...node24, final: true });
    assert.equal(last.outcome, "clean");
    assert.match(last.warnings[0]?.text ?? "", /grows in steps/);
  });

  test("no samples are undecided, not clean", () => {
    assert.equal(judge([], { ...node24, final: true }).outcome, "undecided");
  });
});

// The long form, with more noise and layouts, is scripts/estimator-simulation.ts.
describe("containers that grow in steps, over their alignments to the warm-up", () => {
  const random = new SeededRandom(2);
  const shifts = Array.from({ length: 60 }, (_, index) => index * 20 - 600);
  const kept = { "array slot": arrayBytes, "set entry": setBytes };
  for (const [nodeMajor, clean] of [
    [20, 1.4],
    [24, 0],
  ] as const) {
    for (const [name, bytesAfter] of Object.entries(kept)) {
      test(`${name} on Node ${nodeMajor}: found in 95 of 100 runs, never called clean`, () => {
        let found = 0;
        for (const shift of shifts) {
          const samples = run(usual, (connections) => ({
            memory: memory(
              bytesAfter(Math.max(0, connections + shift)) + clean * connections + Math.round(700 * gaussian(random)),
            ),
          }));
          const { outcome } = judge(samples, { nodeMajor, final: false });
          assert.notEqual(outcome, "clean", `shift ${shift}`);
          if (outcome === "leak") found++;
        }
        assert.ok(found >= 0.95 * shifts.length, `${found} of ${shifts.length}`);
      });
    }
  }
});

describe("what grows although nobody comes", () => {
  /** Readings without work: `change` is told how many there were before. */
  const idleOf = (change: (reading: number) => Partial<Sample>): Sample[] =>
    Array.from({ length: 6 }, (_, reading) =>
      quietSample(46, { connections: 4600, atMs: 46 * 1500 + reading * 700, ...change(reading) }),
    );
  const ring = (entries: number): Partial<Sample> => ({
    containers: { "Sampler.ring": entries },
    objects: { Session: 0, Point: entries },
    memory: memory(entries * 50),
  });

  test("is no leak while it may be a ring that fills, by reading or by time", () => {
    const byReading = run(usual, (_, round) => ring(10 * round));
    const accused = judge(byReading, node24);
    assert.equal(accused.outcome, "leak");
    assert.ok(idleCouldTell(accused, { final: false }));
    const idle = idleOf((reading) => ring(460 + 10 * reading));
    const verdict = judge(byReading, { ...node24, idle });
    assert.equal(verdict.outcome, "clean");
    assert.match(verdict.warnings[0]?.text ?? "", /grows without any client too/);
    const byTime = idleOf((reading) => ring(460 + Math.floor(reading * 4.6)));
    assert.equal(judge(byReading, { ...node24, idle: byTime }).outcome, "clean");
  });

  test("a slow ring is read over a longer time, what grows fast is not", () => {
    const everyFiveSeconds = (atMs: number): Partial<Sample> => ({
      containers: { "Sampler.ring": Math.floor(atMs / 5_000) },
    });
    const samples = run(usual, (_, round) => everyFiveSeconds(round * 1_500));
    const accused = judge(samples, node24);
    assert.deepEqual(namesOf(accused), ["probe Sampler.ring"]);
    const betweenMs = betweenIdleMs(accused, samples);
    assert.equal(betweenMs, 6_000);
    const idle = (change: (atMs: number) => Partial<Sample>): Sample[] =>
      Array.from({ length: 6 }, (_, reading) => {
        const atMs = 46 * 1_500 + reading * betweenMs;
        return quietSample(46, { connections: 4_600, atMs, ...change(atMs) });
      });
    assert.equal(judge(samples, { ...node24, idle: idle(everyFiveSeconds) }).outcome, "clean");
    const standing = idle(() => ({ containers: { "Sampler.ring": 13 } }));
    assert.equal(judge(samples, { ...node24, idle: standing }).outcome, "leak");
    const slot = run(usual, (connections) => ({ containers: { "Array of number": connections } }));
    assert.equal(betweenIdleMs(judge(slot, node24), slot), 500);
  });

  test("a heap that grew slowly is read over a longer time, one that grew fast is not", () => {
    const between = (bytes: number): number => {
      const samples = run(usual, (_, round) => ({ memory: memory(bytes * round) }));
      const accused = judge(samples, node24);
      assert.deepEqual(namesOf(accused), ["heap old_space"]);
      return betweenIdleMs(accused, samples);
    };
    assert.ok(between(1_200) > 1_500 && between(1_200) < 2_500, `${between(1_200)} ms`);
    assert.equal(between(20_000), 500);
  });

  test("what grows by connection stands still then, and stays a leak", () => {
    const samples = run(usual, (connections) => ring(connections / 10));
    for (const noise of [0, 1]) {
      const idle = idleOf((reading) => ring(460 + noise * (reading % 2)));
      assert.equal(judge(samples, { ...node24, idle }).outcome, "leak");
    }
  });

  test("what grows by itself further than a ring does is a leak", () => {
    const samples = run(usual, (_, round) => ring(200 * round));
    const idle = idleOf((reading) => ring(9200 + 200 * reading));
    assert.equal(judge(samples, { ...node24, idle }).outcome, "leak");
  });

  test("at the end of a run it says where a doubt comes from, or leaves it", () => {
    const random = new SeededRandom(5);
    const noise = (): number => Math.round(7_000 * gaussian(random));
    const samples = run(usual, (_, round) => ({ memory: memory(400 * round + noise()) }));
    const open = judge(samples, { ...node24, final: false });
    assert.deepEqual([open.outcome, open.doubts.map(({ ledger }) => ledger)], ["undecided", ["heap"]]);
    assert.ok(!idleCouldTell(open, { final: false }), "more rounds may decide it");
    assert.ok(idleCouldTell(open, { final: true }));
    const ending = { ...node24, final: true };
    const growing = idleOf((reading) => ({ memory: memory(18_400 + 400 * reading) }));
    const verdict = judge(samples, { ...ending, idle: growing });
    assert.equal(verdict.outcome, "clean");
    assert.match(verdict.warnings[0]?.text ?? "", /grows without any client too/);
    const little = idleOf((reading) => ({ memory: memory(18_400 + 40 * reading) }));
    assert.equal(judge(samples, { ...ending, idle: little }).outcome, "undecided");
    const standing = idleOf((reading) => ({ memory: memory(18_400 + 60 * (reading % 2)) }));
    assert.equal(judge(samples, { ...ending, idle: standing }).outcome, "undecided");
  });

  test("it excuses nothing else", () => {
    const samples = run(usual, (connections, round) => ({ ...ring(10 * round), fds: { socket: connections } }));
    const idle = idleOf((reading) => ring(460 + 10 * reading));
    assert.ok(!idleCouldTell(judge(samples, node24), { final: true }));
    assert.deepEqual(namesOf(judge(samples, { ...node24, idle })), ["fds socket"]);
  });
});
