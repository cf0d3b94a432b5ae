// Whether a server is as fast after a heap snapshot as before: CPU time per request of a server that took one, beside a
// server that took none and one that is kept from the cure, which proves that the load would show. What V8 forgets to stop
// after a snapshot is to follow every object that a collection moves, so many requests are on their way at any time: the
// target takes its time. Every block has fresh processes for each arm and gives one ratio.
// Example: npm run bench:after-snapshot -- --blocks 24

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CaissonError } from "../src/lifecycle/errors.ts";
import type { Block } from "./harness/compared.ts";
import { comparedColumns, comparedRow, pairsOf, percentOf, untold } from "./harness/compared.ts";
import { FreshArms } from "./harness/fresh-arms.ts";
import { Origin } from "./harness/origin.ts";
import { askedSize } from "./harness/plan.ts";
import type { BenchReport } from "./harness/report.ts";
import { figure, publish, reportOf } from "./harness/report.ts";
import type { Pair } from "./harness/statistics.ts";
import { signedRankRatio, spreadOf } from "./harness/statistics.ts";
import type { TunnelOptions, TunnelUnderTest } from "./harness/tunnel-under-test.ts";

/** How much is measured. */
export interface AfterSnapshotPlan extends Readonly<Record<string, number>> {
  /** Fresh processes: what was compiled in which order is luck. The arms start in turns. */
  readonly blocks: number;
  /** How often all arms are measured there and back in a block: a multiple of three treats them alike. */
  readonly rounds: number;
  /** Requests of each slice: several for each connection. */
  readonly requests: number;
  /** Each with a request on its way. */
  readonly connections: number;
  /** How long the target takes for an answer, in milliseconds. */
  readonly delayMs: number;
  /** Requests of each arm before the first slice, until the code is compiled. */
  readonly warm: number;
  /** The first requests after the snapshot, told apart: its collections throw compiled code away. */
  readonly first: number;
  /** And more of them, of all arms at once, before the next slices: until compiled code has come back. */
  readonly again: number;
}

/** The whole measurement, and a form of seconds that only proves that the bench runs. */
export const afterSnapshotPlans: { readonly standard: AfterSnapshotPlan; readonly quick: AfterSnapshotPlan } = {
  standard: {
    blocks: 24,
    rounds: 3,
    requests: 2_000,
    connections: 400,
    delayMs: 50,
    warm: 40_000,
    first: 10_000,
    again: 40_000,
  },
  quick: { blocks: 1, rounds: 1, requests: 500, connections: 50, delayMs: 20, warm: 500, first: 500, again: 500 },
};
type Arm = "none" | "snapshot" | "uncured";

interface Found {
  /** Of the first requests after the snapshot. */
  readonly first: Block<Arm>;
  readonly after: Block<Arm>;
  readonly stallMs: number;
}

/** Keeps the process from opening an inspector's session, so that the cure does nothing: opening and closing one is enough. */
const noCure = `import { Session } from "node:inspector";
for (const name of ["connect", "post", "disconnect"]) Session.prototype[name] = () => undefined;
`;

/** Measures. */
export async function afterSnapshot(plan: AfterSnapshotPlan): Promise<BenchReport> {
  await using origin = await Origin.start({ delayMs: plan.delayMs });
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  try {
    const uncured = join(folder, "no-cure.mjs");
    writeFileSync(uncured, noCure);
    const base = { origin: origin.port, folder, connections: plan.connections, admin: true };
    const nodeFlags = ["--import", pathToFileURL(uncured).href];
    const arms = { none: base, snapshot: base, uncured: { ...base, nodeFlags } };
    const blocks: Found[] = [];
    for (let block = 0; block < plan.blocks; block += 1) {
      blocks.push(await measureBlock(plan, { arms, turned: block % 2 === 1 }));
    }
    return report(plan, blocks);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureBlock(
  plan: AfterSnapshotPlan,
  options: { readonly arms: Readonly<Record<Arm, TunnelOptions>>; readonly turned: boolean },
): Promise<Found> {
  await using fresh = await FreshArms.start(options);
  await fresh.together((tunnel) => tunnel.send(plan.warm));
  const stallMs = await takeSnapshot(fresh.of("snapshot"));
  await takeSnapshot(fresh.of("uncured"));
  // A snapshot collects garbage first; so that the first arm is not the only one with old garbage, it does as well.
  await fresh.of("none").admin().ask("/debug/gc", { method: "POST" });
  const first = await fresh.costs({ rounds: 1, requests: Math.ceil(plan.first / 2) });
  await fresh.together((tunnel) => tunnel.send(plan.again));
  return { first, after: await fresh.costs(plan), stallMs };
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

function report(plan: AfterSnapshotPlan, found: readonly Found[]): BenchReport {
  const besideNone = (when: "first" | "after", other: Arm): Pair[] =>
    pairsOf(
      found.map((block) => block[when]),
      { base: "none", other, side: "server" },
    );
  const after = besideNone("after", "snapshot");
  const withoutCure = besideNone("after", "uncured");
  const cured = signedRankRatio(after);
  const uncured = signedRankRatio(withoutCure);
  const stall = figure(spreadOf(found.map(({ stallMs }) => stallMs)).median);
  return reportOf({
    bench: "after-snapshot",
    plan,
    columns: ["server's CPU us per request", ...comparedColumns],
    rows: [
      comparedRow("after a snapshot", after),
      comparedRow("after a snapshot, no cure", withoutCure),
      comparedRow(`the first ${plan.first} requests after it`, besideNone("first", "snapshot")),
      ["ms that the server stood still", "", stall, "", "", ""],
    ],
    checks: [
      {
        what: "CPU per request after a snapshot, upper 95 % limit in % more",
        value: percentOf(cured.upper),
        below: 5,
        ...untold(cured),
      },
      {
        what: "the same without the cure, lower 95 % limit in % more: that this load would show",
        value: percentOf(uncured.lower),
        atLeast: 0,
        ...untold(uncured),
      },
    ],
    data: { blocks: found, cured, uncured },
  });
}

if (process.argv[1] === import.meta.filename) {
  const { plan, format } = askedSize(afterSnapshotPlans);
  publish(await afterSnapshot(plan), format);
}
