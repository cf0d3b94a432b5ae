// Whether a server is as fast after a heap snapshot as before: CPU time per request of servers that took one, beside
// servers that did not, before and after. The collections of a snapshot throw compiled code away and make the young
// generation small, as in a fresh process; that passes with the first requests, which are shown apart. A third arm takes
// one and is kept from the cure. Example: npm run bench:after-snapshot -- --blocks 12

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CaissonError } from "../src/lifecycle/errors.ts";
import { Origin } from "./harness/origin.ts";
import { askedPlan } from "./harness/plan.ts";
import type { BenchReport } from "./harness/report.ts";
import { figure, publish, reportOf } from "./harness/report.ts";
import { interleave } from "./harness/rounds.ts";
import type { Ratio } from "./harness/statistics.ts";
import { pairedRatio, spreadOf } from "./harness/statistics.ts";
import { TunnelUnderTest } from "./harness/tunnel-under-test.ts";

/** How much is measured. */
export interface AfterSnapshotPlan extends Readonly<Record<string, number>> {
  /** Fresh processes for all arms. */
  readonly blocks: number;
  /** Rounds before the snapshot, and as many after it. */
  readonly rounds: number;
  readonly requests: number;
  readonly connections: number;
  /** Requests of each arm before the first round, and again between the snapshot and the first round after it. */
  readonly warm: number;
  readonly seed: number;
}

const standard: AfterSnapshotPlan = { blocks: 10, rounds: 12, requests: 2_000, connections: 32, warm: 25_000, seed: 1 };
const arms = ["none", "snapshot", "uncured"] as const;
type Arm = (typeof arms)[number];
type Costs = Record<Arm, number[]>;

/** CPU time per request of the server in microseconds, round by round. */
interface Block {
  readonly before: Costs;
  /** The first requests after the snapshots, per arm. */
  readonly first: Readonly<Record<Arm, number>>;
  readonly after: Costs;
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
  const options = { origin, folder, admin: true };
  const nodeFlags = ["--import", pathToFileURL(uncured).href];
  await using none = await TunnelUnderTest.start(options);
  await using snapshot = await TunnelUnderTest.start(options);
  await using deaf = await TunnelUnderTest.start({ ...options, nodeFlags });
  const tunnels = { none, snapshot, uncured: deaf };
  const measureAll = (seed: number): Promise<Costs> =>
    interleave({
      arms,
      rounds: plan.rounds,
      seed,
      measure: async (arm) => (await tunnels[arm].measure(plan)).server,
    });
  const warm = async (): Promise<Record<Arm, number>> => {
    const load = { ...plan, requests: plan.warm };
    const costs = { none: 0, snapshot: 0, uncured: 0 };
    for (const arm of arms) costs[arm] = (await tunnels[arm].measure(load)).server;
    return costs;
  };
  await warm();
  const before = await measureAll(plan.seed + block);
  const stallMs = await takeSnapshot(snapshot);
  await takeSnapshot(deaf);
  // A snapshot collects garbage first; so that the third arm is not the only one with old garbage, it does as well.
  await none.admin().ask("/debug/gc", { method: "POST" });
  const first = await warm();
  const after = await measureAll(plan.seed + plan.blocks + block);
  return { before, first, after, stallMs };
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

/** How much more a request costs after the snapshot, beside those who took none. One pair per block. */
function changeOf(blocks: readonly Block[], arm: Arm): Ratio {
  return pairedRatio(
    blocks.map(({ before, after }) => ({
      base: spreadOf(before[arm]).median / spreadOf(before.none).median,
      other: spreadOf(after[arm]).median / spreadOf(after.none).median,
    })),
  );
}

function report(plan: AfterSnapshotPlan, blocks: readonly Block[]): BenchReport {
  const cured = changeOf(blocks, "snapshot");
  const uncured = changeOf(blocks, "uncured");
  const medianOf = (when: "before" | "after", arm: Arm): string =>
    figure(spreadOf(blocks.flatMap((block) => block[when][arm])).median);
  const firstOf = (arm: Arm): string => figure(spreadOf(blocks.map(({ first }) => first[arm])).median);
  const firstCured = pairedRatio(blocks.map(({ first }) => ({ base: first.none, other: first.snapshot })));
  const interval = ({ ratio, lower, upper }: Ratio): string =>
    `${figure(ratio)} (${figure(lower)} to ${figure(upper)})`;
  return reportOf({
    bench: "after-snapshot",
    plan,
    columns: ["server CPU us per request", "before", "after", "paired ratio (95 %)"],
    rows: [
      ["no snapshot", medianOf("before", "none"), medianOf("after", "none"), "1"],
      ["snapshot", medianOf("before", "snapshot"), medianOf("after", "snapshot"), interval(cured)],
      ["snapshot, no cure", medianOf("before", "uncured"), medianOf("after", "uncured"), interval(uncured)],
      [`first ${plan.warm} requests, no snapshot`, "", firstOf("none"), "1"],
      [`first ${plan.warm} requests, snapshot`, "", firstOf("snapshot"), interval(firstCured)],
      ["ms that the server stood still", "", figure(spreadOf(blocks.map(({ stallMs }) => stallMs)).median), ""],
    ],
    checks: [
      {
        what: "CPU per request after a snapshot, upper 95 % limit in % more",
        value: (cured.upper - 1) * 100,
        below: 5,
      },
    ],
    data: { blocks, cured, uncured },
  });
}

if (process.argv[1] === import.meta.filename) {
  const { plan, format } = askedPlan(standard);
  publish(await afterSnapshot(plan), format);
}
