// `caisson gate --attach`: what the command line asks for as an attached run, with the report that all runs have.

import { version } from "../../../src/assemble/version.ts";
import { CaissonError } from "../../../src/lifecycle/errors.ts";
import { commitOf } from "../commit.ts";
import { hostFacts } from "../options.ts";
import type { GateRequest } from "../options.ts";
import type { GateRun, RunContext } from "../run.ts";
import { restNote } from "../rest.ts";
import { judge } from "../verdict/verdict.ts";
import type { AttachResult } from "./attach-run.ts";
import { attachRun, leastRounds, warmUpRounds } from "./attach-run.ts";
import { inspectorHost } from "./inspector-address.ts";

/** What one asks of the gate for another's server. Scenarios are the driver's. */
export interface AttachedRequest extends Pick<
  GateRequest,
  "preset" | "clients" | "rounds" | "patience" | "restMs" | "undecided" | "command"
> {
  /** An inspector's address. */
  readonly attach: string;
  /** Path of the driver's file. */
  readonly driver: string;
}

/**
 * Clients that are measured and rounds at most. A leak is certain after 2,000 clients and a rest, something healthy after
 * eight rounds; what is left is room for what fills up slowly.
 */
const presets: Readonly<Record<GateRequest["preset"], { readonly clients: number; readonly rounds: number }>> = {
  quick: { clients: 2_600, rounds: 13 },
  default: { clients: 8_000, rounds: 40 },
  soak: { clients: 100_000, rounds: 50 },
};

/**
 * Carries it out. Rejects with E_USAGE for an address that is none or too few rounds, E_ABORTED when a signal ended it; what
 * else goes wrong is in the report.
 */
export async function runAttachedGate(request: AttachedRequest, { progress, signal }: RunContext): Promise<GateRun> {
  const { attach, driver, preset, patience, restMs, undecided = "fail", command } = request;
  const { clients = presets[preset].clients, rounds = presets[preset].rounds } = request;
  if (rounds < leastRounds) {
    throw new CaissonError("E_USAGE", `${rounds} rounds are too few to judge a server; the least is ${leastRounds}`);
  }
  const subject = `the process at ${inspectorHost(attach)}`;
  const startedAt = new Date();
  const startedAtMs = performance.now();
  let result: AttachResult;
  try {
    result = await attachRun({
      attach,
      driver,
      clients: Math.ceil(clients / rounds),
      rounds,
      signal,
      ...(patience !== undefined && { patience }),
      ...(restMs !== undefined && { restMs }),
      onRest: (ms) => progress.note(restNote(ms)),
      onSample: ({ phase, round, connections, memory }) =>
        progress.step({
          title: phase === "warmup" ? "warm-up" : "round",
          done: round + 1,
          total: warmUpRounds + rounds,
          detail: `${connections} clients, heap ${(memory.heapUsed / 1_048_576).toFixed(2)} MiB`,
        }),
    });
  } catch (error) {
    const failure = CaissonError.from(error, "E_GATE");
    if (signal.aborted || failure.code !== "E_GATE") throw failure;
    result = neverBegun(failure);
  } finally {
    progress.end();
  }
  const { verdict, samples, node, flags, mode, failure } = result;
  const { connections = 0, requests = 0 } = samples.at(-1) ?? {};
  const commit = commitOf();
  const facts = {
    version,
    ...(commit !== undefined && { commit }),
    subject,
    node,
    flags,
    mode,
    undecided,
    host: hostFacts(),
    seed: 0,
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(performance.now() - startedAtMs),
    scenarios: [{ name: "driver", title: driver, rounds: samples.length, connections, requests }],
    ...(command !== undefined && { command }),
  };
  return { report: { verdict, samples, facts, ...(failure && { failure: failure.message }) }, failure };
}

/** What came out where nothing could be measured. */
function neverBegun(failure: CaissonError): AttachResult {
  const verdict = judge([], { nodeMajor: 0, final: true });
  return { verdict, samples: [], node: "unknown", flags: [], mode: "jit", failure };
}
