// What bench:throughput and bench:peers both measure: requests, small uploads, transfers and messages, with the same names
// and sizes, so that a row of one is a row of the other.

import type { Scenario } from "./division.ts";
import { messages } from "./messages.ts";
import { requests } from "./requests.ts";
import { transfer } from "./transfers.ts";

/** How much is measured. */
export interface SpeedPlan extends Readonly<Record<string, number>> {
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

/** Seconds in all: shows that everything runs and that every byte is checked, and nothing else. */
export const quickPlan: SpeedPlan = {
  rounds: 1,
  goalRounds: 1,
  transferRounds: 1,
  seconds: 1,
  warm: 0,
  messageMs: 100,
  tries: 5,
  mebibytes: 8,
  seed: 1,
};

/** Numbers of connections from which requests come. */
export const connectionCounts = [1, 16, 64, 256] as const;
/** The body of a small upload, in bytes. */
export const uploadBytes = 10_240;
/** What goals for requests are about. */
export const busyRequest = "GET 110 B, 64 connections";
export const loneRequest = "GET 110 B, 1 connection";

/** Which answers are fetched, and by how many at a time. */
export interface Gets {
  readonly path: string;
  readonly answerBytes: number;
  readonly connections: readonly number[];
  /** The number of connections of the scenario that warms up for all of its division; none if absent. */
  readonly warmedBy?: number;
}

/** GETs, one scenario for each number of connections. */
export function gets(plan: SpeedPlan, { path, answerBytes, connections, warmedBy }: Gets): readonly Scenario[] {
  const { rounds, goalRounds, seconds, warm } = plan;
  const size = answerBytes < 1_024 ? `${answerBytes} B` : `${answerBytes / 1_024} KiB`;
  return connections.map((count) => {
    const name = `GET ${size}, ${connectionText(count)}`;
    const isGoal = name === busyRequest || name === loneRequest;
    const request = { name, path, answerBytes, connections: count, seconds };
    return requests({ ...request, warmSeconds: count === warmedBy ? warm : 0, rounds: isGoal ? goalRounds : rounds });
  });
}

/** POSTs of 10 KiB, at those of the numbers that are 1 or 64. */
export function posts({ rounds, seconds, warm }: SpeedPlan, counts: readonly number[]): readonly Scenario[] {
  const body = { path: "/check", answerBytes: 0, bodyBytes: uploadBytes, rounds, seconds };
  return counts
    .filter((connections) => connections === 1 || connections === 64)
    .map((connections) => {
      const name = `POST 10 KiB, ${connectionText(connections)}`;
      return requests({ ...body, name, connections, warmSeconds: connections === 64 ? warm : 0 });
    });
}

/** A download and an upload for each number of connections. */
export function transfers({ transferRounds, mebibytes }: SpeedPlan, parallels: readonly number[]): readonly Scenario[] {
  const warmBytes = Math.min(mebibytes, 64) * 2 ** 20;
  const size = mebibytes % 1_024 === 0 ? `${mebibytes / 1_024} GiB` : `${mebibytes} MiB`;
  return parallels.flatMap((parallel) =>
    (["download", "upload"] as const).map((direction) => {
      const name = `${direction} of ${size}${parallel === 1 ? "" : `, ${parallel} parallel`}`;
      return transfer({ name, direction, bytes: mebibytes * 2 ** 20, parallel, rounds: transferRounds, warmBytes });
    }),
  );
}

/** WebSocket messages there and back. */
export function webSocketMessages({ rounds, messageMs: ms }: SpeedPlan): readonly Scenario[] {
  return [
    messages({ name: "64 B, 64 connections", bytes: 64, connections: 64, rounds, ms }),
    messages({ name: "16 KiB, 64 connections", bytes: 16_384, connections: 64, rounds, ms }),
  ];
}

function connectionText(connections: number): string {
  return connections === 1 ? "1 connection" : `${connections} connections`;
}
