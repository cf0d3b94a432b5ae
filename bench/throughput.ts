// How fast: requests, transfers, first bytes, WebSocket messages and TCP streams, through Caisson as its user starts it,
// beside the target itself, one nginx, and two nginx in a row, which pass every byte as often as a tunnel does. Every round
// measures all of them. Example: npm run bench:throughput -- --rounds 6 --json throughput.json

import { caisson, caissonTcp } from "./contestants/caisson.ts";
import { direct } from "./contestants/direct.ts";
import { oneNginx, oneNginxStream, twoNginx, twoNginxStream } from "./contestants/nginx.ts";
import { askedContest } from "./contest/asked-contest.ts";
import { runContest } from "./contest/contest.ts";
import type { ContestReport } from "./contest/contest-report.ts";
import { contestReport, factsBefore, publishContest } from "./contest/contest-report.ts";
import type { Division, Scenario } from "./contest/division.ts";
import { firstByte } from "./contest/first-byte.ts";
import type { Goal } from "./contest/goals.ts";
import { messages } from "./contest/messages.ts";
import { programVersions } from "./contest/program-versions.ts";
import { requests } from "./contest/requests.ts";
import { transfer } from "./contest/transfers.ts";
import { missingWrk } from "./contest/wrk.ts";
import { CaissonError } from "../src/lifecycle/errors.ts";
import { startCheckingTarget } from "./targets/checking-target.ts";
import { smallAnswers, startNginxTarget } from "./targets/nginx-target.ts";

/** How much is measured. */
export interface ThroughputPlan extends Readonly<Record<string, number>> {
  readonly rounds: number;
  /** Rounds of the requests that goals are about, which want narrower intervals. */
  readonly goalRounds: number;
  /** Rounds of the transfers, which take longest. */
  readonly transferRounds: number;
  /** Whole seconds of each measurement of requests, as wrk takes them. */
  readonly seconds: number;
  /** Seconds of requests before the first round, until code is compiled. */
  readonly warm: number;
  /** Milliseconds of each measurement of messages. */
  readonly messageMs: number;
  /** New connections of each measurement of first bytes. */
  readonly tries: number;
  /** The size of a transfer, over all its connections. */
  readonly mebibytes: number;
  readonly seed: number;
}

