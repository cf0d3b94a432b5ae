// Whether a server is as fast after a heap snapshot as before: CPU time per request of servers that took one, beside
// servers that did not, before and after. What V8 forgets to stop after a snapshot is to follow every object that a
// collection moves, so the load makes objects survive: many connections, new ones in every slice, and a small young
// generation, which also is as small before a snapshot as after it. A third arm takes one and is kept from the cure: it
// proves that the load would show. Slices of all arms alternate. Example: npm run bench:after-snapshot -- --blocks 30

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CaissonError } from "../src/lifecycle/errors.ts";
import { Origin } from "./harness/origin.ts";
import { askedPlan } from "./harness/plan.ts";
import type { BenchReport, Row } from "./harness/report.ts";
import { figure, publish, reportOf } from "./harness/report.ts";
import { alternate } from "./harness/rounds.ts";
import type { Ratio } from "./harness/statistics.ts";
import { medianRatio, spreadOf } from "./harness/statistics.ts";
import { TunnelUnderTest } from "./harness/tunnel-under-test.ts";

/** How much is measured. */
export interface AfterSnapshotPlan extends Readonly<Record<string, number>> {
  /** Fresh processes for all arms. */
  readonly blocks: number;
  /** How often all arms are measured there and back, before the snapshot, and as often after it. */
  readonly rounds: number;
  /** Requests of each slice. */
  readonly requests: number;
  /** Opened anew for each slice. */
  readonly connections: number;
  /** Requests of each arm before the first slice, and again between the snapshot and the first slice after it. */
  readonly warm: number;
  /** Each half of the servers' young generation, in MiB; Node's own is 16. */
  readonly youngMiB: number;
}

const standard: AfterSnapshotPlan = {
  blocks: 30,
  rounds: 2,
  requests: 800,
  connections: 400,
  warm: 3_000,
  youngMiB: 1,
};
const arms = ["none", "snapshot", "uncured"] as const;
type Arm = (typeof arms)[number];
/** Of each arm, slice by slice, two per round. */
type Costs = Record<Arm, number[]>;
type PerArm = Readonly<Record<Arm, number>>;

/** One phase of a block, in microseconds per request of the server. */
interface Phase {
  readonly cpu: Costs;
  /** Pauses of minor collections: where objects that survive are moved. */
  readonly minor: PerArm;
}

interface Block {
  readonly before: Phase;
  /** CPU time of the first requests after the snapshots. */
  readonly first: PerArm;
  readonly after: Phase;
  readonly stallMs: number;
}

/** Makes the inspector's session deaf, so that the cure does nothing. */
const noCure = `import { Session } from "node:inspector";
Session.prototype.post = () => undefined;
`;

