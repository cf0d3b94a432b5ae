// What tracing costs: CPU time per request, at full load, of a server and a client: ready for an SDK that is not there,
// recording a hundredth of the requests, and recording all, each beside a server and a client that are told not to trace.
// Every block has fresh processes for each, as an operator's are, and gives one ratio. Recording is warmed as well: every
// arm gets the same first requests, which traced ones record. The sending of the spans is counted. `--control 1` traces
// nowhere, and so shows what can be told apart.
// Example: npm run bench:tracing -- --blocks 70

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CaissonError } from "../src/lifecycle/errors.ts";
import { Collector } from "./harness/collector.ts";
import type { Block } from "./harness/compared.ts";
import { comparedColumns, comparedRow, controlChecks, costChecks, pairsOf } from "./harness/compared.ts";
import { FreshArms } from "./harness/fresh-arms.ts";
import { Origin } from "./harness/origin.ts";
import { askedSize } from "./harness/plan.ts";
import type { BenchReport } from "./harness/report.ts";
import { publish, reportOf } from "./harness/report.ts";
import type { TracingOrder } from "./harness/role-orders.ts";
import type { Pair } from "./harness/statistics.ts";
import { signedRankRatio } from "./harness/statistics.ts";
import type { TunnelOptions } from "./harness/tunnel-under-test.ts";

/** How much is measured. */
export interface TracingPlan extends Readonly<Record<string, number>> {
  /** Fresh processes: what was compiled in which order is luck. The arms start in turns. */
  readonly blocks: number;
  /** Every so many blocks one follows that records all: it is only reported, and needs less evidence. */
  readonly allEvery: number;
  /** How often all arms are measured there and back in a block: a multiple of three treats three alike. */
  readonly rounds: number;
  /** Requests of each slice. */
  readonly requests: number;
  readonly connections: number;
  /** Requests of each arm before its first slice, until the code is compiled. */
  readonly warm: number;
  /** So many more before those, all of which traced arms record. */
  readonly recorded: number;
  /** 1: no arm is traced. */
  readonly control: number;
}

/** What is measured unless told otherwise, and the form of seconds. */
export const tracingPlans: { readonly standard: TracingPlan; readonly quick: TracingPlan } = {
  standard: {
    blocks: 70,
    allEvery: 7,
    rounds: 21,
    requests: 250,
    connections: 64,
    warm: 8_000,
    recorded: 2_000,
    control: 0,
  },
  quick: {
    blocks: 2,
    allEvery: 2,
    rounds: 1,
    requests: 300,
    connections: 8,
    warm: 100,
    recorded: 50,
    control: 0,
  },
};
/** What both are compared with: the default without an SDK, and two shares with one. */
const names = { none: "no SDK", few: "1 %", all: "all" } as const;
const untraced: TracingOrder = { ratio: 0 };

interface Found {
  readonly blocks: readonly Block<"untraced" | "none" | "few">[];
  readonly allBlocks: readonly Block<"untraced" | "all">[];
}

/** Measures. */
export async function tracing(plan: TracingPlan): Promise<BenchReport> {
  await using origin = await Origin.start();
  await using collector = await Collector.start();
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  try {
    const base = { origin: origin.port, folder, connections: plan.connections, admin: false };
    const sdk = (ratio: number): TracingOrder => (plan.control === 0 ? { endpoint: collector.url, ratio } : untraced);
    const without = { ...base, tracing: untraced };
    const arms = {
      untraced: without,
      none: plan.control === 0 ? base : without,
      few: { ...base, tracing: sdk(0.01) },
    };
    const allArms = { untraced: without, all: { ...base, tracing: sdk(1) } };
    const blocks: Found["blocks"][number][] = [];
    const allBlocks: Found["allBlocks"][number][] = [];
    for (let block = 0; block < plan.blocks; block += 1) {
      blocks.push(await measureBlock(plan, { arms, turned: block % 2 === 1 }));
      if (block % plan.allEvery !== 0) continue;
      allBlocks.push(await measureBlock(plan, { arms: allArms, turned: allBlocks.length % 2 === 1 }));
    }
    if (plan.control === 0 && collector.answered === 0) throw new CaissonError("E_GATE", "no span was ever sent");
    return report(plan, { blocks, allBlocks });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureBlock<Arm extends string>(
  plan: TracingPlan,
  options: { readonly arms: Readonly<Record<Arm, TunnelOptions>>; readonly turned: boolean },
): Promise<Block<Arm>> {
  await using fresh = await FreshArms.start(options);
  await fresh.together(async (tunnel) => {
    await tunnel.record("all");
    await tunnel.send(plan.recorded);
    await tunnel.record("share");
    await tunnel.send(plan.warm);
    await tunnel.flush();
  });
  return await fresh.costs(plan);
}

function report(plan: TracingPlan, { blocks, allBlocks }: Found): BenchReport {
  const pairs: Readonly<Record<keyof typeof names, readonly Pair[]>> = {
    none: pairsOf(blocks, { base: "untraced", other: "none", side: "both" }),
    few: pairsOf(blocks, { base: "untraced", other: "few", side: "both" }),
    all: pairsOf(allBlocks, { base: "untraced", other: "all", side: "both" }),
  };
  const ratios = {
    none: signedRankRatio(pairs.none),
    few: signedRankRatio(pairs.few),
    all: signedRankRatio(pairs.all),
  };
  return reportOf({
    bench: plan.control === 0 ? "tracing" : "tracing, control",
    plan,
    columns: ["CPU us per request", ...comparedColumns],
    rows: (["none", "few", "all"] as const).map((arm) => comparedRow(names[arm], pairs[arm])),
    checks:
      plan.control === 0
        ? [
            ...costChecks("what being traceable costs", ratios.none, { cost: 1, upper: 3 }),
            // Without an SDK the same code runs as when told not to trace: a difference is the bench's own.
            ...controlChecks(ratios.none, ", traceable or told not to trace"),
            ...costChecks("what recording 1 % costs", ratios.few, { cost: 3, upper: 5 }),
          ]
        : [...controlChecks(ratios.none), ...controlChecks(ratios.few)],
    data: { blocks, allBlocks, ratios },
  });
}

if (process.argv[1] === import.meta.filename) {
  const { plan, format } = askedSize(tracingPlans);
  publish(await tracing(plan), format);
}
