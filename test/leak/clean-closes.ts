// Clients and visitors that come, do what they came for, and go: nothing leaks, so the collector's ledger must say so.
// Every resource is watched. What is counted are closes of the server's resources, of whatever kind.

import { request } from "node:http";
import { connect } from "../../src/assemble/connect.ts";
import type { CaissonServer } from "../../src/assemble/serve.ts";
import { serve } from "../../src/assemble/serve.ts";
import type { ResourceReport } from "../../src/leaks/resource-report.ts";
import type { ResourceKind } from "../../src/lifecycle/resource.ts";
import { resourceKinds } from "../../src/lifecycle/resource.ts";
import { Origin } from "../../bench/harness/origin.ts";
import { PrivateAdmin } from "../support/admin-reader.ts";

/** What comes and goes with every client; deadlines and listeners, which are as many again, are watched as well. */
const counted: readonly ResourceKind[] = [
  "session",
  "tunnel",
  "stream",
  "exchange",
  "session_socket",
  "visitor_socket",
];
const clientsAtOnce = 10;
const requestsEach = 4;
/** Beyond it a closed resource may no longer be referred to: ws's close timeout and 5 s. Milliseconds. */
const closeTimeoutMs = 500;
const graceMs = closeTimeoutMs + 5_000;

/** How much. */
export interface CleanClosesOptions {
  /** Closes of the server's resources, at least. */
  readonly closes: number;
  /** Hears how many there were so far, and what is called retained. */
  readonly onProgress?: (closes: number, retained: number) => void;
}

/** What came of it. */
export interface CleanClosesResult {
  readonly closes: number;
  /** The most that were called retained at any look. Anything above 0 is a false alarm. */
  readonly mostRetained: number;
  /** What is not collected at the end, by kind; empty if all is. */
  readonly uncollected: Readonly<Partial<Record<ResourceKind, number>>>;
  /** Major collections between close and collection, per bucket of the metric, all kinds together. */
  readonly delays: Readonly<Record<string, number>>;
}

/** Runs it. */
export async function runCleanCloses({ closes, onProgress }: CleanClosesOptions): Promise<CleanClosesResult> {
  await using origin = await Origin.start();
  using admin = new PrivateAdmin();
  const limits = { closeTimeoutMs, maxVisitorsPerAddress: 10_000 };
  await using server = await serve({
    listen: "127.0.0.1:0",
    limits,
    admin: { ...admin.options, watchAll: true },
  });
  const reader = admin.reader(server);
  let mostRetained = 0;
  const look = async (): Promise<number> => {
    const report = await reader.resources();
    mostRetained = Math.max(mostRetained, total(report, "retained"));
    const done = counted.reduce((sum, kind) => sum + report.kinds[kind].closed, 0);
    onProgress?.(done, total(report, "retained"));
    return done;
  };
  let done = 0;
  while (done < closes) {
    for (let batch = 0; batch < 10; batch += 1) await comeAndGo(server, origin.port);
    done = await look();
    await reader.collect(1);
  }
  await new Promise((resolve) => setTimeout(resolve, graceMs));
  // One collection makes them suspects, four more would make them retained.
  for (let n = 0; n < 6; n += 1) {
    await reader.collect(1);
    await look();
  }
  const report = await reader.resources();
  const left = resourceKinds.filter((kind) => report.kinds[kind].uncollected > 0);
  return {
    closes: done,
    mostRetained,
    uncollected: Object.fromEntries(left.map((kind) => [kind, report.kinds[kind].uncollected])),
    delays: delaysIn(await reader.metrics()),
  };
}

async function comeAndGo(server: CaissonServer, target: number): Promise<void> {
  const one = async (): Promise<void> => {
    const client = await connect({ server: server.url.replace("http", "ws"), target });
    await Promise.all(Array.from({ length: requestsEach }, () => visit(server.url, new URL(client.url).host)));
    await client.close();
  };
  await Promise.all(Array.from({ length: clientsAtOnce }, one));
}

/** One request on a connection of its own. */
function visit(url: string, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, headers: { Host: host } });
    asked.on("response", (response) => response.resume().once("close", resolve)).on("error", reject);
    asked.end();
  });
}

function total({ kinds }: ResourceReport, figure: "retained"): number {
  return resourceKinds.reduce((sum, kind) => sum + kinds[kind][figure], 0);
}

/** The buckets of the metric are cumulative; these are not. */
function delaysIn(metrics: string): Record<string, number> {
  const delays: Record<string, number> = {};
  const buckets = metrics.matchAll(/^caisson_collection_delay_major_gcs_bucket\{(.*)\} (\d+)$/gmu);
  let below = 0;
  for (const [, labels = "", count = "0"] of buckets) {
    const bound = /le="([^"]+)"/u.exec(labels)?.[1] ?? "";
    const word = bound === "+Inf" ? "more" : `up to ${Number(bound)}`;
    delays[word] = (delays[word] ?? 0) + Number(count) - below;
    below = bound === "+Inf" ? 0 : Number(count);
  }
  return delays;
}
