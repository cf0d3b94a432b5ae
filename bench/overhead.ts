// What being observed costs: CPU time per request, at full load, of a server and a client with private listeners (ledgers,
// watcher, metrics, probes) beside a pair without in the same two processes: between processes the same code differs by
// more than what is looked for. Example: npm run bench:overhead -- --blocks 20

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Origin } from "./harness/origin.ts";
import { askedPlan } from "./harness/plan.ts";
import type { BenchReport, Row } from "./harness/report.ts";
import { figure, publish, reportOf } from "./harness/report.ts";
import { interleave } from "./harness/rounds.ts";
import type { Pair, Ratio } from "./harness/statistics.ts";
import { pairedRatio, spreadOf } from "./harness/statistics.ts";
import type { CpuPerRequest } from "./harness/tunnel-under-test.ts";
import { TunnelUnderTest } from "./harness/tunnel-under-test.ts";

/** How much is measured. */
export interface OverheadPlan extends Readonly<Record<string, number>> {
  /** Fresh processes: what was compiled in which order is luck as well. Their arms start in turns. */
  readonly blocks: number;
  /** Rounds of each arm. */
  readonly rounds: number;
  readonly requests: number;
  readonly connections: number;
  /** Requests of each arm before its first round, until the code is compiled. */
  readonly warm: number;
  readonly seed: number;
}

const standard: OverheadPlan = { blocks: 16, rounds: 24, requests: 2_500, connections: 32, warm: 15_000, seed: 1 };
const arms = ["without", "with"] as const;
type Arm = (typeof arms)[number];
/** Both arms warm up in turns, as they are measured. */
const warmParts = 5;
const sides = ["server", "client", "both"] as const;
type Side = (typeof sides)[number];
type Block = Readonly<Record<Arm, readonly CpuPerRequest[]>>;

/** Measures. */
export async function overhead(plan: OverheadPlan): Promise<BenchReport> {
  await using origin = await Origin.start();
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  try {
    const blocks: Block[] = [];
    for (let block = 0; block < plan.blocks; block += 1)
      blocks.push(await measureBlock(plan, { origin, folder, block }));
    return report(plan, blocks);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureBlock(
  plan: OverheadPlan,
  ground: { readonly origin: Origin; readonly folder: string; readonly block: number },
): Promise<Block> {
  const { origin, folder, block } = ground;
  const observedFirst = block % 2 === 1;
  await using first = await TunnelUnderTest.start({ origin: origin.port, folder, admin: observedFirst });
  const second = await first.beside({ admin: !observedFirst });
  const tunnels = observedFirst ? { without: second, with: first } : { without: first, with: second };
  for (let part = 0; part < warmParts; part += 1) {
    for (const arm of arms) await tunnels[arm].measure({ ...plan, requests: Math.ceil(plan.warm / warmParts) });
  }
  const costs: Record<Arm, CpuPerRequest[]> = { without: [], with: [] };
  await interleave({
    arms,
    rounds: plan.rounds,
    seed: plan.seed + block,
    measure: async (arm) => {
      const cost = await tunnels[arm].measure(plan);
      costs[arm].push(cost);
      return cost.server + cost.client;
    },
  });
  return costs;
}

function report(plan: OverheadPlan, blocks: readonly Block[]): BenchReport {
  const rows = sides.map((side) => rowOf(blocks, side));
  const both = ratioOf(blocks, "both");
  return reportOf({
    bench: "overhead",
    plan,
    columns: ["CPU us per request", "without", "with", "costs", "95 % interval"],
    rows,
    checks: [
      { what: "what being observed costs, in % of CPU", value: (both.ratio - 1) * 100, below: 1 },
      { what: "its upper 95 % limit, in %", value: (both.upper - 1) * 100, below: 3 },
    ],
    data: { blocks, ratio: both },
  });
}

function rowOf(blocks: readonly Block[], side: Side): Row {
  const { ratio, lower, upper } = ratioOf(blocks, side);
  const ofArm = (arm: Arm): string =>
    spreadText(blocks.flatMap((block) => block[arm].map((cost) => ofSide(cost, side))));
  return [side, ofArm("without"), ofArm("with"), percent(ratio), `${percent(lower)} to ${percent(upper)}`];
}

/** One pair per block, its medians: rounds of one process are no independent evidence. */
function ratioOf(blocks: readonly Block[], side: Side): Ratio {
  const median = (costs: readonly CpuPerRequest[]): number => spreadOf(costs.map((cost) => ofSide(cost, side))).median;
  const pairs: Pair[] = blocks.map((block) => ({ base: median(block.without), other: median(block.with) }));
  return pairedRatio(pairs);
}

function ofSide(cost: CpuPerRequest, side: Side): number {
  return side === "both" ? cost.server + cost.client : cost[side];
}

function spreadText(values: readonly number[]): string {
  const { median, lowerQuartile, upperQuartile } = spreadOf(values);
  return `${figure(median)} (${figure(lowerQuartile)} to ${figure(upperQuartile)})`;
}

function percent(ratio: number): string {
  return Number.isFinite(ratio) ? `${((ratio - 1) * 100).toFixed(2)} %` : "unknown";
}

if (process.argv[1] === import.meta.filename) {
  const { plan, format } = askedPlan(standard);
  publish(await overhead(plan), format);
}
