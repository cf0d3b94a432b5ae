// A gate run from request to report: starts the processes, carries out the rounds, judges, and ends every process that it
// started, whatever happened.

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { version } from "../../src/assemble/version.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { commitOf } from "./commit.ts";
import { Ground } from "./ground.ts";
import { runNull } from "./null-run.ts";
import type { GatePlan, GateRequest } from "./options.ts";
import { hostFacts, planOf } from "./options.ts";
import { quietFlags } from "./processes/quiet-flags.ts";
import { holds, inspectorIn, ServerProcess } from "./processes/server-process.ts";
import type { Progress } from "./progress.ts";
import { AdminReader } from "./readings/admin-reader.ts";
import { ClientReadings } from "./readings/client-readings.ts";
import { WrongAnswer } from "./network/wrong-answer.ts";
import type { NodeProcess } from "./processes/node-process.ts";
import { MachineNoise } from "./readings/machine-noise.ts";
import { ProcessReader } from "./readings/process-reader.ts";
import { ServerReadings } from "./readings/server-readings.ts";
import type { GateReport, RunFacts } from "./reports/run-facts.ts";
import type { RoundsResult } from "./rounds.ts";
import { neverBegun, Rounds } from "./rounds.ts";
import { Standing } from "./standing.ts";

/** What a run tells while it goes on, and what ends it early. */
export interface RunContext {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** A finished run. */
export interface GateRun {
  readonly report: GateReport;
  /** The first thing that was not as it should have been: without a leak that explains it, the run has failed. */
  readonly failure: CaissonError | undefined;
}

/** What the mode that only reports is warmed up with. */
const jitWarmupRounds = 2;
/** A machine that is so many times slower than the bound supposes still gets its planned rounds. */
const overBound = 3;
/** The longest that a healthy server of our own keeps anything after a round, and some room, in milliseconds. */
const settleMs: number = holds.deadAfterMs + holds.nameHoldMs + holds.closeTimeoutMs + 3_000;
/** The same of a server with default settings. */
const runningSettleMs = 25_000 + 60_000 + 30_000;
/** The collector's grace beyond the close timeout, in milliseconds, and a moment. */
const graceMs = 5_200;
const runningGraceMs = 35_200;

/** Carries out a run. Rejects with E_USAGE for a request that makes no sense, E_GATE when it was aborted. */
export async function runGate(request: GateRequest, context: RunContext): Promise<GateRun> {
  const plan = planOf(request);
  const startedAt = new Date();
  const startedAtMs = performance.now();
  const flags = quietFlags();
  const facts = (
    mode: RunFacts["mode"],
    more: Pick<RunFacts, "subject" | "node" | "flags" | "scenarios">,
  ): RunFacts => {
    const commit = commitOf();
    return {
      version,
      ...(commit !== undefined && { commit }),
      ...more,
      host: hostFacts(),
      seed: plan.seed,
      mode,
      startedAt: startedAt.toISOString(),
      elapsedMs: Math.round(performance.now() - startedAtMs),
      undecided: request.undecided ?? "fail",
      ...(request.command !== undefined && { command: request.command }),
    };
  };
  if (plan.isNull) {
    const { verdict, samples, node, scenarios, failure } = await runNull(plan, { ...context, flags });
    const report = {
      verdict,
      samples,
      facts: facts("quiet", { subject: "the load generator", node, flags, scenarios }),
      ...(failure && { failure: failure.message }),
    };
    return { report, failure };
  }
  const work = { request, plan, context };
  const endsAtMs = startedAtMs + plan.boundMs;
  const latestMs = startedAtMs + plan.boundMs * overBound;
  const quiet = await measure({ ...work, mode: "quiet", flags, rounds: plan.rounds, endsAtMs, latestMs });
  const { verdict, samples } = quiet.result;
  // With a leak in hand there is nothing that the second mode could add.
  const jit =
    plan.jitRounds === 0 || verdict.outcome === "leak" || quiet.result.failure || quiet.result.brokenOff
      ? undefined
      : await measure({
          ...work,
          plan: { ...plan, warmupRounds: Math.min(jitWarmupRounds, plan.warmupRounds) },
          mode: "jit",
          flags: [],
          rounds: plan.jitRounds,
          endsAtMs: 0,
          latestMs: Number.POSITIVE_INFINITY,
        });
  const subject = request.running ? request.running.url : "caisson serve";
  const scenarios = quiet.result.scenarios;
  const failure = quiet.result.failure ?? jit?.result.failure;
  return {
    report: {
      verdict,
      samples,
      client: quiet.result.clientSamples,
      facts: facts(request.running ? "jit" : "quiet", {
        subject,
        node: quiet.node,
        flags: request.running ? [] : flags,
        scenarios,
      }),
      ...(failure && { failure: failure.message }),
      ...(jit && { jit: { verdict: jit.result.verdict, samples: jit.result.samples } }),
    },
    failure,
  };
}

interface Measuring {
  readonly request: GateRequest;
  readonly plan: GatePlan;
  readonly context: RunContext;
  readonly mode: RunFacts["mode"];
  readonly flags: readonly string[];
  readonly rounds: number;
  readonly endsAtMs: number;
  readonly latestMs: number;
}

async function measure(work: Measuring): Promise<{ readonly result: RoundsResult; readonly node: string }> {
  const { request, plan, context, mode, flags, rounds, endsAtMs, latestMs } = work;
  const { running, importServer, importClient, serverFlags = [] } = request;
  const { progress, signal } = context;
  const closing: (() => Promise<void>)[] = [];
  const noise = new MachineNoise();
  closing.push(async () => noise.close());
  const processes: NodeProcess[] = [];
  const onStarted = (started: NodeProcess): void => {
    processes.push(started);
    noise.watch(started);
  };
  const excuse = (error: CaissonError): string | undefined => {
    // A process that is gone is gone on any machine, and wrong bytes are wrong.
    const certain = signal.aborted || processes.some(({ died }) => died) || error.cause instanceof WrongAnswer;
    return certain ? undefined : noise.seen();
  };
  try {
    const server = running
      ? undefined
      : await ServerProcess.start({
          nodeFlags: flags,
          serverFlags,
          onStarted,
          ...importOf("importFirst", importServer),
        });
    if (server) closing.push(() => server.stop());
    const ground = await Ground.start({
      serverUrl: server?.url ?? running?.url ?? "",
      domain: running?.domain ?? "localhost",
      token: running?.token,
      // A server that others use, or that an earlier run used, may hold the names of this seed.
      seed: plan.seed,
      prefix: running ? `g${randomUUID().slice(0, 8)}` : "g",
      rate: plan.rate,
      measuredFlags: flags,
      importFirst: importClient === undefined ? undefined : specifierOf(importClient),
      onStarted,
    });
    closing.push(() => ground.stop());
    // Whatever is being waited for fails at once when its process is gone.
    const onAbort = (): void => void ground.stop();
    const standing = await Standing.begin(ground);
    const inspector = server && (await ProcessReader.connect(server.inspector));
    if (inspector) closing.push(() => inspector.close());
    const client = new ClientReadings(
      ground.crew,
      await ProcessReader.connect(await ground.crew.process.line(inspectorIn)),
    );
    closing.push(() => client.close());
    const admin = new AdminReader(
      server?.admin ?? running?.admin ?? "",
      server?.adminToken ?? running?.adminToken ?? "",
    );
    const longestMs = server ? settleMs : runningSettleMs;
    const readings = new ServerReadings({
      admin,
      ...(inspector && { inspector }),
      ...(server && { pid: server.process.pid }),
      patience: { longestMs, unchangedMs: 1_000 },
      graceMs: server ? holds.closeTimeoutMs + graceMs : runningGraceMs,
    });
    await readings.takeFloor();
    signal.addEventListener("abort", onAbort);
    closing.push(async () => signal.removeEventListener("abort", onAbort));
    const check = (): void => {
      signal.throwIfAborted();
      if (server?.process.died === true) throw server.process.failure();
      ground.check();
    };
    const node = await admin.nodeVersion();
    const nodeMajor = { server: majorOf(node), client: majorOf(process.version) };
    const title = mode === "quiet" ? "round" : "round with JIT";
    const heapGates = mode === "quiet" && server !== undefined;
    const extraRounds = mode === "quiet" ? plan.extraRounds : 0;
    const result = await new Rounds({
      plan,
      title,
      ground,
      standing,
      server: readings,
      client,
      noise,
      excuse,
      progress,
      nodeMajor,
      heapGates,
      gates: mode === "quiet",
      rounds,
      extraRounds,
      endsAtMs,
      latestMs,
      check,
    }).run();
    signal.throwIfAborted();
    return { result, node };
  } catch (error) {
    const failure = CaissonError.from(error, "E_GATE");
    // What was asked for makes no sense, or nobody wants an answer any more; everything else is told in every report.
    if (signal.aborted || failure.code !== "E_GATE") throw failure;
    return { result: neverBegun(plan, { failure, noise: excuse(failure) }), node: process.version };
  } finally {
    progress.end();
    for (const close of closing.toReversed()) await close();
  }
}

function importOf<Key extends string>(key: Key, module: string | undefined): { readonly [K in Key]?: string };
function importOf(key: string, module: string | undefined): Readonly<Record<string, string>> {
  return module === undefined ? {} : { [key]: specifierOf(module) };
}

/** What `--import` of node takes: the URL of a file that exists here, else the specifier as it is. */
function specifierOf(module: string): string {
  return existsSync(module) ? pathToFileURL(resolve(module)).href : module;
}

function majorOf(node: string): number {
  return Number(/^v?(\d+)/u.exec(node)?.[1] ?? 0);
}
