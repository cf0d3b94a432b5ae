// What a long line between server and client costs: one download's rate, small requests alone and beside it, how far the
// window grows, and the memory of both sides. The line is a relay of our own in a process of its own, which delays every
// byte by half a round trip each way, and may have a rate. Visitors and the target are near.
// Example: npm run bench:wan -- --rounds 3 --seconds 10

import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { CaissonServer } from "./harness/caisson-server.ts";
import { askedSize } from "./harness/plan.ts";
import { memoryOf } from "./harness/process-reading.ts";
import { Program } from "./harness/program.ts";
import type { BenchReport, Check, Row } from "./harness/report.ts";
import { figure, publish, reportOf } from "./harness/report.ts";
import { RoleProcess } from "./harness/role-process.ts";
import { interleave } from "./harness/rounds.ts";
import { quantileOf, spreadOf } from "./harness/statistics.ts";
import type { SteadyVisitsOptions, VisitsFound } from "./harness/steady-visits.ts";
import { SteadyVisits } from "./harness/steady-visits.ts";
import { startCheckingTarget } from "./targets/checking-target.ts";
import { EndlessDownload } from "./wan/endless-download.ts";

/** How much is measured. */
export interface WanPlan extends Readonly<Record<string, number>> {
  readonly rounds: number;
  /** How long the download lasts; small requests are measured alone for a quarter of it before it, and as long after it. */
  readonly seconds: number;
  /** Milliseconds between two small requests. */
  readonly every: number;
  /** Megabytes a second of the line that has a rate. */
  readonly rate: number;
  readonly seed: number;
}

/** The whole measurement, and a form of seconds that only proves that the bench runs. */
export const wanPlans: { readonly standard: WanPlan; readonly quick: WanPlan } = {
  standard: { rounds: 3, seconds: 10, every: 25, rate: 10, seed: 1 },
  quick: { rounds: 1, seconds: 1, every: 50, rate: 10, seed: 1 },
};

interface Line {
  readonly roundTripMs: number;
  /** Whether it has the rate of the plan. */
  readonly limited: boolean;
}

const lines = {
  "20 ms": { roundTripMs: 20, limited: false },
  "100 ms": { roundTripMs: 100, limited: false },
  "300 ms": { roundTripMs: 300, limited: false },
  "100 ms, with a rate": { roundTripMs: 100, limited: true },
} as const satisfies Readonly<Record<string, Line>>;
type LineName = keyof typeof lines;
const lineNames: readonly LineName[] = ["20 ms", "100 ms", "300 ms", "100 ms, with a rate"];

/** A download shorter than this spends its time on growing its window. */
const tellingSeconds = 5;
const lookMs = 250;
const mb = 1_000_000;
const relayWorker = fileURLToPath(new URL("wan/relay-worker.js", import.meta.url));

/** One moment of a download. */
interface Moment {
  /** Milliseconds since its beginning. */
  readonly atMs: number;
  readonly bytes: number;
  /** What the server's windows may hold above their first 64 KiB. */
  readonly windowBytes: number;
}

/** One download with what was beside it. */
interface Measured {
  readonly megabytesPerSecond: number;
  /** In its second half, when the window has grown. */
  readonly steadyMegabytesPerSecond: number;
  readonly moments: readonly Moment[];
  /** Just before the download and just after it: what the machine and the line cost at that time. */
  readonly alone: VisitsFound;
  readonly beside: VisitsFound;
  /** The load of the machine beside the download: above the number of processors, everything waits for its turn. */
  readonly load: number;
  /** How long this process, in which the visitors are, was held up itself beside the download: 99 % of its turns, in milliseconds. */
  readonly heldUpMs: number;
  /** The most that each side has held, in bytes. */
  readonly serverRss: number;
  readonly clientRss: number;
}

interface Ground {
  readonly plan: WanPlan;
  readonly target: number;
  readonly folder: string;
}

