// How fast: requests, transfers, first bytes, WebSocket messages and TCP streams, through Caisson as its user starts it,
// beside the target itself, one nginx, and two nginx in a row, which pass every byte as often as a tunnel does. Every round
// measures all of them. Example: npm run bench:throughput -- --rounds 6 --json throughput.json

import { caisson, caissonTcp } from "./contestants/caisson.ts";
import { direct } from "./contestants/direct.ts";
import { oneNginx, oneNginxStream, twoNginx, twoNginxStream } from "./contestants/nginx.ts";
import { askedContest, chosenOf } from "./contest/asked-contest.ts";
import { runContest } from "./contest/contest.ts";
import type { ContestReport } from "./contest/contest-report.ts";
import { contestReport, factsBefore, publishContest } from "./contest/contest-report.ts";
import type { Division } from "./contest/division.ts";
import { firstByte } from "./contest/first-byte.ts";
import type { Goal } from "./contest/goals.ts";
import { messages } from "./contest/messages.ts";
import { programVersions } from "./contest/program-versions.ts";
import type { SpeedPlan } from "./contest/speeds.ts";
import {
  busyRequest,
  connectionCounts,
  gets,
  loneRequest,
  posts,
  quickPlan,
  transfers,
  webSocketMessages,
} from "./contest/speeds.ts";
import { missingWrk } from "./contest/wrk.ts";
import { CaissonError } from "../src/lifecycle/errors.ts";
import { startCheckingTarget } from "./targets/checking-target.ts";
import { smallAnswers, startNginxTarget } from "./targets/nginx-target.ts";

const standard: SpeedPlan = {
  rounds: 6,
  goalRounds: 10,
  transferRounds: 4,
  seconds: 1,
  warm: 3,
  messageMs: 1_000,
  tries: 200,
  mebibytes: 1_024,
  seed: 1,
};

/** What is to be run. */
export interface ThroughputOptions {
  readonly plan: SpeedPlan;
  /** Whether goals are left out, because the plan is too small for any. */
  readonly quick: boolean;
  /** Titles of divisions, or "all", the default. */
  readonly asked?: readonly string[] | undefined;
  /** Only scenarios of requests with these numbers of connections; default 1, 16, 64 and 256. */
  readonly connections?: readonly number[];
  readonly onProgress?: (text: string) => void;
}

/** Measures. Rejects with E_GATE if a program is missing or one byte was wrong. */
export async function throughput(options: ThroughputOptions): Promise<ContestReport> {
  const { plan, quick, connections = connectionCounts, onProgress = () => undefined } = options;
  const missing = twoNginx.missing ?? missingWrk();
  if (missing !== undefined) throw new CaissonError("E_GATE", `bench:throughput ${missing}`);
  const facts = factsBefore();
  const divisions = chosenOf(divisionsOf(plan, connections), options.asked);
  const result = await runContest({ divisions, seed: plan.seed, onProgress, mayFail: new Set() });
  const titles = new Set(divisions.map(({ title }) => title));
  return contestReport({
    ...facts,
    ...result,
    bench: "throughput",
    programs: programVersions(),
    plan,
    divisions,
    goals: quick ? [] : goalsOf(plan).filter(({ division }) => titles.has(division)),
    compared: { contestant: caisson.name, against: twoNginx.name },
  });
}

/** All that can be asked for. */
export function divisionsOf(plan: SpeedPlan, connections: readonly number[]): readonly Division[] {
  const contestants = [direct, oneNginx, twoNginx, caisson];
  const streams = [direct, oneNginxStream, twoNginxStream, caissonTcp];
  const { rounds, messageMs: ms } = plan;
  return [
    {
      title: "requests",
      contestants,
      startTarget: startNginxTarget,
      scenarios: Object.entries(smallAnswers).flatMap(([path, answerBytes]) =>
        gets(plan, { path, answerBytes, connections, ...(path === "/110" && { warmedBy: 64 }) }),
      ),
      metrics: ["requestsPerSecond", "cpuUsPerRequest", "p50Ms", "p99Ms"],
    },
    {
      title: "small uploads",
      contestants,
      startTarget: startCheckingTarget,
      scenarios: posts(plan, connections),
      metrics: ["requestsPerSecond", "cpuUsPerRequest", "p50Ms", "p99Ms"],
    },
    {
      title: "transfers",
      contestants,
      startTarget: startCheckingTarget,
      scenarios: transfers(plan, [1, 16]),
      metrics: ["megabytesPerSecond", "cpuSecondsPerGib", "peakMib"],
    },
    {
      title: "first byte",
      contestants,
      startTarget: startNginxTarget,
      scenarios: [firstByte({ path: "/110", tries: plan.tries, rounds })],
      metrics: ["firstByteMs"],
    },
    {
      title: "WebSocket",
      contestants,
      startTarget: startCheckingTarget,
      scenarios: webSocketMessages(plan),
      metrics: ["messagesPerSecond", "cpuUsPerMessage"],
    },
    {
      title: "TCP",
      contestants: streams,
      startTarget: startCheckingTarget,
      scenarios: [
        ...transfers(plan, [1]),
        messages({ name: "64 B there and back, 64 connections", bytes: 64, connections: 64, rounds, ms }),
      ],
      metrics: ["megabytesPerSecond", "cpuSecondsPerGib", "peakMib", "messagesPerSecond", "cpuUsPerMessage"],
    },
  ];
}

function goalsOf(plan: SpeedPlan): readonly Goal[] {
  const beside = { contestant: caisson.name, against: twoNginx.name };
  const busy = { division: "requests", scenario: busyRequest, ...beside };
  const lone = { division: "requests", scenario: loneRequest, ...beside };
  const transferred = { division: "transfers", metric: "megabytesPerSecond", ...beside } as const;
  return [
    { ...busy, metric: "requestsPerSecond", bound: { atLeast: 1.2 } },
    { ...busy, metric: "cpuUsPerRequest", bound: { atMost: 0.85 } },
    { ...lone, metric: "p50Ms", bound: { atMost: 1.3 } },
    ...transfers(plan, [1, 16]).map(({ name }): Goal => ({ ...transferred, scenario: name, bound: { atLeast: 1 } })),
  ];
}

if (process.argv[1] === import.meta.filename) {
  // Else what it started would stay.
  process.once("SIGTERM", () => process.exit(143));
  const { jsonFile, ...asked } = askedContest({ standard, quick: quickPlan });
  const onProgress = (text: string): void => void process.stderr.write(`${text}\n`);
  publishContest(await throughput({ ...asked, onProgress }), jsonFile);
}
