// How much a run does: three presets, and what the command line changes of them. Everything is decided here, before a
// process is started.

import { availableParallelism, cpus, totalmem } from "node:os";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import type { RunFacts } from "./reports/run-facts.ts";
import { usualRestMs } from "./rest.ts";
import { nullScenario, quickScenarios, scenarios } from "./scenarios/list.ts";
import type { Scenario } from "./scenarios/scenario.ts";

/** A server that runs already. */
export interface RunningServer {
  /** `http://host:port` or `ws://host:port`, without TLS. */
  readonly url: string;
  /** Its private listener: `http://host:port` or `unix:/path`. */
  readonly admin: string;
  readonly adminToken: string;
  /** Its tunnels are names below this; default localhost. */
  readonly domain?: string;
  /** What clients log in with. Whether it may travel there is whoever's business who asks. */
  readonly token?: string;
}

/** What one asks of the gate; everything else is the preset's. */
export interface GateRequest {
  readonly preset: "quick" | "default" | "soak";
  /** Clients that connect and disconnect while it is measured. */
  readonly clients?: number;
  /** Measured rounds, at least 8. */
  readonly rounds?: number;
  /** Client connects per second at most. */
  readonly rate?: number;
  readonly seed?: number;
  /** Clients before what grows counts as a leak and not as a cache that fills; default the preset's. */
  readonly patience?: number;
  /** Milliseconds without any client before a leak is told. Default 32,000. */
  readonly restMs?: number;
  /** Milliseconds within which a run that is not certain yet should end; default the preset's. */
  readonly boundMs?: number;
  /** Names of scenarios; all of the preset if empty. */
  readonly scenarios?: readonly string[];
  /** Modules that are loaded into the server, or into the clients, before anything else: paths or specifiers. */
  readonly importServer?: string;
  readonly importClient?: string;
  /** Flags of the server under test after the gate's own. */
  readonly serverFlags?: readonly string[];
  readonly running?: RunningServer;
  readonly undecided?: "pass" | "fail";
  /** For people: how to ask the same again. */
  readonly command?: string;
}

/** A run in full. Times in milliseconds. */
export interface GatePlan {
  readonly scenarios: readonly Scenario[];
  /** Whether only the load generator is measured. */
  readonly isNull: boolean;
  /** Clients in one round, warm-up or measured. */
  readonly roundSize: number;
  readonly warmupRounds: number;
  readonly rounds: number;
  /** A census of objects is taken after every so many rounds. */
  readonly censusEvery: number;
  /** Measured rounds after which a run that is certainly clean ends; undefined: only after all of them. */
  readonly earliest: number | undefined;
  /** Further rounds while undecided. */
  readonly extraRounds: number;
  /** Clients before what grows counts as a leak. */
  readonly patience: number;
  /** So long without any client before a leak is told. */
  readonly restMs: number;
  /** No extra round is begun that would probably end later than this. */
  readonly boundMs: number;
  /** Whether the default JIT is run as well, and how many rounds. 0 leaves it out. */
  readonly jitRounds: number;
  readonly rate: number | undefined;
  readonly seed: number;
}

interface Preset {
  readonly clients: number;
  readonly rounds: number;
  readonly warmupRounds: number;
  readonly censusEvery: number;
  readonly earliest?: number;
  readonly extraRounds: number;
  readonly patience: number;
  readonly boundMs: number;
  readonly jitRounds: number;
  readonly scenarios: readonly string[];
}

const all: readonly string[] = scenarios.map(({ name }) => name);
/** Fewer rounds than this decide nothing about the heap. */
const leastRounds = 8;

/** What each preset does unless told otherwise. */
export const presets: Readonly<Record<GateRequest["preset"], Preset>> = {
  quick: {
    clients: 2_500,
    rounds: 25,
    warmupRounds: 4,
    censusEvery: 3,
    earliest: 12,
    extraRounds: 10,
    patience: 2_000,
    boundMs: 65_000,
    jitRounds: 0,
    scenarios: quickScenarios,
  },
  default: {
    clients: 4_400,
    // Each round waits for what it left to expire; fewer and larger ones say as much in less time.
    rounds: 32,
    warmupRounds: 5,
    censusEvery: 4,
    extraRounds: 20,
    patience: 3_000,
    boundMs: 130_000,
    jitRounds: 6,
    scenarios: all,
  },
  soak: {
    clients: 100_000,
    rounds: 100,
    warmupRounds: 4,
    censusEvery: 4,
    extraRounds: 25,
    patience: 20_000,
    boundMs: Number.POSITIVE_INFINITY,
    jitRounds: 16,
    scenarios: all,
  },
};

/** Decides what a run does. Throws E_USAGE. */
export function planOf(request: GateRequest): GatePlan {
  const preset = presets[request.preset];
  const { clients = preset.clients, rounds = preset.rounds, rate } = request;
  if (rounds < leastRounds) {
    throw new CaissonError("E_USAGE", `${rounds} rounds are too few to judge the heap; the least is ${leastRounds}`);
  }
  const asked = request.scenarios ?? [];
  const isNull = asked.includes(nullScenario);
  if (isNull && asked.length > 1) {
    throw new CaissonError("E_USAGE", `the ${nullScenario} run has no server, so no other scenario goes with it`);
  }
  const names = asked.length === 0 ? preset.scenarios : asked;
  const chosen = isNull ? [] : scenarios.filter(({ name }) => names.includes(name));
  const unknown = isNull ? undefined : names.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    const known = [...all, nullScenario].join(", ");
    throw new CaissonError("E_USAGE", `there is no scenario "${unknown}"; there are ${known}`);
  }
  return {
    scenarios: chosen,
    isNull,
    roundSize: Math.max(2 * chosen.length, Math.ceil(clients / rounds)),
    warmupRounds: preset.warmupRounds,
    censusEvery: preset.censusEvery,
    rounds,
    // Who says how much is to be measured means it.
    earliest: request.clients === undefined && request.rounds === undefined ? preset.earliest : undefined,
    extraRounds: preset.extraRounds,
    patience: request.patience ?? preset.patience,
    restMs: request.restMs ?? usualRestMs,
    boundMs: request.boundMs ?? preset.boundMs,
    jitRounds: isNull || request.running ? 0 : preset.jitRounds,
    rate,
    seed: request.seed ?? 1,
  };
}

/** The machine, for reports. */
export function hostFacts(): RunFacts["host"] {
  return {
    platform: process.platform,
    arch: process.arch,
    cpus: availableParallelism(),
    cpuModel: cpus()[0]?.model ?? "unknown",
    memory: totalmem(),
  };
}
