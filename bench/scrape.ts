// What a scrape costs a server with many tunnels, and whether tunnels that came and went leave anything in it: the event
// loop's time per scrape, the number of series, and the bytes. Example: npm run bench:scrape -- --tunnels 10000

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AdminClient } from "../src/admin/admin-client.ts";
import { CaissonError } from "../src/lifecycle/errors.ts";
import { sendLoad } from "./harness/load.ts";
import { Origin } from "./harness/origin.ts";
import { askedSize } from "./harness/plan.ts";
import type { BenchReport, Row } from "./harness/report.ts";
import { figure, publish, reportOf } from "./harness/report.ts";
import type { RolePlace } from "./harness/role-orders.ts";
import { RoleProcess } from "./harness/role-process.ts";
import { interleave } from "./harness/rounds.ts";
import { spreadOf } from "./harness/statistics.ts";

/** How much is measured. */
export interface ScrapePlan extends Readonly<Record<string, number>> {
  /** Tunnels that stand while it is scraped, each with a session and a socket of its own. */
  readonly tunnels: number;
  /** Scrapes in each format. */
  readonly scrapes: number;
  /** Tunnels that come and go. */
  readonly passing: number;
  /** How many of those stand at the same time. */
  readonly together: number;
  readonly seed: number;
}

/** The whole measurement, and a form of seconds that only proves that the bench runs. */
export const scrapePlans: { readonly standard: ScrapePlan; readonly quick: ScrapePlan } = {
  standard: { tunnels: 10_000, scrapes: 30, passing: 5_000, together: 500, seed: 1 },
  quick: { tunnels: 200, scrapes: 3, passing: 200, together: 50, seed: 1 },
};
const formats = ["openmetrics", "text"] as const;
type Format = (typeof formats)[number];
const accepted: Readonly<Record<Format, string>> = {
  openmetrics: "application/openmetrics-text; version=1.0.0",
  text: "text/plain",
};

/** Series of the system's own words (types of descriptors, states of sockets), sampled now and then: they come as they occur. */
const ofSystem = /^(?:caisson_descriptors|caisson_tcp_sockets|process_open_fds)\b/u;

interface ScrapeSize {
  readonly series: readonly string[];
  readonly bytes: number;
}

interface Ground {
  readonly plan: ScrapePlan;
  readonly server: RoleProcess;
  readonly place: RolePlace;
  readonly origin: Origin;
}