/** Measures. */
export async function afterSnapshot(plan: AfterSnapshotPlan): Promise<BenchReport> {
  await using origin = await Origin.start();
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  try {
    const uncured = join(folder, "no-cure.mjs");
    writeFileSync(uncured, noCure);
    const blocks: Block[] = [];
    for (let block = 0; block < plan.blocks; block += 1) {
      blocks.push(await measureBlock(plan, { origin: origin.port, folder, uncured, block }));
    }
    return report(plan, blocks);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Ground {
  readonly origin: number;
  readonly folder: string;
  readonly uncured: string;
  readonly block: number;
}

async function measureBlock(plan: AfterSnapshotPlan, { origin, folder, uncured, block }: Ground): Promise<Block> {
  const nodeFlags = [`--max-semi-space-size=${plan.youngMiB}`];
  const options = { origin, folder, admin: true, nodeFlags };
  const deafFlags = [...nodeFlags, "--import", pathToFileURL(uncured).href];
  await using none = await TunnelUnderTest.start(options);
  await using snapshot = await TunnelUnderTest.start(options);
  await using deaf = await TunnelUnderTest.start({ ...options, nodeFlags: deafFlags });
  const tunnels = { none, snapshot, uncured: deaf };
  const eachArm = async (measure: (tunnel: TunnelUnderTest) => Promise<number>): Promise<PerArm> => ({
    none: await measure(none),
    snapshot: await measure(snapshot),
    uncured: await measure(deaf),
  });
  const phase = async (): Promise<Phase> => {
    const from = await eachArm(minorUs);
    const cpu = await alternate({
      arms,
      rounds: plan.rounds,
      turned: block % 2 === 1,
      measure: async (arm) => (await tunnels[arm].measure(plan)).server,
    });
    const to = await eachArm(minorUs);
    // Never nothing, so that there is a ratio of it.
    const perRequest = (arm: Arm): number => Math.max(1, to[arm] - from[arm]) / (2 * plan.rounds * plan.requests);
    return {
      cpu,
      minor: { none: perRequest("none"), snapshot: perRequest("snapshot"), uncured: perRequest("uncured") },
    };
  };
  const warm = (): Promise<PerArm> =>
    eachArm(async (tunnel) => (await tunnel.measure({ ...plan, requests: plan.warm })).server);
  await warm();
  const before = await phase();
  const stallMs = await takeSnapshot(snapshot);
  await takeSnapshot(deaf);
  // A snapshot collects garbage first; so that the third arm is not the only one with old garbage, it does as well.
  await none.admin().ask("/debug/gc", { method: "POST" });
  const first = await warm();
  return { before, first, after: await phase(), stallMs };
}

/** How long the server has stood still for minor collections so far, in microseconds. */
async function minorUs(tunnel: TunnelUnderTest): Promise<number> {
  const { body } = await tunnel.admin().ask("/metrics", { accept: "text/plain" });
  const seconds = /^nodejs_gc_duration_seconds_sum\{kind="minor"\} (\S+)$/mu.exec(body.toString("utf8"))?.[1];
  return Number(seconds ?? 0) * 1_000_000;
}

async function takeSnapshot(tunnel: TunnelUnderTest): Promise<number> {
  const { status, body } = await tunnel
    .admin()
    .ask("/debug/heap/snapshots", { method: "POST", body: { engine: "v8" } });
  const text = body.toString("utf8");
  const answer: unknown = JSON.parse(text);
  const stallMs = typeof answer === "object" && answer !== null && "stallMs" in answer ? answer.stallMs : undefined;
  if (status === 201 && typeof stallMs === "number") return stallMs;
  throw new CaissonError("E_GATE", `no snapshot was taken: ${status} ${text}`);
}

/** What of a phase is compared, of one arm. */
type Figure = (phase: Phase, arm: Arm) => number;
const cpuUs: Figure = ({ cpu }, arm) => spreadOf(cpu[arm]).median;
const collectionUs: Figure = ({ minor }, arm) => minor[arm];

/** How much more of it there is after the snapshot, beside those who took none. One ratio per block. */
function changeOf(blocks: readonly Block[], arm: Arm, figureOf: Figure): Ratio {
  const beside = (phase: Phase): number => figureOf(phase, arm) / figureOf(phase, "none");
  return medianRatio(blocks.map(({ before, after }) => ({ base: beside(before), other: beside(after) })));
}

function report(plan: AfterSnapshotPlan, blocks: readonly Block[]): BenchReport {
  const cured = changeOf(blocks, "snapshot", cpuUs);
  const uncured = changeOf(blocks, "uncured", collectionUs);
  const firstOf = (arm: Arm): string => figure(spreadOf(blocks.map(({ first }) => first[arm])).median);
  const firstCured = medianRatio(blocks.map(({ first }) => ({ base: first.none, other: first.snapshot })));
  const interval = ({ ratio, lower, upper }: Ratio): string =>
    `${figure(ratio)} (${figure(lower)} to ${figure(upper)})`;
  const rowOf = (name: string, arm: Arm, figureOf: Figure): Row => {
    const medianOf = (when: "before" | "after"): string =>
      figure(spreadOf(blocks.map((block) => figureOf(block[when], arm))).median);
    return [
      name,
      medianOf("before"),
      medianOf("after"),
      arm === "none" ? "1" : interval(changeOf(blocks, arm, figureOf)),
    ];
  };
  return reportOf({
    bench: "after-snapshot",
    plan,
    columns: ["server us per request", "before", "after", "paired ratio (95 %)"],
    rows: [
      rowOf("CPU, no snapshot", "none", cpuUs),
      rowOf("CPU, snapshot", "snapshot", cpuUs),
      rowOf("CPU, snapshot, no cure", "uncured", cpuUs),
      rowOf("minor collections, no snapshot", "none", collectionUs),
      rowOf("minor collections, snapshot", "snapshot", collectionUs),
      rowOf("minor collections, snapshot, no cure", "uncured", collectionUs),
      [`CPU of the first ${plan.warm} requests, no snapshot`, "", firstOf("none"), "1"],
      [`CPU of the first ${plan.warm} requests, snapshot`, "", firstOf("snapshot"), interval(firstCured)],
      ["ms that the server stood still", "", figure(spreadOf(blocks.map(({ stallMs }) => stallMs)).median), ""],
    ],
    checks: [
      {
        what: "CPU per request after a snapshot, upper 95 % limit in % more",
        value: (cured.upper - 1) * 100,
        below: 5,
      },
      {
        what: "minor collections without the cure, lower 95 % limit in % more: that this load would show",
        value: (uncured.lower - 1) * 100,
        atLeast: 0,
      },
    ],
    data: { blocks, cured, uncured },
  });
}

if (process.argv[1] === import.meta.filename) {
  const { plan, format } = askedPlan(standard);
  publish(await afterSnapshot(plan), format);
}
