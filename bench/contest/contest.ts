// Runs a contest: all contestants of all divisions stand at once, and every round measures each of them once, in an order
// that a seed decides. What one machine does at a moment, it does to all of them.

import type { Contestant, Standing } from "../contestants/contestant.ts";
import { messageOf } from "../../src/lifecycle/errors.ts";
import { AsyncResources } from "../harness/async-resources.ts";
import { interleave } from "../harness/rounds.ts";
import type { Division, Figures, Scenario } from "./division.ts";

/** The measurements of a contestant; those of the same index are of the same round. */
export type Samples = Readonly<Record<string, readonly Figures[]>>;

/** Everything measured, by division, scenario and contestant. */
export type Found = Readonly<Record<string, Readonly<Record<string, Samples>>>>;

/** One that took no part, or fell out. */
export interface Absence {
  readonly division: string;
  readonly contestant: string;
  /** The scenario in which it fell out; undefined if it never stood. */
  readonly scenario?: string;
  readonly why: string;
}

/** How it is run. */
export interface ContestOptions {
  readonly divisions: readonly Division[];
  readonly seed: number;
  /** Told what is going on. */
  readonly onProgress: (text: string) => void;
  /** The names of those that fall out if they fail, with the reason. The failure of any other is the run's. */
  readonly mayFail: ReadonlySet<string>;
}

interface Entrant {
  readonly name: string;
  readonly standing: Standing;
}

/** Runs all rounds. */
export async function runContest(options: ContestOptions): Promise<{ found: Found; absences: readonly Absence[] }> {
  await using resources = new AsyncResources();
  const contest = new Contest(options, resources);
  return await contest.run();
}

class Contest {
  readonly #options: ContestOptions;
  readonly #resources: AsyncResources;
  readonly #entrants = new Map<string, readonly Entrant[]>();
  readonly #found: Record<string, Record<string, Record<string, Figures[]>>> = {};
  readonly #absences: Absence[] = [];
  #seed: number;

  constructor(options: ContestOptions, resources: AsyncResources) {
    this.#options = options;
    this.#resources = resources;
    this.#seed = options.seed;
  }

  async run(): Promise<{ found: Found; absences: readonly Absence[] }> {
    const { divisions } = this.#options;
    for (const division of divisions) await this.#stand(division);
    for (const division of divisions) await this.#warm(division);
    const rounds = Math.max(...divisions.flatMap(({ scenarios }) => scenarios.map((scenario) => scenario.rounds)));
    for (let round = 0; round < rounds; round += 1) {
      this.#options.onProgress(`round ${round + 1} of ${rounds}`);
      for (const division of divisions) {
        for (const scenario of division.scenarios) {
          if (round < scenario.rounds) await this.#measure(division.title, scenario);
        }
      }
    }
    return { found: this.#found, absences: this.#absences };
  }

  async #stand({ title, contestants, startTarget }: Division): Promise<void> {
    const target = this.#resources.own(await startTarget());
    const entrants: Entrant[] = [];
    for (const contestant of contestants) {
      const standing = await this.#tryToStand(title, contestant, target.port);
      if (standing) entrants.push({ name: contestant.name, standing: this.#resources.own(standing) });
    }
    this.#entrants.set(title, entrants);
  }

  async #tryToStand(division: string, contestant: Contestant, target: number): Promise<Standing | undefined> {
    const absent = (why: string): undefined => {
      this.#options.onProgress(`${contestant.name} takes no part in ${division}: ${why}`);
      this.#absences.push({ division, contestant: contestant.name, why });
    };
    if (contestant.missing !== undefined) return absent(contestant.missing);
    try {
      return await contestant.start(target);
    } catch (error) {
      if (!this.#options.mayFail.has(contestant.name)) throw error;
      return absent(messageOf(error));
    }
  }

  async #warm({ title, scenarios }: Division): Promise<void> {
    for (const scenario of scenarios) {
      for (const { name, standing } of this.#taking(title, scenario)) {
        await this.#guarded({ division: title, contestant: name, scenario: scenario.name }, async () => {
          await scenario.warm?.(standing);
        });
      }
    }
  }

  async #measure(division: string, scenario: Scenario): Promise<void> {
    const taking = new Map(this.#taking(division, scenario).map(({ name, standing }) => [name, standing]));
    const samples = ((this.#found[division] ??= {})[scenario.name] ??= {});
    this.#seed += 1;
    await interleave({
      arms: [...taking.keys()],
      rounds: 1,
      seed: this.#seed,
      measure: async (name) => {
        const standing = taking.get(name);
        if (standing) {
          await this.#guarded({ division, contestant: name, scenario: scenario.name }, async () => {
            (samples[name] ??= []).push(await scenario.measure(standing));
          });
        }
        return 0;
      },
    });
  }

  /** Those that have not fallen out of it. */
  #taking(division: string, { name: scenario }: Scenario): readonly Entrant[] {
    const out = this.#absences.filter((absence) => absence.division === division && absence.scenario === scenario);
    const names = new Set(out.map(({ contestant }) => contestant));
    return (this.#entrants.get(division) ?? []).filter(({ name }) => !names.has(name));
  }

  async #guarded(place: Omit<Absence, "why">, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#options.mayFail.has(place.contestant)) throw error;
      this.#options.onProgress(`${place.contestant} fell out of ${place.scenario ?? ""}: ${messageOf(error)}`);
      this.#absences.push({ ...place, why: messageOf(error) });
    }
  }
}