/** Measures. */
export async function scrape(plan: ScrapePlan): Promise<BenchReport> {
  const folder = mkdtempSync(join(tmpdir(), "caisson-bench-"));
  try {
    await using origin = await Origin.start();
    await using server = new RoleProcess();
    const place = await server.ask<"serve">({ do: "serve", admin: true, folder });
    const ground: Ground = { plan, server, place, origin };
    // Before anything else, so that "as before" has a before: one that has seen every kind of event once.
    await passBy(ground, Math.min(plan.together, plan.passing));
    const before = await sizeOf(ground);
    await passBy(ground, plan.passing);
    const after = await sizeOf(ground);
    const costs = await costsOf(ground);
    return report(plan, { before, after, ...costs });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Tunnels come, some requests go through, and they go. */
async function passBy({ plan, server, place, origin }: Ground, count: number): Promise<void> {
  await using clients = new RoleProcess();
  const target = origin.port;
  const crowd = { do: "crowd", server: place.url.replace("http", "ws"), target, tunnelsEach: 1 } as const;
  for (let passed = 0; passed < count; passed += plan.together) {
    await clients.ask<"crowd">({ ...crowd, sessions: Math.min(plan.together, count - passed) });
    const { tunnels } = await clients.ask<"disperse">({ do: "disperse" });
    if (tunnels !== 0) throw new CaissonError("E_GATE", "the crowd did not disperse");
  }
  await using client = new RoleProcess();
  await client.ask<"connect">({
    do: "connect",
    admin: false,
    folder: "",
    server: place.url.replace("http", "ws"),
    target,
  });
  await sendLoad({ port: Number(new URL(place.url).port), host: "bench.localhost", requests: 200, connections: 10 });
  await client.ask<"disperse">({ do: "disperse" });
  await allGone({ plan, server, place, origin });
}

/** The sessions of the server are gone; what a vanished client's name is kept for is another matter. */
async function allGone(ground: Ground): Promise<void> {
  const admin = adminOf(ground);
  for (let look = 0; look < 300; look += 1) {
    const { body } = await admin.ask("/metrics", { accept: accepted.text });
    if (/^caisson_sessions 0$/mu.test(body.toString("utf8"))) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new CaissonError("E_GATE", "sessions of clients that have gone are still there");
}

async function sizeOf(ground: Ground): Promise<ScrapeSize> {
  const { body } = await adminOf(ground).ask("/metrics", { accept: accepted.openmetrics });
  const lines = body.toString("utf8").split("\n");
  const samples = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return { series: samples.map((line) => line.slice(0, line.search(/ [^ }]+(?: # .*)?$/u))), bytes: body.length };
}

/** What scrapes cost while all tunnels stand, by format, in milliseconds. */
interface ScrapeCosts {
  /** How long the event loop was busy: on a machine that others use, that is more than the CPU time. */
  readonly busyMs: Readonly<Record<Format, readonly number[]>>;
  /** CPU time of the process. */
  readonly cpuMs: Readonly<Record<Format, readonly number[]>>;
}

async function costsOf(ground: Ground): Promise<ScrapeCosts> {
  const { plan, server, place, origin } = ground;
  await using clients = new RoleProcess();
  const crowd = { do: "crowd", server: place.url.replace("http", "ws"), tunnelsEach: 1 } as const;
  const { tunnels } = await clients.ask<"crowd">({ ...crowd, target: origin.port, sessions: plan.tunnels });
  const admin = adminOf(ground);
  const { body } = await admin.ask("/metrics", { accept: accepted.text });
  if (!body.includes(`\ncaisson_tunnels{type="http"} ${tunnels}\n`)) {
    throw new CaissonError("E_GATE", `the server does not tell of ${tunnels} tunnels`);
  }
  const cpuMs: Record<Format, number[]> = { openmetrics: [], text: [] };
  const busyMs = await interleave({
    arms: formats,
    rounds: plan.scrapes,
    seed: plan.seed,
    measure: async (format) => {
      const cpu = await server.ask<"cpu">({ do: "cpu" });
      const before = await server.ask<"loop">({ do: "loop" });
      await admin.ask("/metrics", { accept: accepted[format] });
      const after = await server.ask<"loop">({ do: "loop" });
      cpuMs[format].push((await server.ask<"cpu">({ do: "cpu" })).ms - cpu.ms);
      return after.ms - before.ms;
    },
  });
  return { busyMs, cpuMs };
}

function adminOf({ place }: Ground): AdminClient {
  const { hostname, port } = new URL(place.admin);
  return new AdminClient({ host: hostname, port: Number(port) }, place.token);
}

interface Found extends ScrapeCosts {
  readonly before: ScrapeSize;
  readonly after: ScrapeSize;
}

function costRow(name: string, values: readonly number[]): Row {
  const { median, lowerQuartile, upperQuartile } = spreadOf(values);
  return [name, figure(median), `${figure(lowerQuartile)} to ${figure(upperQuartile)}`, figure(Math.max(...values))];
}

function report(plan: ScrapePlan, found: Found): BenchReport {
  const { before, after, busyMs, cpuMs } = found;
  const rows = formats.flatMap((format) => [
    costRow(`${format}: ms of the event loop`, busyMs[format]),
    costRow(`${format}: ms of CPU`, cpuMs[format]),
  ]);
  const known = new Set(before.series);
  const added = after.series.filter((name) => !known.has(name) && !ofSystem.test(name));
  const medians = formats.map((format) => spreadOf(busyMs[format]).median);
  return reportOf({
    bench: "scrape",
    plan,
    columns: ["", "median", "quartiles", "slowest"],
    rows: [
      ...rows,
      ["series before", String(before.series.length), "", ""],
      ["series after", String(after.series.length), "", ""],
      ...added.map((name): Row => [`new: ${name}`]),
      ["bytes before", String(before.bytes), "", ""],
      ["bytes after", String(after.bytes), "", ""],
    ],
    checks: [
      { what: "the median scrape, in ms of the event loop", value: Math.max(...medians), below: 20 },
      { what: "series more than before", value: added.length, below: 1 },
      // The same series with longer numbers.
      { what: "bytes more than before, in %", value: (after.bytes / before.bytes - 1) * 100, below: 5 },
    ],
    data: found,
  });
}

if (process.argv[1] === import.meta.filename) {
  const { plan, format } = askedSize(scrapePlans);
  publish(await scrape(plan), format);
}
