// The null run: visitors ask the origin without any server between, and the process that is measured is the load generator
// itself. It proves that what the gate finds is not its own.

import { CaissonError } from "../../src/lifecycle/errors.ts";
import { brokenEnd } from "./broken-end.ts";
import { WrongAnswer } from "./network/wrong-answer.ts";
import { Worker } from "./processes/worker.ts";
import type { GatePlan } from "./options.ts";
import type { OnStarted } from "./processes/node-process.ts";
import type { OriginOrder } from "./processes/origin-worker.ts";
import { inspectorIn, readingFlags } from "./processes/server-process.ts";
import { soon } from "./processes/soon.ts";
import type { VisitorOrder } from "./processes/visitor-orders.ts";
import type { Progress } from "./progress.ts";
import { descriptorsOf, tcpCounters } from "./readings/kernel.ts";
import { MachineNoise } from "./readings/machine-noise.ts";
import { ProcessReader } from "./readings/process-reader.ts";
import { nullScenario } from "./scenarios/list.ts";
import type { ScenarioFacts } from "./reports/run-facts.ts";
import type { Verdict } from "./verdict/finding.ts";
import type { Sample } from "./verdict/sample.ts";
import { judge } from "./verdict/verdict.ts";

/** What the null run needs of its surroundings. */
export interface NullRunContext {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly flags: readonly string[];
}

/** What the null run came to. */
export interface NullRunResult {
  readonly verdict: Verdict;
  readonly samples: readonly Sample[];
  /** The first thing that was not as it should have been, and that the machine does not explain. */
  readonly failure: CaissonError | undefined;
  readonly node: string;
  readonly scenarios: readonly ScenarioFacts[];
}

/** Visits per client of a round: one alone, and the rest in bulk. */
const loadPerClient = 4;

/**
 * Carries it out. A round's clients are visitors here, each on a connection of its own. Rejects only when it is aborted: what
 * else goes wrong is in the result.
 */
export async function runNull(plan: GatePlan, { progress, signal, flags }: NullRunContext): Promise<NullRunResult> {
  const noise = new MachineNoise();
  const onStarted: OnStarted = (started) => noise.watch(started);
  const origin = new Worker<OriginOrder>({ script: "./origin-worker.js", title: "the origin", onStarted });
  const visitors = new Worker<VisitorOrder>({
    script: "./visitor-worker.js",
    title: "the visitors",
    nodeFlags: [...flags, ...readingFlags],
    onStarted,
  });
  const samples: Sample[] = [];
  const total = plan.warmupRounds + plan.rounds;
  let connections = 0;
  let requests = 0;
  const result = (end: Pick<NullRunResult, "verdict" | "failure">): NullRunResult => ({
    ...end,
    samples,
    node: process.version,
    scenarios: [{ name: nullScenario, title: "no server", rounds: samples.length, connections, requests }],
  });
  const nodeMajor = Number.parseInt(process.version.slice(1), 10);
  // Whatever is being waited for fails at once then.
  const onAbort = (): void => void visitors.process.kill();
  signal.addEventListener("abort", onAbort);
  try {
    const { port = 0 } = await origin.ask({ do: "listen" });
    const reader = await ProcessReader.connect(await visitors.process.line(inspectorIn));
    const startedAtMs = performance.now();
    for (let round = 0; round < total; round += 1) {
      signal.throwIfAborted();
      noise.begin();
      const hosts = Array.from({ length: plan.roundSize }, (_, at) => `visitor-${round}-${at}.localhost`);
      const amount = plan.roundSize * loadPerClient;
      const alone = await visitors.ask({ do: "get", port, hosts });
      const bulk = await visitors.ask({ do: "load", port, hosts, amount, connections: 8 });
      connections += plan.roundSize;
      requests += (alone["answered"] ?? 0) + (bulk["answered"] ?? 0);
      const { memory, handles, census } = await reader.read({ census: true });
      samples.push({
        round,
        connections,
        requests,
        memory,
        handles,
        ...census,
        phase: round < plan.warmupRounds - 1 ? "warmup" : "measure",
        atMs: performance.now() - startedAtMs,
        kinds: undefined,
        probes: {},
        fds: await descriptorsOf(visitors.process.pid),
        tcp: await tcpCounters(),
      });
      progress.step({ title: "null round", done: round + 1, total, detail: `${requests} requests` });
    }
    await reader.close();
    return result({ verdict: judge(samples, { nodeMajor, final: true }), failure: undefined });
  } catch (error) {
    signal.throwIfAborted();
    const failure = CaissonError.from(error, "E_GATE");
    const died = await soon(() => origin.process.died || visitors.process.died);
    const certain = died || failure.cause instanceof WrongAnswer;
    const verdict = judge(samples, { nodeMajor, final: true, keepsPatience: true });
    const seen = certain ? undefined : noise.seen();
    return result(brokenEnd(verdict, { round: samples.length, failure, rested: false, noise: seen }));
  } finally {
    signal.removeEventListener("abort", onAbort);
    progress.end();
    noise.close();
    await Promise.all([visitors.process.kill(), origin.process.kill()]);
  }
}
