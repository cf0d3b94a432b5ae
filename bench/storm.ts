// What happens when a server is killed under many clients and started again at once: when half of them, nearly all and all
// are back under their names, how much memory that takes, and how long visitors of a tunnel that stands have to wait
// meanwhile. Everybody shares one machine here, so the clients' own work is in all the times.
// Example: npm run bench:storm -- --clients 10000 --rounds 3 --doors 2

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CaissonServer } from "./harness/caisson-server.ts";
import { machineMs } from "./harness/crowd.ts";
import { Origin } from "./harness/origin.ts";
import { askedSize } from "./harness/plan.ts";
import type { BenchReport, Row } from "./harness/report.ts";
import { figure, publish, reportOf } from "./harness/report.ts";
import { RoleProcess } from "./harness/role-process.ts";
import { spreadOf } from "./harness/statistics.ts";
import type { VisitsFound } from "./harness/steady-visits.ts";
import { SteadyVisits } from "./harness/steady-visits.ts";
import { ReturningCrowd } from "./storm/returning.ts";

/** How much is measured. */
export interface StormPlan extends Readonly<Record<string, number>> {
  readonly clients: number;
  /** Storms, each with a fresh server and fresh clients. */
  readonly rounds: number;
  /** Milliseconds between two visitors of the healthy tunnel. */
  readonly every: number;
  /** Milliseconds that visitors go on when all clients are back. */
  readonly after: number;
  /** 1: clients connect where visitors come in; 2: at an address of their own. */
  readonly doors: number;
}

/** The whole measurement, and a form of seconds that only proves that the bench runs. */
export const stormPlans: { readonly standard: StormPlan; readonly quick: StormPlan } = {
  standard: { clients: 10_000, rounds: 3, every: 50, after: 3_000, doors: 1 },
  quick: { clients: 100, rounds: 1, every: 50, after: 500, doors: 1 },
};

/** Fewer clients than this are no storm. */
const tellingClients = 5_000;
/** When clients are not back by then, something is broken, in milliseconds. */
const patienceMs = 180_000;
const mb = 1_000_000;

/** One storm. Times in milliseconds since the kill, unless they say otherwise. */
interface Storm {
  /** When the new server listened. */
  readonly listeningMs: number;
  /** When the healthy tunnel stood. */
  readonly healthyMs: number;
  /** When each client stood again, in order. */
  readonly backMs: readonly number[];
  readonly renamed: number;
  readonly troubles: Readonly<Record<string, number>>;
  /** Memory of the new server in bytes. */
  readonly peakRss: number;
  readonly visits: VisitsFound;
}

/** Measures. */
export async function storm(plan: StormPlan): Promise<BenchReport> {
  await using origin = await Origin.start();
  const storms: Storm[] = [];
  for (let round = 0; round < plan.rounds; round += 1) {
    const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
    try {
      storms.push(await measure(plan, { folder, target: origin.port }));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return report(plan, storms);
}

async function measure(
  plan: StormPlan,
  { folder, target }: { readonly folder: string; readonly target: number },
): Promise<Storm> {
  await using first = await CaissonServer.start({ folder, clientsPort: plan.doors === 2 ? 0 : undefined });
  await using crowd = await ReturningCrowd.gather({ server: first.socketUrl, target }, plan.clients);
  await using healthy = new RoleProcess();
  const killedMs = machineMs();
  await first.kill();
  const clientsPort = plan.doors === 2 ? first.clientsPort : undefined;
  await using second = await CaissonServer.start({ folder, port: first.port, clientsPort });
  const listeningMs = machineMs() - killedMs;
  await healthy.ask<"connect">({ do: "connect", admin: false, folder, server: second.socketUrl, target });
  const healthyMs = machineMs() - killedMs;
  const visits = new SteadyVisits({ port: second.port, host: "bench.localhost", everyMs: plan.every });
  try {
    const { atMs, renamed, troubles } = await crowd.allBack(patienceMs);
    await new Promise((resolve) => setTimeout(resolve, plan.after));
    const found = await visits.stop();
    const backMs = atMs.map((ms) => ms - killedMs);
    return { listeningMs, healthyMs, backMs, renamed, troubles, peakRss: second.memory().peakRss, visits: found };
  } finally {
    await visits.stop();
  }
}

/** When so large a share of the clients was back, in seconds since the kill. */
function backSeconds({ backMs }: Storm, share: number): number {
  return (backMs[Math.ceil(share * backMs.length) - 1] ?? Number.NaN) / 1_000;
}

function report(plan: StormPlan, storms: readonly Storm[]): BenchReport {
  const small = plan.clients < tellingClients ? { notShown: `fewer than ${tellingClients} clients` } : {};
  const worst = (of: (storm: Storm) => number): number => Math.max(...storms.map(of));
  const longestWait = (one: Storm): number => Math.max(...one.visits.waitedMs);
  const row = (name: string, of: (storm: Storm) => number): Row => {
    const { median } = spreadOf(storms.map(of));
    return [name, figure(median), figure(worst(of))];
  };
  return reportOf({
    bench: "storm",
    plan,
    columns: ["after the kill", "median of the storms", "worst"],
    rows: [
      row("seconds until the new server listened", ({ listeningMs }) => listeningMs / 1_000),
      row("seconds until half were back", (one) => backSeconds(one, 0.5)),
      row("seconds until 99 % were back", (one) => backSeconds(one, 0.99)),
      row("seconds until all were back", (one) => backSeconds(one, 1)),
      row("MB of RSS of the server at most", ({ peakRss }) => peakRss / mb),
      row("visitors of the healthy tunnel", ({ visits }) => visits.waitedMs.length),
      row("errors that they saw", ({ visits }) => visits.errors.length),
      row("ms that half of them waited", ({ visits }) => spreadOf(visits.waitedMs).median),
      row("ms that one of them waited at most", longestWait),
      row("clients that came back under another name", ({ renamed }) => renamed),
    ],
    checks: [
      {
        what: "seconds until all were back, in the worst storm",
        value: worst((one) => backSeconds(one, 1)),
        below: 60,
        ...small,
      },
      { what: "MB of RSS at most", value: worst(({ peakRss }) => peakRss / mb), below: 600, ...small },
      {
        what: "ms that a visitor of a healthy tunnel waited at most",
        value: worst(longestWait),
        below: 1_000,
        ...small,
      },
      {
        what: "errors that visitors of a healthy tunnel saw",
        value: worst(({ visits }) => visits.errors.length),
        below: 1,
      },
      { what: "clients that came back under another name", value: worst(({ renamed }) => renamed), below: 1 },
    ],
    data: { storms },
  });
}

if (process.argv[1] === import.meta.filename) {
  const { plan, format } = askedSize(stormPlans);
  publish(await storm(plan), format);
}