/** Measures. */
export async function wan(plan: WanPlan): Promise<BenchReport> {
  await using target = await startCheckingTarget();
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  const found = new Map<LineName, Measured[]>(lineNames.map((name) => [name, []]));
  try {
    await interleave({
      arms: lineNames,
      rounds: plan.rounds,
      seed: plan.seed,
      measure: async (name) => {
        const measured = await measure({ plan, target: target.port, folder }, lines[name]);
        found.get(name)?.push(measured);
        return measured.megabytesPerSecond;
      },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return report(plan, found);
}

async function measure({ plan, target, folder }: Ground, { roundTripMs, limited }: Line): Promise<Measured> {
  await using server = await CaissonServer.start({ folder });
  const bytesPerSecond = limited ? plan.rate * mb : 0;
  const args = [relayWorker, String(server.port), String(roundTripMs), String(bytesPerSecond)];
  await using relay = new Program({ title: "the long line", file: process.execPath, args });
  const port = await relay.line((line) => /^listening on (\d+)$/u.exec(line)?.[1]);
  await using client = new RoleProcess();
  const order = { do: "connect", admin: false, folder, server: `ws://127.0.0.1:${port}`, target } as const;
  await client.ask<"connect">(order);
  const place = { port: server.port, host: "bench.localhost" };
  const small = { ...place, everyMs: plan.every, path: "/", body: "" };
  const aloneMs = plan.seconds * 250;
  // The first reading loads what reads it, which is not to be found in anybody's waiting.
  await server.admin.ledgers();
  const before = await visitsFor(aloneMs, small);
  const beside = await besideDownload({ plan, server, small });
  const after = await visitsFor(aloneMs, small);
  const alone = {
    waitedMs: [...before.waitedMs, ...after.waitedMs],
    errors: [...before.errors, ...after.errors],
  };
  return { ...beside, alone, serverRss: server.memory().peakRss, clientRss: memoryOf(client.pid).peakRss };
}

/** Small requests with nothing beside them. */
async function visitsFor(ms: number, small: SteadyVisitsOptions): Promise<VisitsFound> {
  const visits = new SteadyVisits(small);
  await pause(ms);
  return visits.stop();
}

interface Beside {
  readonly plan: WanPlan;
  readonly server: CaissonServer;
  readonly small: SteadyVisitsOptions;
}

/** One download, and small requests beside it. */
async function besideDownload({
  plan,
  server,
  small,
}: Beside): Promise<Omit<Measured, "alone" | "serverRss" | "clientRss">> {
  const held = monitorEventLoopDelay({ resolution: 5 });
  held.enable();
  const download = new EndlessDownload(small);
  const startedMs = performance.now();
  const visits = new SteadyVisits(small);
  const moments: Moment[] = [];
  try {
    while (performance.now() - startedMs < plan.seconds * 1_000) {
      await pause(lookMs);
      const { probes } = await server.admin.ledgers();
      const windowBytes = probes["windows.grown_bytes"] ?? Number.NaN;
      moments.push({ atMs: performance.now() - startedMs, bytes: download.bytes, windowBytes });
    }
    const beside = await visits.stop();
    const load = loadavg()[0] ?? Number.NaN;
    return { ...ratesOf(moments), moments, beside, load, heldUpMs: held.percentile(99) / 1e6 };
  } finally {
    held.disable();
    download.stop();
    await visits.stop();
  }
}

function ratesOf(moments: readonly Moment[]): Pick<Measured, "megabytesPerSecond" | "steadyMegabytesPerSecond"> {
  const start: Moment = { atMs: 0, bytes: 0, windowBytes: 0 };
  const last = moments.at(-1) ?? start;
  const half = moments[Math.floor((moments.length - 1) / 2)] ?? start;
  const rate = (from: Moment): number => (last.bytes - from.bytes) / mb / ((last.atMs - from.atMs) / 1_000);
  return { megabytesPerSecond: rate(start), steadyMegabytesPerSecond: rate(half) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What so many percent of the small requests of all rounds waited at most, in milliseconds. */
function waited(measured: readonly Measured[], when: "alone" | "beside", share: number): number {
  return quantileOf(
    measured.flatMap((one) => one[when].waitedMs),
    share,
  );
}

function report(plan: WanPlan, found: ReadonlyMap<LineName, readonly Measured[]>): BenchReport {
  const of = (name: LineName): readonly Measured[] => found.get(name) ?? [];
  const short = plan.seconds < tellingSeconds ? { notShown: `less than ${tellingSeconds} s` } : {};
  const rate = spreadOf(of("100 ms").map((one) => one.megabytesPerSecond)).median;
  const fair = lineNames
    .filter((name) => !lines[name].limited)
    .map((name): Check => {
      const value = waited(of(name), "beside", 0.99) / lines[name].roundTripMs;
      return { what: `p99 of small requests beside it at ${name}, in round trips`, value, below: 2.001, ...short };
    });
  const errors = lineNames.flatMap((name) =>
    of(name).flatMap(({ alone, beside }) => [...alone.errors, ...beside.errors]),
  );
  return reportOf({
    bench: "wan",
    plan,
    columns: [
      "round trip",
      "MB/s of one download",
      "in its second half",
      "ms of small requests alone, p50",
      "p99",
      "beside it, p50",
      "p99",
      "p99 beside to alone",
      "MB of window at most",
      "MB of RSS at most, server",
      "client",
      "load",
      "ms that the visitors' own process was held up, p99",
    ],
    rows: lineNames.map((name) => rowOf(name, of(name))),
    checks: [
      { what: "MB/s of one download at 100 ms", value: rate, atLeast: 40, ...short },
      ...fair,
      { what: "small requests without their answer", value: errors.length, below: 1 },
    ],
    data: { lines: Object.fromEntries(found), errors },
  });
}

function rowOf(name: LineName, measured: readonly Measured[]): Row {
  const spread = (of: (one: Measured) => number): string => {
    const { median, lowerQuartile, upperQuartile } = spreadOf(measured.map(of));
    return `${figure(median)} (${figure(lowerQuartile)} to ${figure(upperQuartile)})`;
  };
  const most = (of: (one: Measured) => number): string => figure(Math.max(...measured.map(of)) / mb);
  return [
    name,
    spread((one) => one.megabytesPerSecond),
    spread((one) => one.steadyMegabytesPerSecond),
    figure(waited(measured, "alone", 0.5)),
    figure(waited(measured, "alone", 0.99)),
    figure(waited(measured, "beside", 0.5)),
    figure(waited(measured, "beside", 0.99)),
    figure(waited(measured, "beside", 0.99) / waited(measured, "alone", 0.99)),
    most(({ moments }) => Math.max(...moments.map(({ windowBytes }) => windowBytes))),
    most(({ serverRss }) => serverRss),
    most(({ clientRss }) => clientRss),
    spread(({ load }) => load),
    figure(Math.max(...measured.map(({ heldUpMs }) => heldUpMs))),
  ];
}

if (process.argv[1] === import.meta.filename) {
  const { plan, format } = askedSize(wanPlans);
  publish(await wan(plan), format);
}
