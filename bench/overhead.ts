// What being observed costs: CPU time per request, at full load, of a server and a client with private listeners (ledgers,
// watcher, metrics, probes) beside a server and a client without. Every block has fresh processes for each of the two, as
// an operator's are; short slices alternate (A B B A), so that a machine that changes its speed does so for both; and a
// block gives one ratio, because two processes of the same code differ. `--control 1` compares what is the same twice, and so
// shows what can be told apart. Example: npm run bench:overhead -- --blocks 90

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Block, Side } from "./harness/compared.ts";
import { comparedColumns, comparedRow, controlChecks, costChecks, informing, pairsOf } from "./harness/compared.ts";
import { FreshArms } from "./harness/fresh-arms.ts";
import { Origin } from "./harness/origin.ts";
import { askedSize } from "./harness/plan.ts";
import type { BenchReport, Check } from "./harness/report.ts";
import { publish, reportOf } from "./harness/report.ts";
import type { Pair, Ratio } from "./harness/statistics.ts";
import { signedRankRatio } from "./harness/statistics.ts";

/** How much is measured. */
export interface OverheadPlan extends Readonly<Record<string, number>> {
  /** Fresh processes: what was compiled in which order is luck. The arms start in turns. */
  readonly blocks: number;
  /** How often A B B A is measured in a block. */
  readonly rounds: number;
  /** Requests of each slice. */
  readonly requests: number;
  readonly connections: number;
  /** Requests of each arm before its first slice, until the code is compiled. */
  readonly warm: number;
  /** 1: both arms are without. */
  readonly control: number;
}

/** The whole measurement, and a form of seconds that only proves that the bench runs. */
export const overheadPlans: { readonly standard: OverheadPlan; readonly quick: OverheadPlan } = {
  standard: { blocks: 90, rounds: 20, requests: 250, connections: 64, warm: 10_000, control: 0 },
  quick: { blocks: 2, rounds: 2, requests: 150, connections: 8, warm: 100, control: 0 },
};
const sides = ["server", "client", "both"] as const;

/** Measures. */
export async function overhead(plan: OverheadPlan): Promise<BenchReport> {
  await using origin = await Origin.start();
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  try {
    const blocks: Block<"without" | "with">[] = [];
    const base = { origin: origin.port, folder, connections: plan.connections, admin: false };
    const arms = { without: base, with: { ...base, admin: plan.control === 0 } };
    for (let block = 0; block < plan.blocks; block += 1) {
      await using fresh = await FreshArms.start({ arms, turned: block % 2 === 1 });
      await fresh.together((tunnel) => tunnel.send(plan.warm));
      blocks.push(await fresh.costs(plan));
    }
    return report(plan, blocks);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(plan: OverheadPlan, blocks: readonly Block<"without" | "with">[]): BenchReport {
  const pairs = (side: Side): Pair[] => pairsOf(blocks, { base: "without", other: "with", side });
  const both = signedRankRatio(pairs("both"));
  return reportOf({
    bench: plan.control === 0 ? "overhead" : "overhead, control",
    plan,
    columns: ["CPU us per request", ...comparedColumns],
    rows: sides.map((side) => comparedRow(side, pairs(side))),
    checks: [
      ...checksOf(plan, both, ""),
      // The goal is of both ends together: what one pays, the other may get back.
      ...informing([
        ...checksOf(plan, signedRankRatio(pairs("server")), ", of the server"),
        ...checksOf(plan, signedRankRatio(pairs("client")), ", of the client"),
      ]),
    ],
    data: { blocks, ratio: both },
  });
}

function checksOf(plan: OverheadPlan, ratio: Ratio, whose: string): Check[] {
  if (plan.control !== 0) return controlChecks(ratio, whose);
  return costChecks(`what being observed costs${whose}`, ratio, { cost: 1, upper: 3 });
}

if (process.argv[1] === import.meta.filename) {
  const { plan, format } = askedSize(overheadPlans);
  publish(await overhead(plan), format);
}
