// A gate run on any Node server: rounds of clients that a driver makes, a sample of the attached process after each, and a
// verdict. It ends the driver's process and lets go of the server, which goes on running. A run that breaks off is judged by
// what it had measured.

import { resolve } from "node:path";
import { CaissonError } from "../../../src/lifecycle/errors.ts";
import type { BrokenEnd } from "../broken-end.ts";
import { brokenEnd } from "../broken-end.ts";
import { soon } from "../processes/soon.ts";
import { Worker } from "../processes/worker.ts";
import { MachineNoise } from "../readings/machine-noise.ts";
import { restUntil, usualRestMs } from "../rest.ts";
import type { Finding, Verdict } from "../verdict/finding.ts";
import { betweenIdleMs, idleCouldTell, idleReadings } from "../verdict/idle-growth.ts";
import { judgeRested } from "../verdict/rested.ts";
import { restCleared } from "../verdict/stopping.ts";
import type { Sample } from "../verdict/sample.ts";
import { judge } from "../verdict/verdict.ts";
import { AttachedProcess } from "./attached-process.ts";
import type { DriverOrder } from "./driver-worker.ts";
import { inspectorUrl } from "./inspector-address.ts";

/** What is gated, and how long at most. */
export interface AttachOptions {
  /** See {@link inspectorUrl}. */
  readonly attach: string;
  /** Path of the driver's file, from the working directory. */
  readonly driver: string;
  /** Clients in each round, all connected at once. Default 200. */
  readonly clients?: number;
  /** Measured rounds at most, at least 8. Default 40. */
  readonly rounds?: number;
  /** Milliseconds without any client before a leak is told; what is gone by then was none. Default 32,000. */
  readonly restMs?: number;
  /** Connections before something that grows counts as a leak and not as a cache that fills. Default 2,000. */
  readonly patience?: number;
  /** Told before a rest. */
  readonly onRest?: (ms: number) => void;
  /** Told after every round. */
  readonly onSample?: (sample: Sample) => void;
  /** Ends the run early, with a rejection. */
  readonly signal?: AbortSignal;
}

/** What came out. */
export interface AttachResult {
  readonly verdict: Verdict;
  readonly samples: readonly Sample[];
  /** Version of the Node that was measured. */
  readonly node: string;
  readonly flags: readonly string[];
  /** `jit` unless the process was started without optimising compilers: only then does the heap gate. */
  readonly mode: "quiet" | "jit";
  /** What went wrong after the driver was loaded, and is not explained by the machine. */
  readonly failure: CaissonError | undefined;
}

/** Rounds before the baseline, while caches, pools and inline caches of the server fill. */
export const warmUpRounds = 3;
/** Rounds of a clean run before it may end; fewer decide nothing. */
export const leastRounds = 8;
/** So many clients come between two rests, in so many rounds at least. */
const clientsBetweenRests = 1_000;
const leastBetweenRests = 4;

/**
 * Runs the gate on an attached process.
 * @throws E_USAGE for an address that is none, E_GATE if nothing could be measured: no inspector answers, or the driver is none;
 * E_ABORTED when the signal ended it
 */
export async function attachRun(options: AttachOptions): Promise<AttachResult> {
  const { signal } = options;
  const url = await inspectorUrl(options.attach);
  const target = await AttachedProcess.attach(url);
  const noise = new MachineNoise();
  const driver = new Worker<DriverOrder>({
    title: "the driver",
    script: "../attach/driver-worker.js",
    onStarted: (started) => noise.watch(started),
  });
  // Whatever is being waited for fails at once then.
  const onAbort = (): void => void driver.process.kill();
  signal?.addEventListener("abort", onAbort);
  try {
    signal?.throwIfAborted();
    await driver.ask({ do: "load", path: resolve(options.driver) });
    const samples: Sample[] = [];
    const { verdict, failure } = await measure(options, { target, driver, noise, samples });
    const { node, flags } = target.identity;
    return { verdict: containersFirst(verdict), samples, node, flags, mode: isQuiet(flags) ? "quiet" : "jit", failure };
  } finally {
    signal?.removeEventListener("abort", onAbort);
    noise.close();
    await driver.process.stop();
    await target.close();
  }
}

interface Parties {
  readonly target: AttachedProcess;
  readonly driver: Worker<DriverOrder>;
  readonly noise: MachineNoise;
  /** Filled round by round. */
  readonly samples: Sample[];
}

