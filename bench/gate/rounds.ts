// The rounds of one run: carries out the scenarios, waits for quiescence, takes a sample, until the verdict is certain or the
// bound is reached. A round that fails does not end the run, because a leak may be why; it is remembered.

import { CaissonError, messageOf } from "../../src/lifecycle/errors.ts";
import { brokenEnd } from "./broken-end.ts";
import type { Ground } from "./ground.ts";
import { mergeVerdicts, partOf } from "./merge-verdicts.ts";
import type { GatePlan } from "./options.ts";
import type { Progress } from "./progress.ts";
import { restNote, restUntil } from "./rest.ts";
import { turnsOf } from "./rotation.ts";
import type { ClientReadings } from "./readings/client-readings.ts";
import type { MachineNoise } from "./readings/machine-noise.ts";
import type { SampleFacts, ServerReadings } from "./readings/server-readings.ts";
import { scenarios } from "./scenarios/list.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import type { ScenarioFacts } from "./reports/run-facts.ts";
import type { Standing } from "./standing.ts";
import type { Disturbance } from "./verdict/disturbance.ts";
import { beforeDisturbance, disturbed, opened } from "./verdict/disturbance.ts";
import type { Verdict } from "./verdict/finding.ts";
import { betweenIdleMs, idleCouldTell, idleReadings } from "./verdict/idle-growth.ts";
import type { JudgeOptions } from "./verdict/judging.ts";
import { judgeRested } from "./verdict/rested.ts";
import type { Sample } from "./verdict/sample.ts";
import { certainlyClean, heapReturned, leavesNothingOpen, restCleared } from "./verdict/stopping.ts";
import { judge } from "./verdict/verdict.ts";

/** What rounds are made of. */
export interface RoundsOptions {
  readonly plan: GatePlan;
  readonly title: string;
  readonly ground: Ground;
  readonly standing: Standing;
  readonly server: ServerReadings;
  readonly client: ClientReadings;
  readonly noise: MachineNoise;
  /** What of the machine may be why something failed, as half a sentence; undefined if it cannot be. */
  excuse(failure: CaissonError): string | undefined;
  readonly progress: Progress;
  /** Major versions of the Nodes that are measured. */
  readonly nodeMajor: { readonly server: number; readonly client: number };
  /** Whether the heap gates: under quiet V8 flags, of a server of our own. */
  readonly heapGates: boolean;
  /** Whether it decides anything; what the default JIT shows of a server of our own only reports, and is worth no waiting. */
  readonly gates: boolean;
  readonly rounds: number;
  readonly extraRounds: number;
  /** No extra round is begun that would probably end later than this, on the clock of `performance.now()`. */
  readonly endsAtMs: number;
  /** Later than this not even the planned rounds go on, on the same clock. */
  readonly latestMs: number;
  /** Throws when a process that must live has died, or the run was aborted. */
  check(): void;
}

/** What the rounds came to. */
export interface RoundsResult {
  readonly verdict: Verdict;
  readonly samples: readonly Sample[];
  readonly clientSamples: readonly Sample[];
  readonly scenarios: readonly ScenarioFacts[];
  /** The first thing that was not as it should have been, and that the machine does not explain. */
  readonly failure: CaissonError | undefined;
  /** Whether it ended before its time: the machine had none for it, or there was nothing left to run with. */
  readonly brokenOff: boolean;
}

/** The result of a run whose processes did not come up: its failure, unless the machine had no time for them. */
export function neverBegun(
  { scenarios: chosen }: GatePlan,
  { failure, noise }: { readonly failure: CaissonError; readonly noise: string | undefined },
): RoundsResult {
  return {
    ...brokenEnd(judge([], { nodeMajor: 0, final: true }), { round: 0, failure, rested: false, noise }),
    samples: [],
    clientSamples: [],
    scenarios: chosen.map(({ name, title }) => ({ name, title, rounds: 0, connections: 0, requests: 0 })),
    brokenOff: true,
  };
}

/** After so many failed rounds in a row no further ones are tried. */
const failuresInARow = 4;
/** However early something is found, so many rounds are measured: they tell how fast it grows, and what else does. */
const leastRounds = 4;
/** So many clients come between two rests, or as many as the patience with caches is. */
const clientsBetweenRests = 1_000;
/** Extra rounds are added by so many: every decision waits for what was closed last. */
const roundsMore = 5;
/** What is rehearsed before the warm-up, and with how many clients: all but what takes seconds to be found out. */
const rehearsed: readonly Scenario[] = scenarios.filter(({ name }) => name !== "half-open");
const rehearsalSize = 4;

