// Other tunnels, beside Caisson: what bench:throughput measures, through each that is installed, started on loopback as its
// user starts it (bench/peers/README.md). Every round measures all of them. One that fails falls out, and the report says
// why; if Caisson fails, so does the bench. Without --divisions it runs what takes a quarter of an hour.
// Example: npm run bench:peers -- --divisions all --json peers.json

import { caisson, caissonTcp } from "./contestants/caisson.ts";
import { askedContest, chosenOf } from "./contest/asked-contest.ts";
import type { Absence, Found } from "./contest/contest.ts";
import { runContest } from "./contest/contest.ts";
import type { ContestReport } from "./contest/contest-report.ts";
import { contestReport, factsBefore, publishContest } from "./contest/contest-report.ts";
import type { Division } from "./contest/division.ts";
import { firstByte } from "./contest/first-byte.ts";
import type { Goal } from "./contest/goals.ts";
import { programVersions } from "./contest/program-versions.ts";
import type { SpeedPlan } from "./contest/speeds.ts";
import {
  busyRequest,
  connectionCounts,
  gets,
  posts,
  quickPlan,
  transfers,
  uploadBytes,
  webSocketMessages,
} from "./contest/speeds.ts";
import { missingWrk } from "./contest/wrk.ts";
import { oneNginx } from "./contestants/nginx.ts";
import { allPeers } from "./peers/all-peers.ts";
import type { Peer } from "./peers/peer.ts";
import { carrying } from "./peers/peer.ts";
import { CaissonError } from "../src/lifecycle/errors.ts";
import { startCheckingTarget } from "./targets/checking-target.ts";
import { smallAnswers, startNginxTarget } from "./targets/nginx-target.ts";

const standard: SpeedPlan = {
  rounds: 6,
  goalRounds: 6,
  transferRounds: 3,
  seconds: 2,
  warm: 3,
  messageMs: 1_000,
  tries: 100,
  mebibytes: 1_024,
  seed: 1,
};

/** What is run if nothing is asked for; the others are more of the same. */
const usual: readonly string[] = ["requests", "small uploads", "transfers", "first byte", "WebSocket"];

/** What is to be run. */
export interface PeersOptions {
  readonly plan: SpeedPlan;
  /** Whether goals are left out, because the plan is too small for any. */
  readonly quick: boolean;
  /** Titles of divisions, or "all". Default: those of a quarter of an hour. */
  readonly asked?: readonly string[] | undefined;
  /** Default: all that there is an adapter for. */
  readonly peers?: readonly Peer[];
  readonly onProgress?: (text: string) => void;
}

/** Measures. Rejects with E_GATE if wrk or nginx, the target, is missing. */
export async function peers(options: PeersOptions): Promise<ContestReport> {
  const { plan, quick, asked = usual, peers: field = allPeers, onProgress = () => undefined } = options;
  const missing = oneNginx.missing ?? missingWrk();
  if (missing !== undefined) throw new CaissonError("E_GATE", `bench:peers ${missing}`);
  const facts = factsBefore();
  const divisions = chosenOf(divisionsOf(plan, field), asked);
  const titles = new Set(divisions.map(({ title }) => title));
  const mayFail = new Set(field.map(({ name }) => name));
  const found: Record<string, Found[string]> = {};
  const absences: Absence[] = [];
  // One after the other: some peers have a fixed port and can stand only once.
  for (const division of divisions) {
    const part = await runContest({ divisions: [division], seed: plan.seed, onProgress, mayFail });
    Object.assign(found, part.found);
    absences.push(...part.absences);
  }
  return contestReport({
    ...facts,
    bench: "peers",
    programs: { ...programVersions(), ...versionsOf(field) },
    plan,
    divisions,
    goals: quick ? [] : goalsFor(field).filter(({ division }) => titles.has(division)),
    compared: { contestant: caisson.name, against: undefined },
    found,
    absences,
  });
}

/**
 * All that bench:throughput has, except for TCP streams: those of `caisson tcp`, rathole, bore and chisel carry the
 * requests, transfers and messages of every division here, and adapters of the others know no TCP tunnels.
 */
export function divisionsOf(plan: SpeedPlan, field: readonly Peer[]): readonly Division[] {
  const before = (
    startTarget: Division["startTarget"],
    bytes: number,
  ): Pick<Division, "contestants" | "startTarget"> => ({
    contestants: [caisson, { ...caissonTcp, name: "Caisson TCP" }, ...field.map((peer) => carrying(peer, bytes))],
    startTarget,
  });
  const small = { path: "/110", answerBytes: smallAnswers["/110"] };
  const middle = { path: "/10240", answerBytes: smallAnswers["/10240"] };
  const perRequest = ["requestsPerSecond", "cpuUsPerRequest", "p50Ms", "p99Ms", "peakMib"] as const;
  const perByte = ["megabytesPerSecond", "cpuSecondsPerGib", "peakMib"] as const;
  const transferred = plan.mebibytes * 2 ** 20;
  return [
    {
      title: "requests",
      ...before(startNginxTarget, 0),
      scenarios: gets(plan, { ...small, connections: [64, 1], warmedBy: 64 }),
      metrics: perRequest,
    },
    {
      title: "more requests",
      ...before(startNginxTarget, middle.answerBytes),
      scenarios: [
        ...gets(plan, { ...small, connections: [16, 256], warmedBy: 16 }),
        ...gets(plan, { ...middle, connections: connectionCounts, warmedBy: 64 }),
      ],
      metrics: perRequest,
    },
    {
      title: "small uploads",
      ...before(startCheckingTarget, uploadBytes),
      scenarios: posts(plan, connectionCounts),
      metrics: perRequest,
    },
    {
      title: "transfers",
      ...before(startCheckingTarget, transferred),
      scenarios: transfers(plan, [1]),
      metrics: perByte,
    },
    {
      title: "parallel transfers",
      ...before(startCheckingTarget, transferred / 16),
      scenarios: transfers(plan, [16]),
      metrics: perByte,
    },
    {
      title: "first byte",
      ...before(startNginxTarget, 0),
      scenarios: [firstByte({ path: small.path, tries: plan.tries, rounds: plan.rounds })],
      metrics: ["firstByteMs"],
    },
    {
      title: "WebSocket",
      ...before(startCheckingTarget, 0),
      scenarios: webSocketMessages(plan),
      metrics: ["messagesPerSecond", "cpuUsPerMessage"],
    },
  ];
}

/** Twice the best of those that proxy HTTP is twice each of them. */
function goalsFor(field: readonly Peer[]): readonly Goal[] {
  return field
    .filter((peer) => peer.proxies === "HTTP" && peer.missing === undefined)
    .map(({ name }) => ({
      division: "requests",
      scenario: busyRequest,
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
