// Scenarios of small requests: wrk at a number of connections.

import type { Standing } from "../contestants/contestant.ts";
import type { Scenario } from "./division.ts";
import { costOf } from "./cost.ts";
import { runWrk } from "./wrk.ts";

/** One of them. */
export interface RequestsOptions {
  readonly name: string;
  readonly path: string;
  readonly answerBytes: number;
  /** Default 0, a GET; else a POST with so many bytes of the pattern. */
  readonly bodyBytes?: number;
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
  /** Seconds before the first round; 0: no warm-up, because another scenario does it. */
  readonly warmSeconds: number;
}

/** Makes it. */
export function requests(options: RequestsOptions): Scenario {
  const { name, rounds, warmSeconds } = options;
  const load = ({ port, host }: Standing, seconds: number): Parameters<typeof runWrk>[0] => ({
    bodyBytes: 0,
    ...options,
    port,
    host,
    seconds,
  });
  return {
    name,
    rounds,
    ...(warmSeconds > 0 && {
      warm: async (standing: Standing) => void (await runWrk(load(standing, warmSeconds))),
    }),
    measure: async (standing) => {
      const { result, cost } = await costOf(standing, () => runWrk(load(standing, options.seconds)));
      const { requests: done, seconds, p50Ms, p99Ms } = result;
      return {
        requestsPerSecond: done / seconds,
        p50Ms,
        p99Ms,
        ...(cost && { cpuUsPerRequest: (cost.cpuMs * 1000) / done, peakMib: cost.peakMib }),
      };
    },
  };
}
