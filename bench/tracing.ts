// What tracing costs: CPU time per request, at full load, of a server and a client: ready for an SDK that is not there,
// recording a hundredth of the requests, and recording all, each beside a pair of roles in the same processes that is not
// traced. Short slices of two arms alternate (A B B A), so that a machine that changes its speed does so for both. The
// sending of the spans is part of it: it is made to fall between the slices, and is counted by itself.
// Example: npm run bench:tracing -- --blocks 40

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CaissonError } from "../src/lifecycle/errors.ts";
import { Collector } from "./harness/collector.ts";
import { Origin } from "./harness/origin.ts";
import { askedPlan } from "./harness/plan.ts";
import type { BenchReport, Row } from "./harness/report.ts";
import { figure, publish, reportOf } from "./harness/report.ts";
import type { TracingOrder } from "./harness/role-orders.ts";
import { alternate } from "./harness/rounds.ts";
import type { Ratio } from "./harness/statistics.ts";
import { medianRatio, spreadOf } from "./harness/statistics.ts";
import { TunnelUnderTest } from "./harness/tunnel-under-test.ts";

/** How much is measured. */
export interface TracingPlan extends Readonly<Record<string, number>> {
  /** Fresh sets of processes, each of which gives one pair of figures: what a process is by luck is not what tracing costs. */
  readonly blocks: number;
  /** How often A B B A is measured in a block. */
  readonly rounds: number;
  /** Requests of each of its four slices. With 1 % recorded, all slices of a block should make no more than 512 spans. */
  readonly requests: number;
  readonly connections: number;
  /** Requests of each pair before its first slice, until the code is compiled. */
  readonly warm: number;
}

const standard: TracingPlan = { blocks: 40, rounds: 3, requests: 2_000, connections: 32, warm: 6_000 };
/** What is compared with a pair of roles that is told not to trace: the default without an SDK, and two shares with one. */
const names = { none: "no SDK", few: "1 %", all: "all" } as const;

/** Two arms beside each other, in microseconds per request. */
interface Beside {
  readonly base: number;
  readonly other: number;
}

type Block = Readonly<Record<keyof typeof names, Beside>>;

/** Measures. */
export async function tracing(plan: TracingPlan): Promise<BenchReport> {
  await using origin = await Origin.start();
  await using collector = await Collector.start();
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  try {
    const blocks: Block[] = [];
    for (let block = 0; block < plan.blocks; block += 1) {
      const bench = new BlockBench(plan, {
        origin: origin.port,
        folder,
        endpoint: collector.url,
        turned: block % 2 === 1,
      });
      blocks.push(await bench.measure());
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
  /** The other arm first: who comes first in a process may be the faster one for that alone. */
  readonly turned: boolean;
}

/** One set of processes after the other: without an SDK, and with one. */
class BlockBench {
  readonly #plan: TracingPlan;
  readonly #ground: Ground;

  constructor(plan: TracingPlan, ground: Ground) {
    this.#plan = plan;
    this.#ground = ground;
  }

  async measure(): Promise<Block> {
    const { endpoint } = this.#ground;
    const none = await this.#withArms([{ ratio: 0 }, undefined], async ([off, ready]) => this.#compare(off, ready));
    const arms = [
      { endpoint, ratio: 0 },
      { endpoint, ratio: 0.01 },
      { endpoint, ratio: 1 },
    ] as const;
    return await this.#withArms(arms, async ([untraced, hundredth, whole]) => ({
      none,
      few: await this.#compare(untraced, hundredth),
      all: await this.#compare(untraced, whole),
    }));
  }

  /** Starts a tunnel per arm, all in one pair of processes, warms them, and ends them afterwards. */
  async #withArms<const Arms extends readonly (TracingOrder | undefined)[], T>(
    arms: Arms,
    use: (tunnels: { readonly [Index in keyof Arms]: TunnelUnderTest }) => Promise<T>,
  ): Promise<T> {
    const { origin, folder, turned } = this.#ground;
    const order = arms.map((_, index) => index);
    if (turned) order.reverse();
    const base = { origin, folder, admin: false };
    await using host = await TunnelUnderTest.start({ ...base, tracing: arms[order[0] ?? 0] });
    const tunnels = arms.map(() => host);
    for (const index of order.slice(1)) tunnels[index] = await host.beside({ admin: false, tracing: arms[index] });
    for (const index of order) await tunnels[index]?.measure({ ...this.#plan, requests: this.#plan.warm });
    await host.flush();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a mapped tuple: one tunnel per arm
    return await use(tunnels as { readonly [Index in keyof Arms]: TunnelUnderTest });
  }

  async #compare(base: TunnelUnderTest, other: TunnelUnderTest): Promise<Beside> {
    const tunnels = { base, other };
    const slices = await alternate({
      arms: ["base", "other"],
      rounds: this.#plan.rounds,
      turned: this.#ground.turned,
      measure: async (arm) => {
        const { server, client } = await tunnels[arm].measure(this.#plan);
        return server + client;
      },
    });
    const sum = (costs: readonly number[]): number => costs.reduce((total, cost) => total + cost, 0);
    const count = this.#plan.rounds * 2;
    const sendingUs = ((await other.flush()) * 1_000) / (count * this.#plan.requests);
    return { base: sum(slices.base) / count, other: sum(slices.other) / count + sendingUs };
  }
}

function report(plan: TracingPlan, blocks: readonly Block[]): BenchReport {
  const ratioOf = (name: keyof Block): Ratio => medianRatio(blocks.map((block) => block[name]));
  const ratios = { none: ratioOf("none"), few: ratioOf("few"), all: ratioOf("all") };
  const textOf = (name: keyof Block, side: keyof Beside): string =>
    spreadText(blocks.map((block) => block[name][side]));
  const rowOf = (name: keyof Block): Row => {
    const { ratio, lower, upper } = ratios[name];
    return [
      names[name],
      textOf(name, "base"),
      textOf(name, "other"),
      percentText(ratio),
      `${percentText(lower)} to ${percentText(upper)}`,
    ];
  };
  return reportOf({
    bench: "tracing",
    plan,
    columns: ["tracing", "CPU us per request without", "with", "costs", "95 % interval"],
    rows: [rowOf("none"), rowOf("few"), rowOf("all")],
    checks: [
      { what: "what being traceable costs, in % of CPU", value: percent(ratios.none.ratio), below: 1 },
      { what: "its upper 95 % limit, in %", value: percent(ratios.none.upper), below: 3 },
      { what: "what recording 1 % costs, in % of CPU", value: percent(ratios.few.ratio), below: 3 },
      { what: "its upper 95 % limit, in %", value: percent(ratios.few.upper), below: 5 },
    ],
    data: { blocks, ratios },
  });
}

function spreadText(values: readonly number[]): string {
  const { median, lowerQuartile, upperQuartile } = spreadOf(values);
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
