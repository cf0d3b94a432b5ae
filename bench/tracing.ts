// What tracing costs: CPU time per request, at full load, of a server and a client: ready for an SDK that is not there,
// recording a hundredth of the requests, and recording all, each beside a pair of roles in the same processes that is not
// traced. The sending of the spans is part of it.
// Example: npm run bench:tracing -- --blocks 12

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CaissonError } from "../src/lifecycle/errors.ts";
import { Collector } from "./harness/collector.ts";
import { Origin } from "./harness/origin.ts";
import { askedPlan } from "./harness/plan.ts";
import type { BenchReport, Row } from "./harness/report.ts";
import { figure, publish, reportOf } from "./harness/report.ts";
import { interleave } from "./harness/rounds.ts";
import type { Pair, Ratio } from "./harness/statistics.ts";
import { pairedRatio, spreadOf } from "./harness/statistics.ts";
import { TunnelUnderTest } from "./harness/tunnel-under-test.ts";

/** How much is measured. */
export interface TracingPlan extends Readonly<Record<string, number>> {
  /** Fresh sets of processes: what a process is by luck is not what tracing costs. */
  readonly blocks: number;
  /** Rounds of each set. */
  readonly rounds: number;
  /** Of each round, at whose end spans are sent: enough for as many spans at once as the SDK sends on a busy server. */
  readonly requests: number;
  readonly connections: number;
  /** Requests of each pair before its first round, until the code is compiled. */
  readonly warm: number;
  readonly seed: number;
}

const standard: TracingPlan = { blocks: 12, rounds: 4, requests: 10_000, connections: 32, warm: 15_000, seed: 1 };
const arms = ["off", "no SDK", "untraced", "1 %", "all"] as const;
type Arm = (typeof arms)[number];
type Block = Readonly<Record<Arm, readonly number[]>>;

/** Measures. */
export async function tracing(plan: TracingPlan): Promise<BenchReport> {
  await using origin = await Origin.start();
  await using collector = await Collector.start();
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  try {
    const blocks: Block[] = [];
    for (let block = 0; block < plan.blocks; block += 1) {
      const ground = { origin: origin.port, folder, endpoint: collector.url };
      blocks.push(await measureBlock({ ...plan, seed: plan.seed + block }, ground));
    }
    if (collector.answered === 0) throw new CaissonError("E_GATE", "no span was ever sent");
    return report(plan, blocks);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Ground {
  readonly origin: number;
  readonly folder: string;
  readonly endpoint: string;
}

async function measureBlock(plan: TracingPlan, { origin, folder, endpoint }: Ground): Promise<Block> {
  const base = { origin, folder, admin: false };
  await using off = await TunnelUnderTest.start({ ...base, tracing: { ratio: 0 } });
  await using untraced = await TunnelUnderTest.start({ ...base, tracing: { endpoint, ratio: 0 } });
  const tunnels: Readonly<Record<Arm, TunnelUnderTest>> = {
    off,
    "no SDK": await off.beside({ admin: false, tracing: undefined }),
    untraced,
    "1 %": await untraced.beside({ admin: false, tracing: { endpoint, ratio: 0.01 } }),
    all: await untraced.beside({ admin: false, tracing: { endpoint, ratio: 1 } }),
  };
  for (const arm of arms) await tunnels[arm].measure({ ...plan, requests: plan.warm });
  return await interleave({
    arms,
    rounds: plan.rounds,
    seed: plan.seed,
    measure: async (arm) => {
      const cost = await tunnels[arm].measure(plan);
      return cost.server + cost.client;
    },
  });
}

function report(plan: TracingPlan, blocks: readonly Block[]): BenchReport {
  const ratios = {
    none: ratioOf(blocks, "off", "no SDK"),
    few: ratioOf(blocks, "untraced", "1 %"),
    all: ratioOf(blocks, "untraced", "all"),
  };
  return reportOf({
    bench: "tracing",
    plan,
    columns: ["tracing", "CPU us per request, both ends", "costs", "95 % interval"],
    rows: [
      ["off", spreadText(blocks, "off"), "", ""],
      rowOf(blocks, "no SDK", ratios.none),
      ["SDK, untraced", spreadText(blocks, "untraced"), "", ""],
      rowOf(blocks, "1 %", ratios.few),
      rowOf(blocks, "all", ratios.all),
    ],
    checks: [
      { what: "what being traceable costs, in % of CPU", value: percent(ratios.none.ratio), below: 1 },
      { what: "its upper 95 % limit, in %", value: percent(ratios.none.upper), below: 3 },
      { what: "what recording 1 % costs, in % of CPU", value: percent(ratios.few.ratio), below: 3 },
      { what: "its upper 95 % limit, in %", value: percent(ratios.few.upper), below: 5 },
    ],
    data: { blocks, ratios },
  });
}

function rowOf(blocks: readonly Block[], arm: Arm, { ratio, lower, upper }: Ratio): Row {
  return [arm, spreadText(blocks, arm), percentText(ratio), `${percentText(lower)} to ${percentText(upper)}`];
}

/** One pair per block, its medians: rounds of one process are no independent evidence. */
function ratioOf(blocks: readonly Block[], base: Arm, other: Arm): Ratio {
  const median = (block: Block, arm: Arm): number => spreadOf(block[arm]).median;
  const pairs: Pair[] = blocks.map((block) => ({ base: median(block, base), other: median(block, other) }));
  return pairedRatio(pairs);
}

function spreadText(blocks: readonly Block[], arm: Arm): string {
  const { median, lowerQuartile, upperQuartile } = spreadOf(blocks.flatMap((block) => block[arm]));
  return `${figure(median)} (${figure(lowerQuartile)} to ${figure(upperQuartile)})`;
}

function percent(ratio: number): number {
  return (ratio - 1) * 100;
}

function percentText(ratio: number): string {
  return Number.isFinite(ratio) ? `${percent(ratio).toFixed(2)} %` : "unknown";
}

if (process.argv[1] === import.meta.filename) {
  const { plan, format } = askedPlan(standard);
  publish(await tracing(plan), format);
}