const standard: ThroughputPlan = {
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
/** Seconds in all: shows that everything runs and that every byte is checked, and nothing else. */
export const quickPlan: ThroughputPlan = {
  rounds: 1,
  goalRounds: 1,
  transferRounds: 1,
  seconds: 1,
  warm: 0,
  messageMs: 100,
  tries: 5,
  mebibytes: 16,
  seed: 1,
};

const connectionCounts = [1, 16, 64, 256] as const;
/** What the goals for requests are about; the first also warms up. */
const busyRequest = "GET 110 B, 64 connections";
const loneRequest = "GET 110 B, 1 connection";

/** What is to be run. */
export interface ThroughputOptions {
  readonly plan: ThroughputPlan;
  /** Whether goals are left out, because the plan is too small for any. */
  readonly quick: boolean;
  /** Only divisions whose titles hold this word. */
  readonly only?: string | undefined;
  /** Only scenarios of requests with these numbers of connections; default 1, 16, 64 and 256. */
  readonly connections?: readonly number[];
  readonly onProgress?: (text: string) => void;
}

/** Measures. Rejects with E_GATE if a program is missing or one byte was wrong. */
export async function throughput(options: ThroughputOptions): Promise<ContestReport> {
  const { plan, quick, only = "", connections = connectionCounts, onProgress = () => undefined } = options;
  const missing = twoNginx.missing ?? missingWrk();
  if (missing !== undefined) throw new CaissonError("E_GATE", `bench:throughput ${missing}`);
  const facts = factsBefore();
  const divisions = divisionsOf(plan, connections).filter(({ title }) => title.includes(only));
  if (divisions.length === 0) throw new CaissonError("E_USAGE", `no division's title holds "${only}"`);
  const result = await runContest({ divisions, seed: plan.seed, onProgress, forgives: false });
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

function divisionsOf(plan: ThroughputPlan, connections: readonly number[]): readonly Division[] {
  const contestants = [direct, oneNginx, twoNginx, caisson];
  const streams = [direct, oneNginxStream, twoNginxStream, caissonTcp];
  const { rounds, transferRounds, messageMs: ms } = plan;
  return [
    {
      title: "requests",
      contestants,
      startTarget: startNginxTarget,
      scenarios: Object.entries(smallAnswers).flatMap(([path, answerBytes]) =>
        getting(plan, { path, answerBytes, connections }),
      ),
      metrics: ["requestsPerSecond", "cpuUsPerRequest", "p50Ms", "p99Ms"],
    },
    {
      title: "small uploads",
      contestants,
      startTarget: startCheckingTarget,
      scenarios: posting(plan, connections),
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
      scenarios: [
        messages({ name: "64 B, 64 connections", bytes: 64, connections: 64, rounds, ms }),
        messages({ name: "16 KiB, 64 connections", bytes: 16_384, connections: 64, rounds, ms }),
      ],
      metrics: ["messagesPerSecond", "cpuUsPerMessage"],
    },
    {
      title: "TCP",
      contestants: streams,
      startTarget: startCheckingTarget,
      scenarios: [
        ...transfers({ ...plan, transferRounds: Math.ceil(transferRounds / 2) }, [1]),
        messages({ name: "64 B there and back, 64 connections", bytes: 64, connections: 64, rounds, ms }),
      ],
      metrics: ["megabytesPerSecond", "cpuSecondsPerGib", "peakMib", "messagesPerSecond", "cpuUsPerMessage"],
    },
  ];
}

function getting(
  { rounds, goalRounds, seconds, warm }: ThroughputPlan,
  answer: { readonly path: string; readonly answerBytes: number; readonly connections: readonly number[] },
): readonly Scenario[] {
  const { path, answerBytes } = answer;
  const size = answerBytes < 1_024 ? `${answerBytes} B` : `${answerBytes / 1_024} KiB`;
  return answer.connections.map((connections) => {
    const name = `GET ${size}, ${connectionText(connections)}`;
    const warmSeconds = name === busyRequest ? warm : 0;
    const isGoal = name === busyRequest || name === loneRequest;
    const request = { name, path, answerBytes, connections, seconds, warmSeconds };
    return requests({ ...request, rounds: isGoal ? goalRounds : rounds });
  });
}

function posting({ rounds, seconds, warm }: ThroughputPlan, counts: readonly number[]): readonly Scenario[] {
  const body = { path: "/check", answerBytes: 0, bodyBytes: 10_240, rounds, seconds };
  return counts
    .filter((connections) => connections === 1 || connections === 64)
    .map((connections) => {
      const name = `POST 10 KiB, ${connectionText(connections)}`;
      return requests({ ...body, name, connections, warmSeconds: connections === 64 ? warm : 0 });
    });
}

function transfers({ transferRounds, mebibytes }: ThroughputPlan, parallels: readonly number[]): readonly Scenario[] {
  const warmBytes = Math.min(mebibytes, 64) * 2 ** 20;
  const size = mebibytes % 1_024 === 0 ? `${mebibytes / 1_024} GiB` : `${mebibytes} MiB`;
  return parallels.flatMap((parallel) =>
    (["download", "upload"] as const).map((direction) => {
      const name = `${direction} of ${size}${parallel === 1 ? "" : `, ${parallel} parallel`}`;
      return transfer({ name, direction, bytes: mebibytes * 2 ** 20, parallel, rounds: transferRounds, warmBytes });
    }),
  );
}

function connectionText(connections: number): string {
  return connections === 1 ? "1 connection" : `${connections} connections`;
}

function goalsOf(plan: ThroughputPlan): readonly Goal[] {
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