interface Tally {
  rounds: number;
  connections: number;
  requests: number;
}

/** Carries out one run's rounds. */
export class Rounds {
  readonly #options: RoundsOptions;
  readonly #samples: Sample[] = [];
  readonly #clientSamples: Sample[] = [];
  readonly #tallies: Map<string, Tally> = new Map();
  readonly #startedAtMs: number = performance.now();
  #connections = 0;
  #requests = 0;
  /** What was read without any work between. */
  #idle: readonly Sample[] = [];
  #idleOfClient: readonly Sample[] = [];
  #failure: CaissonError | undefined;
  /** The first round that failed for want of processor time. */
  #disturbance: Disturbance | undefined;
  /** All such rounds. */
  readonly #disturbed: Set<number> = new Set();
  #failed = 0;
  /** Whether it ended before its planned rounds, for what is no fault of the software: then less was measured than was thought enough. */
  #cutShort = false;
  #longestMs = 0;
  /** When the last round's clients were gone, on the clock of `performance.now()`. */
  #workedAtMs = 0;
  /** Whether the last sample was taken after a rest, and whether it was read since the last round what grows without any work. */
  #rested = false;
  #idleIsNew = false;
  /** The index of the sample after the rest that took away what had grown. */
  #cleared: { readonly at: number } | undefined;
  /** Rounds that were carried out, and read. */
  #roundsDone = 0;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Runs until decided, or until there is nothing left to run with. Never rejects. */
  async run(): Promise<RoundsResult> {
    let verdict: Verdict;
    let brokenOff = false;
    try {
      await this.#untilDecided();
      verdict = await this.#confirmed({ final: true });
      if (this.#cleared) verdict = await this.#betweenRests(verdict);
    } catch (error) {
      // A process is gone, or a reading did not come in time: what was read before still counts.
      const failure = CaissonError.from(error, "E_GATE");
      const noise = this.#options.excuse(failure);
      if (noise === undefined) this.#failure ??= failure;
      else this.#disturbance ??= { round: this.#roundsDone, failure: failure.message, noise };
      brokenOff = true;
      this.#cutShort = this.#roundsDone < this.#options.plan.warmupRounds + this.#options.rounds;
      verdict = this.#judge({ final: true });
      // Nobody can see any more what is gone after a while, or grows by itself.
      if (!this.#rested) verdict = opened(verdict);
    }
    return {
      verdict: disturbed(verdict, this.#disturbance),
      samples: this.#samples,
      clientSamples: this.#clientSamples,
      scenarios: this.#options.plan.scenarios.map(({ name, title }) => ({ name, title, ...this.#tally(name) })),
      failure: this.#failure,
      brokenOff,
    };
  }

  async #untilDecided(): Promise<void> {
    const { plan, rounds, extraRounds } = this.#options;
    await this.#rehearse();
    for (let n = 1; n <= plan.warmupRounds; n += 1) {
      await this.#round({ phase: n === plan.warmupRounds ? "measure" : "warmup", deciding: false });
    }
    let verdict = this.#judge({ final: false });
    const verdicts: Verdict[] = [];
    let last = rounds;
    for (let n = 1; n <= last; n += 1) {
      // What is found early is found; the deciding round names it exactly.
      const leaks = verdict.outcome === "leak" && n > leastRounds;
      const late = performance.now() > this.#options.latestMs;
      const over = late || this.#failed >= failuresInARow;
      const early = certainlyClean(verdicts, plan) && this.#returned();
      const deciding = n === last || leaks || early || over;
      await this.#round({ phase: "measure", deciding });
      verdict = deciding ? await this.#confirmed({ final: false }) : this.#judge({ final: false });
      verdicts.push(verdict);
      this.#cutShort = n < rounds && (late || (over && this.#disturbance !== undefined));
      // What was no leak in the deciding round was something that filled up; where it says something new, the run goes on.
      const decided = (deciding && leaks && verdict.outcome === "leak") || (early && leavesNothingOpen(verdict));
      if (over || decided || this.#cleared) break;
      if (n === last && verdict.outcome === "undecided" && last < rounds + extraRounds && this.#timeFor(roundsMore)) {
        last += roundsMore;
      }
    }
  }

  /** Does a little of everything once, so that what happens now and then does not happen for the first time while it is measured. */
  async #rehearse(): Promise<void> {
    for (const scenario of rehearsed) {
      this.#options.noise.begin();
      try {
        const { connections, requests } = await scenario.round(this.#options.ground, rehearsalSize);
        this.#connections += connections;
        this.#requests += requests;
      } catch (error) {
        await this.#failedIn(scenario.name, error);
      }
    }
    await Promise.all([this.#options.server.rehearse(), this.#options.client.rehearse()]);
  }

  /** Collects until nothing closed is left, or until what is left must be gone by now: then it is retained. */
  async #decideRetained(): Promise<void> {
    const { server, client, check } = this.#options;
    await Promise.all([server.decideRetained(), client.decideRetained()]);
    check();
  }

  async #round({ phase, deciding }: { readonly phase: Sample["phase"]; readonly deciding: boolean }): Promise<void> {
    const { progress, title, plan, rounds } = this.#options;
    const beganAtMs = performance.now();
    this.#rested = false;
    this.#idleIsNew = false;
    const left = await this.#work(deciding);
    this.#workedAtMs = performance.now();
    if (deciding) await this.#decideRetained();
    const facts = this.#facts(phase);
    this.#options.check();
    const census = deciding || (facts.round - plan.warmupRounds + 1) % plan.censusEvery === 0;
    const sample = await this.#sample(facts, { census });
    this.#roundsDone += 1;
    this.#longestMs = Math.max(this.#longestMs, performance.now() - beganAtMs);
    const heap = `heap ${(sample.memory.heapUsed / 2 ** 20).toFixed(2)} MiB`;
    progress.step({
      title,
      done: this.#roundsDone,
      total: plan.warmupRounds + rounds,
      detail: `${this.#connections} clients, ${this.#requests} requests, ${heap}${left === "" ? "" : `, left: ${left}`}`,
    });
  }

  async #sample(facts: SampleFacts, options: { readonly census: boolean }): Promise<Sample> {
    const { server, client } = this.#options;
    const [sample, ofClient] = await Promise.all([server.sample(facts, options), client.sample(facts, options)]);
    this.#samples.push(sample);
    this.#clientSamples.push(ofClient);
    return sample;
  }

  /** Carries out the scenarios and waits until they are gone; answers what is left. */
  async #work(thorough: boolean): Promise<string> {
    const { plan, ground, standing, server, noise, check } = this.#options;
    let failed = false;
    noise.begin();
    const turns = turnsOf(plan.scenarios, { round: this.#roundsDone, roundSize: plan.roundSize });
    for (const { scenario, size } of turns) {
      const tally = this.#tally(scenario.name);
      try {
        const result = await scenario.round(ground, size);
        tally.connections += result.connections;
        tally.requests += result.requests;
        this.#connections += result.connections;
        this.#requests += result.requests;
      } catch (error) {
        failed = true;
        // As many clients as it may have connected: a rate per connection is then no more than true.
        this.#connections += size;
        await this.#failedIn(scenario.name, error);
      }
      tally.rounds += 1;
      check();
    }
    try {
      this.#requests += await standing.round();
    } catch (error) {
      failed = true;
      await this.#failedIn("standing tunnels", error);
    }
    this.#failed = failed ? this.#failed + 1 : 0;
    return server.settle({ thorough, lingering: turns.some(({ scenario }) => scenario.lingers) });
  }

  /** Remembers a failure and makes room for what follows. Throws if there is nothing left to go on with. */
  async #failedIn(what: string, error: unknown): Promise<void> {
    const { ground, progress, excuse, check } = this.#options;
    check();
    const failure = CaissonError.from(error, "E_GATE");
    const seen = excuse(failure);
    if (seen === undefined) this.#failure ??= failure;
    else {
      this.#disturbance ??= { round: this.#roundsDone, failure: `${what}: ${failure.message}`, noise: seen };
      this.#disturbed.add(this.#roundsDone);
    }
    progress.note(`${what}: ${messageOf(error)}${seen === undefined ? "" : `; meanwhile ${seen}`}`);
    await ground.clear();
  }

  /**
   * The verdict. Before a leak is told, or a run ends in doubt, the processes rest and are read once more; then, if what a ring that
   * fills shows as well is all that there is, it is read what grows while nobody comes.
   */
  async #confirmed({ final }: { readonly final: boolean }): Promise<Verdict> {
    let verdict = this.#judge({ final });
    if (!this.#options.gates || (verdict.outcome !== "leak" && !idleCouldTell(verdict, { final }))) return verdict;
    if (!this.#rested) {
      await this.#rest();
      const before = verdict;
      verdict = this.#judge({ final });
      if (restCleared(before, verdict)) this.#cleared = { at: this.#samples.length - 1 };
    }
    if (this.#idleIsNew || !idleCouldTell(verdict, { final })) return verdict;
    await this.#readIdle(betweenIdleMs(verdict, this.#samples));
    return this.#judge({ final });
  }

  /**
   * The verdict where a rest took away what had grown: what is left of as many clients again, when nobody has come for as long.
   * @param before the verdict of all samples so far; open if there can be no second rest
   */
  async #betweenRests(before: Verdict): Promise<Verdict> {
    const { plan, nodeMajor, heapGates } = this.#options;
    const more = Math.max(leastRounds, Math.ceil(Math.min(clientsBetweenRests, plan.patience) / plan.roundSize));
    for (let n = 1; n <= more; n += 1) await this.#round({ phase: "measure", deciding: n === more });
    await this.#rest();
    const from = this.#cleared?.at ?? 0;
    const judged = (): Verdict => {
      const ofServer = { heapGates, nodeMajor: nodeMajor.server, idle: this.#idle };
      const ofClient = { heapGates, nodeMajor: nodeMajor.client, idle: this.#idleOfClient };
      return mergeVerdicts(
        judgeRested(this.#samples.slice(from), partOf(before, "server"), ofServer),
        judgeRested(this.#clientSamples.slice(from), partOf(before, "client"), ofClient),
      );
    };
    const verdict = judged();
    if (!idleCouldTell(verdict, { final: true })) return verdict;
    await this.#readIdle(betweenIdleMs(verdict, this.#samples.slice(from)));
    return judged();
  }

  /** Waits until what clients leave behind for a while is gone, and takes one more sample. */
  async #rest(): Promise<void> {
    const { plan, progress, check } = this.#options;
    progress.note(restNote(plan.restMs));
    await restUntil(this.#workedAtMs + plan.restMs, { check });
    await this.#decideRetained();
    await this.#sample(this.#facts("measure"), { census: true });
    this.#rested = true;
  }

  async #readIdle(betweenMs: number): Promise<void> {
    const { server, client, check } = this.#options;
    const idle: Sample[] = [];
    const idleOfClient: Sample[] = [];
    for (let n = 0; n < idleReadings; n += 1) {
      if (n > 0) await restUntil(performance.now() + betweenMs, { check });
      const facts = this.#facts("measure");
      const readings = [server.sample(facts, { census: true }), client.sample(facts, { census: true })] as const;
      const [sample, ofClient] = await Promise.all(readings);
      idle.push(sample);
      idleOfClient.push(ofClient);
    }
    this.#idle = idle;
    this.#idleOfClient = idleOfClient;
    this.#idleIsNew = true;
  }

  #facts(phase: Sample["phase"]): SampleFacts {
    return {
      phase,
      round: this.#roundsDone,
      atMs: performance.now() - this.#startedAtMs,
      connections: this.#connections,
      requests: this.#requests,
    };
  }

  #judge({ final }: { readonly final: boolean }): Verdict {
    const { nodeMajor, heapGates, plan } = this.#options;
    const common = { final, heapGates, patience: plan.patience };
    const ofServer = (samples: readonly Sample[], how: Pick<JudgeOptions, "keepsPatience">): Verdict =>
      judge(samples, { ...common, ...how, nodeMajor: nodeMajor.server, idle: this.#idle });
    const ofClient = (samples: readonly Sample[], how: Pick<JudgeOptions, "keepsPatience">): Verdict =>
      judge(samples, { ...common, ...how, nodeMajor: nodeMajor.client, idle: this.#idleOfClient });
    const whole = { keepsPatience: this.#cutShort };
    const verdict = mergeVerdicts(ofServer(this.#samples, whole), ofClient(this.#clientSamples, whole));
    if (this.#disturbed.size === 0) return verdict;
    // What lies before a disturbance is a run that was cut short, however many rounds came after it.
    const part = { keepsPatience: true };
    const leaks =
      ofServer(beforeDisturbance(this.#samples, this.#disturbed), part).outcome === "leak" ||
      ofClient(beforeDisturbance(this.#clientSamples, this.#disturbed), part).outcome === "leak";
    return leaks ? verdict : opened(verdict);
  }

  /** Whether both heaps are where they were, and nothing went wrong. */
  #returned(): boolean {
    const { server, client } = this.#options.nodeMajor;
    if (this.#failure ?? this.#disturbance) return false;
    return heapReturned(this.#samples, server) && heapReturned(this.#clientSamples, client);
  }

  #timeFor(rounds: number): boolean {
    return performance.now() + this.#longestMs * rounds < this.#options.endsAtMs;
  }

  #tally(name: string): Tally {
    const known = this.#tallies.get(name);
    if (known) return known;
    const tally: Tally = { rounds: 0, connections: 0, requests: 0 };
    this.#tallies.set(name, tally);
    return tally;
  }
}