async function measure(options: AttachOptions, { target, driver, noise, samples }: Parties): Promise<BrokenEnd> {
  const { clients = 200, rounds = 40, patience, restMs = usualRestMs, onRest, onSample, signal } = options;
  const { node, flags } = target.identity;
  const judging = {
    nodeMajor: Number(/\d+/u.exec(node)?.[0] ?? 0),
    heapGates: isQuiet(flags),
    // Nobody knows what this process keeps for a while: however short the run, what grows may be filling up.
    keepsPatience: true,
    // The rest tells what is only kept for a while.
    patienceMs: 0,
    ...(patience !== undefined && { patience }),
  };
  // A run lasts for as long as what is kept for a while, so that also what is done late shows.
  const paceMs = restMs / Math.min(leastRounds + 2, Math.max(1, rounds - 1));
  const startedAtMs = performance.now();
  let requests = 0;
  let idle: readonly Sample[] = [];
  let round = 0;
  /** The sample after the rest that took away what had grown, and the round after which the next rest is due. */
  let cleared: { readonly at: number; readonly due: number } | undefined;
  let rested = false;
  try {
    for (; ; round += 1) {
      signal?.throwIfAborted();
      const beganAtMs = performance.now();
      rested = false;
      noise.begin();
      const { used = 0 } = await driver.ask({ do: "round", first: round * clients, clients });
      requests += used;
      const leftAtMs = performance.now();
      await target.settle();
      const phase = round < warmUpRounds ? "warmup" : "measure";
      const connections = (round + 1) * clients;
      const read = (): Promise<Sample> => {
        const atMs = Math.round(performance.now() - startedAtMs);
        return target.sample({ round, phase, atMs, connections, requests });
      };
      const sample = await read();
      samples.push(sample);
      onSample?.(sample);
      const measured = round + 1 - warmUpRounds;
      const final = measured > rounds;
      const judged = (): Verdict => {
        const verdict = judge(samples, { ...judging, final, idle });
        return cleared === undefined ? verdict : judgeRested(samples.slice(cleared.at), verdict, { ...judging, idle });
      };
      const rest = async (): Promise<void> => {
        onRest?.(restMs);
        await restUntil(leftAtMs + restMs, { signal });
        samples.push(await read());
        rested = true;
      };
      const mayEnd = cleared === undefined ? final || measured > leastRounds : round >= cleared.due;
      if (mayEnd) {
        let verdict = judge(samples, { ...judging, final, idle });
        if (verdict.outcome === "leak" || cleared !== undefined || idleCouldTell(verdict, { final })) {
          const before = verdict;
          await rest();
          verdict = judged();
          const due = round + Math.max(leastBetweenRests, Math.ceil(clientsBetweenRests / clients));
          if (cleared === undefined && restCleared(before, verdict)) cleared = { at: samples.length - 1, due };
          else if (idleCouldTell(verdict, { final: final || cleared !== undefined })) {
            idle = await readAgain(read, { betweenMs: betweenIdleMs(verdict, samples), signal });
            verdict = judged();
          }
        }
        const isOver = cleared === undefined ? final || verdict.outcome !== "undecided" : round >= cleared.due;
        if (isOver) return { verdict, failure: undefined };
      }
      if (phase === "measure") await restUntil(beganAtMs + paceMs, { signal });
    }
  } catch (error) {
    if (signal?.aborted === true) throw new CaissonError("E_ABORTED", "the run was ended early");
    const failure = CaissonError.from(error, "E_GATE");
    // Without a processor a driver may miss deadlines of its own. One that died has died on any machine, and so has the server.
    const certain = await soon(() => driver.process.died || target.isLost);
    const verdict = judge(samples, { ...judging, final: true, idle });
    const seen = certain ? undefined : noise.seen();
    return brokenEnd(verdict, { round, failure, rested, noise: seen });
  }
}

/** What is read of a process while nobody comes. */
async function readAgain(
  read: () => Promise<Sample>,
  { betweenMs, signal }: { readonly betweenMs: number; readonly signal: AbortSignal | undefined },
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (let n = 0; n < idleReadings; n += 1) {
    if (n > 0) await restUntil(performance.now() + betweenMs, { signal });
    samples.push(await read());
  }
  return samples;
}

/** What holds everything else is what a reader wants to see first; objects and listeners only follow from it. */
function containersFirst(verdict: Verdict): Verdict {
  const rank = ({ ledger }: Finding): number => (ledger === "probe" ? 0 : 1);
  return { ...verdict, findings: verdict.findings.toSorted((a, b) => rank(a) - rank(b)) };
}

function isQuiet(flags: readonly string[]): boolean {
  return flags.includes("--jitless") || flags.includes("--no-opt");
}
