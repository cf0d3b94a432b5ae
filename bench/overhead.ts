// What being observed costs: CPU time per request, at full load, of a server and a client with private listeners (ledgers,
// watcher, metrics, probes) beside a pair without in the same two processes: between processes the same code differs by
// more than what is looked for. Short slices alternate (A B B A), and medians are taken twice, within a block and of all
// blocks, so that what else the machine does in between moves nothing. Example: npm run bench:overhead -- --blocks 40

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Origin } from "./harness/origin.ts";
import { askedPlan } from "./harness/plan.ts";
import type { BenchReport, Row } from "./harness/report.ts";
import { figure, publish, reportOf } from "./harness/report.ts";
import { alternate } from "./harness/rounds.ts";
import type { Pair, Ratio } from "./harness/statistics.ts";
import { medianRatio, spreadOf } from "./harness/statistics.ts";
import type { CpuPerRequest } from "./harness/tunnel-under-test.ts";
import { TunnelUnderTest } from "./harness/tunnel-under-test.ts";

/** How much is measured. */
export interface OverheadPlan extends Readonly<Record<string, number>> {
  /** Fresh processes: what was compiled in which order is luck as well. Their arms start in turns. */
  readonly blocks: number;
  /** How often A B B A is measured in a block. */
  readonly rounds: number;
  /** Requests of each slice. */
  readonly requests: number;
  readonly connections: number;
  /** Requests of each arm before its first slice, until the code is compiled. */
  readonly warm: number;
}

const standard: OverheadPlan = { blocks: 40, rounds: 6, requests: 2_000, connections: 32, warm: 8_000 };
const arms = ["without", "with"] as const;
type Arm = (typeof arms)[number];
/** Both arms warm up in turns, as they are measured. */
const warmRounds = 2;
const sides = ["server", "client", "both"] as const;
type Side = (typeof sides)[number];
/** The slices of each arm, two per round. */
type Block = Readonly<Record<Arm, readonly CpuPerRequest[]>>;

/** Measures. */
export async function overhead(plan: OverheadPlan): Promise<BenchReport> {
  await using origin = await Origin.start();
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  try {
    const blocks: Block[] = [];
    for (let block = 0; block < plan.blocks; block += 1)
      blocks.push(await measureBlock(plan, { origin, folder, turned: block % 2 === 1 }));
    return report(plan, blocks);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureBlock(
  plan: OverheadPlan,
  ground: { readonly origin: Origin; readonly folder: string; readonly turned: boolean },
): Promise<Block> {
  const { origin, folder, turned } = ground;
  await using first = await TunnelUnderTest.start({ origin: origin.port, folder, admin: turned });
  const second = await first.beside({ admin: !turned });
  const tunnels = turned ? { without: second, with: first } : { without: first, with: second };
  const warm = { ...plan, requests: Math.ceil(plan.warm / (2 * warmRounds)) };
  await alternate({ arms, rounds: warmRounds, turned, measure: (arm) => tunnels[arm].measure(warm) });
  return await alternate({ arms, rounds: plan.rounds, turned, measure: (arm) => tunnels[arm].measure(plan) });
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

/** One ratio per block, the median of its rounds: those of one process are no independent evidence. */
function ratioOf(blocks: readonly Block[], side: Side): Ratio {
  return medianRatio(blocks.map((block) => ({ base: 1, other: medianRatio(roundsOf(block, side)).ratio })));
}

/** What the two slices of each arm cost together, round by round. */
function roundsOf(block: Block, side: Side): Pair[] {
  const sums = (costs: readonly CpuPerRequest[]): number[] =>
    costs.flatMap((cost, at) => {
      const next = costs[at + 1];
      return at % 2 === 0 && next ? [ofSide(cost, side) + ofSide(next, side)] : [];
    });
  const base = sums(block.without);
  return sums(block.with).map((other, round) => ({ base: base[round] ?? 0, other }));
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
