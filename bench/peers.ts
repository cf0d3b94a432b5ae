// Other tunnels, beside Caisson: requests and transfers through each that is installed, started on loopback as its user
// starts it (bench/peers/README.md). Every round measures all of them. One that fails falls out, and the report says why.
// Example: npm run bench:peers -- --rounds 8 --json peers.json

import { caisson, caissonTcp } from "./contestants/caisson.ts";
import { askedContest } from "./contest/asked-contest.ts";
import type { Absence, Found } from "./contest/contest.ts";
import { runContest } from "./contest/contest.ts";
import type { ContestReport } from "./contest/contest-report.ts";
import { contestReport, factsBefore, publishContest } from "./contest/contest-report.ts";
import type { Division } from "./contest/division.ts";
import type { Goal } from "./contest/goals.ts";
import { programVersions } from "./contest/program-versions.ts";
import { requests } from "./contest/requests.ts";
import { transfer } from "./contest/transfers.ts";
import { missingWrk } from "./contest/wrk.ts";
import { oneNginx } from "./contestants/nginx.ts";
import { allPeers } from "./peers/all-peers.ts";
import type { Peer } from "./peers/peer.ts";
import { carrying } from "./peers/peer.ts";
import { CaissonError } from "../src/lifecycle/errors.ts";
import { startCheckingTarget } from "./targets/checking-target.ts";
import { startNginxTarget } from "./targets/nginx-target.ts";

/** How much is measured. */
export interface PeersPlan extends Readonly<Record<string, number>> {
  readonly rounds: number;
  readonly transferRounds: number;
  /** Whole seconds of each measurement of requests, as wrk takes them. */
  readonly seconds: number;
  /** Seconds of requests before the first round. */
  readonly warm: number;
  /** The size of a transfer. */
  readonly mebibytes: number;
  readonly seed: number;
}

const standard: PeersPlan = { rounds: 6, transferRounds: 3, seconds: 2, warm: 3, mebibytes: 1_024, seed: 1 };
/** Seconds in all: shows that everything runs, and nothing else. */
export const quickPlan: PeersPlan = { rounds: 1, transferRounds: 1, seconds: 1, warm: 0, mebibytes: 8, seed: 1 };

/** What is to be run. */
export interface PeersOptions {
  readonly plan: PeersPlan;
  /** Whether goals are left out, because the plan is too small for any. */
  readonly quick: boolean;
  readonly only?: string | undefined;
  /** Default: all that there is an adapter for. */
  readonly peers?: readonly Peer[];
  readonly onProgress?: (text: string) => void;
}

/** Measures. Rejects with E_GATE if wrk or nginx, the target, is missing. */
export async function peers(options: PeersOptions): Promise<ContestReport> {
  const { plan, quick, only = "", peers: field = allPeers, onProgress = () => undefined } = options;
  const missing = oneNginx.missing ?? missingWrk();
  if (missing !== undefined) throw new CaissonError("E_GATE", `bench:peers ${missing}`);
  const facts = factsBefore();
  const divisions = divisionsOf(plan, field).filter(({ title }) => title.includes(only));
  if (divisions.length === 0) throw new CaissonError("E_USAGE", `no division's title holds "${only}"`);
  const found: Record<string, Found[string]> = {};
  const absences: Absence[] = [];
  // One after the other: some peers have a fixed port and can stand only once.
  for (const division of divisions) {
    const part = await runContest({ divisions: [division], seed: plan.seed, onProgress, forgives: true });
    Object.assign(found, part.found);
    absences.push(...part.absences);
  }
  return contestReport({
    ...facts,
    bench: "peers",
    programs: { ...programVersions(), ...versionsOf(field) },
    plan,
    divisions,
    goals: quick ? [] : goalsFor(field),
    compared: { contestant: caisson.name, against: undefined },
    found,
    absences,
  });
}

function divisionsOf(plan: PeersPlan, field: readonly Peer[]): readonly Division[] {
  const ours = [caisson, { ...caissonTcp, name: "Caisson TCP" }];
  const { rounds, transferRounds, seconds, warm, mebibytes } = plan;
  const get = { path: "/110", answerBytes: 110, rounds, seconds };
  const size = mebibytes % 1_024 === 0 ? `${mebibytes / 1_024} GiB` : `${mebibytes} MiB`;
  const big = {
    bytes: mebibytes * 2 ** 20,
    parallel: 1,
    rounds: transferRounds,
    warmBytes: Math.min(mebibytes, 64) * 2 ** 20,
  };
  return [
    {
      title: "requests",
      contestants: [...ours, ...field],
      startTarget: startNginxTarget,
      scenarios: [
        requests({ ...get, name: busy, connections: 64, warmSeconds: warm }),
        requests({ ...get, name: "GET 110 B, 1 connection", connections: 1, warmSeconds: 0 }),
      ],
      metrics: ["requestsPerSecond", "cpuUsPerRequest", "p50Ms", "p99Ms", "peakMib"],
    },
    {
      title: "transfers",
      contestants: [...ours, ...field.map((peer) => carrying(peer, big.bytes))],
      startTarget: startCheckingTarget,
      scenarios: [
        transfer({ ...big, name: `download of ${size}`, direction: "download" }),
        transfer({ ...big, name: `upload of ${size}`, direction: "upload" }),
      ],
      metrics: ["megabytesPerSecond", "cpuSecondsPerGib", "peakMib"],
    },
  ];
}

const busy = "GET 110 B, 64 connections";

/** Twice the best of those that proxy HTTP is twice each of them. */
function goalsFor(field: readonly Peer[]): readonly Goal[] {
  return field
    .filter((peer) => peer.proxies === "HTTP" && peer.missing === undefined)
    .map(({ name }) => ({
      division: "requests",
      scenario: busy,
      metric: "requestsPerSecond",
      contestant: caisson.name,
      against: name,
      bound: { atLeast: name === "tunnelmole" ? 10 : 2 },
    }));
}

function versionsOf(field: readonly Peer[]): Readonly<Record<string, string>> {
  const told = field
    .filter((peer) => peer.missing === undefined)
    .map((peer) => [peer.name, peer.version() ?? "of unknown version"] as const);
  return Object.fromEntries(told);
}

if (process.argv[1] === import.meta.filename) {
  // Else what it started would stay.
  process.once("SIGTERM", () => process.exit(143));
  const { jsonFile, ...asked } = askedContest({ standard, quick: quickPlan });
  const onProgress = (text: string): void => void process.stderr.write(`${text}\n`);
  publishContest(await peers({ ...asked, onProgress }), jsonFile);
}
