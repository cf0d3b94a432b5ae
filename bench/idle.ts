// What an idle tunnel costs its server: memory per tunnel, processor time at rest, and what is left when all have gone. The
// server is alone in its process, started as a user starts it; it and its clients ping as they do by default. Peers are
// measured beside it where their programs are found; see bench/idle/contestant.ts for what each must offer.
// Example: npm run bench:idle -- --tunnels 10000 --rounds 3

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Origin } from "./harness/origin.ts";
import { askedSize } from "./harness/plan.ts";
import { cpuMsOf, memoryOf } from "./harness/process-reading.ts";
import type { BenchReport, Check, Row } from "./harness/report.ts";
import { figure, publish, reportOf } from "./harness/report.ts";
import { interleave } from "./harness/rounds.ts";
import { spreadOf } from "./harness/statistics.ts";
import { allIdle } from "./idle/all-idle.ts";
import { caissonContestant } from "./idle/caisson.ts";
import type { IdleContestant, IdleServer } from "./idle/contestant.ts";
import { frpName } from "./idle/frp.ts";

/** How much is measured. */
export interface IdlePlan extends Readonly<Record<string, number>> {
  /** Tunnels that stand while nothing happens. */
  readonly tunnels: number;
  /** Fresh servers of each contestant. */
  readonly rounds: number;
  /** How long the processor time at rest is measured, in seconds. */
  readonly rest: number;
  /** Tunnels that come and go before, so that code is loaded and compiled: that is not what a tunnel costs. */
  readonly warm: number;
  /** What a server does once when clients have come or gone is over after this, in milliseconds. */
  readonly calm: number;
  readonly seed: number;
}

/** The whole measurement, and a form of seconds that only proves that the bench runs. */
export const idlePlans: { readonly standard: IdlePlan; readonly quick: IdlePlan } = {
  standard: { tunnels: 10_000, rounds: 3, rest: 30, warm: 500, calm: 2_000, seed: 1 },
  quick: { tunnels: 200, rounds: 1, rest: 1, warm: 50, calm: 100, seed: 1 },
};

/** Fewer tunnels than this do not tell what one costs: steps of the allocators are larger than what is looked for. */
const tellingTunnels = 5_000;
/** Bytes of a KB; goals are stated in it. */
const kb = 1_000;

/** Memory in bytes. */
interface Reading {
  readonly rss: number;
  readonly heap: number | undefined;
}

/** One round of one contestant. */
interface Measured {
  readonly tunnels: number;
  readonly before: Reading;
  /** As it stands after the time at rest. */
  readonly atRest: Reading;
  /** After garbage was collected, where the program can be told to. */
  readonly collected: Reading;
  readonly after: Reading;
  /** Share of one processor at rest, in %. */
  readonly cpuPercent: number;
}

/** Measures. */
export async function idle(
  plan: IdlePlan,
  contestants: readonly IdleContestant[] = [caissonContestant(1)],
): Promise<BenchReport> {
  const present = contestants.filter(({ missing }) => missing === undefined);
  await using origin = await Origin.start();
  const found = new Map(present.map(({ name }) => [name, [] as Measured[]]));
  const byName = new Map(present.map((contestant) => [contestant.name, contestant]));
  await interleave({
    arms: [...byName.keys()],
    rounds: plan.rounds,
    seed: plan.seed,
    measure: async (name) => {
      const contestant = byName.get(name);
      if (!contestant) throw new RangeError(`there is no contestant ${name}`);
      const measured = await measure(plan, { contestant, target: origin.port });
      found.get(name)?.push(measured);
      return perTunnel(measured, "collected", "rss");
    },
  });
  return report(plan, { contestants: present, found });
}

async function measure(
  plan: IdlePlan,
  { contestant, target }: { readonly contestant: IdleContestant; readonly target: number },
): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  try {
    await using server = await contestant.start({ folder, target });
    const tunnels = Math.min(plan.tunnels, contestant.mostTunnels);
    // The same share of all: what a program keeps of those that went must not hide what those that come take.
    await server.gather(Math.ceil((tunnels * Math.min(plan.warm, plan.tunnels)) / plan.tunnels));
    await server.disperse();
    const before = await collectedReading(server, plan.calm);
    await server.gather(tunnels);
    await pause(plan.calm);
    const cpuBefore = cpuMsOf(server.pid);
    const startedMs = performance.now();
    await pause(plan.rest * 1_000);
    const cpuPercent = ((cpuMsOf(server.pid) - cpuBefore) / (performance.now() - startedMs)) * 100;
    const atRest: Reading = { rss: memoryOf(server.pid).rss, heap: undefined };
    const collected = await collectedReading(server, plan.calm);
    await server.disperse();
    const after = await collectedReading(server, plan.calm);
    return { tunnels, before, atRest, collected, after, cpuPercent };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function collectedReading(server: IdleServer, calmMs: number): Promise<Reading> {
  await pause(calmMs);
  const heap = await server.collectGarbage();
  // Pages are given back to the system a little later, by other threads.
  await pause(calmMs / 4);
  return { rss: memoryOf(server.pid).rss, heap };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

type Moment = "atRest" | "collected" | "after";

/** Bytes above those before any tunnel, per tunnel; NaN where a program does not tell. */
function perTunnel(measured: Measured, moment: Moment, what: keyof Reading): number {
  return ((measured[moment][what] ?? Number.NaN) - (measured.before[what] ?? Number.NaN)) / measured.tunnels;
}

function report(
  plan: IdlePlan,
  {
    contestants,
    found,
  }: { readonly contestants: readonly IdleContestant[]; readonly found: ReadonlyMap<string, readonly Measured[]> },
): BenchReport {
  const ours = found.get("caisson") ?? [];
  const rssMedian = spreadOf(ours.map((measured) => perTunnel(measured, "collected", "rss"))).median / kb;
  return reportOf({
    bench: "idle",
    plan,
    columns: [
      "contestant",
      "tunnels",
      "KB of RSS per tunnel",
      "without a collection",
      "KB of heap",
      "CPU at rest, %",
      "KB of RSS left per tunnel",
      "KB of heap left",
    ],
    rows: contestants.map(({ name }) => rowOf(name, found.get(name) ?? [])),
    checks: [
      { what: "KB of RSS per idle tunnel", value: rssMedian, below: 12, ...tellingOf(ours) },
      ...besideFrp(found, rssMedian),
    ],
    data: { contestants: Object.fromEntries(found) },
  });
}

/** The goal beside frp, whose clients have a session each as ours have; none where it was not measured. */
function besideFrp(found: ReadonlyMap<string, readonly Measured[]>, rssMedian: number): readonly Check[] {
  const theirs = found.get(frpName) ?? [];
  if (theirs.length === 0) return [];
  const median = spreadOf(theirs.map((measured) => perTunnel(measured, "collected", "rss"))).median / kb;
  const telling = { ...tellingOf(theirs), ...tellingOf(found.get("caisson") ?? []) };
  return [{ what: "RSS per idle tunnel, as a share of frp's", value: rssMedian / median, below: 0.2, ...telling }];
}

/** Why figures do not tell what a tunnel costs, if they do not: they are of too few. */
function tellingOf(measured: readonly Measured[]): { readonly notShown?: string } {
  const fewest = Math.min(...measured.map(({ tunnels }) => tunnels));
  return fewest < tellingTunnels ? { notShown: `${fewest} tunnels stood, fewer than ${tellingTunnels}` } : {};
}

function rowOf(name: string, measured: readonly Measured[]): Row {
  const text = (moment: Moment, what: keyof Reading): string =>
    spreadText(measured.map((one) => perTunnel(one, moment, what) / kb));
  return [
    name,
    String(measured[0]?.tunnels ?? 0),
    text("collected", "rss"),
    text("atRest", "rss"),
    text("collected", "heap"),
    spreadText(measured.map(({ cpuPercent }) => cpuPercent)),
    text("after", "rss"),
    text("after", "heap"),
  ];
}

function spreadText(values: readonly number[]): string {
  if (values.some((value) => Number.isNaN(value))) return "";
  const { median, lowerQuartile, upperQuartile } = spreadOf(values);
  return `${figure(median)} (${figure(lowerQuartile)} to ${figure(upperQuartile)})`;
}

if (process.argv[1] === import.meta.filename) {
  const { plan, format } = askedSize(idlePlans);
  for (const { name, missing } of allIdle) {
    if (missing !== undefined) process.stderr.write(`${name} takes no part: ${missing}\n`);
  }
  publish(await idle(plan, allIdle), format);
}
