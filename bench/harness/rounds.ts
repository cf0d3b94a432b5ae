// Interleaved rounds: every arm once per round, in an order that a seed decides, or twice, there and back, so that a
// machine that changes its speed does so for all arms alike.

import { SeededRandom } from "../gate/seeded-random.ts";

/** What is compared, and how. */
export interface Rounds<Arm extends string> {
  readonly arms: readonly Arm[];
  readonly rounds: number;
  readonly seed: number;
  /** One measurement. */
  readonly measure: (arm: Arm, round: number) => Promise<number>;
}

/** The measurements of each arm; those of the same index are of the same round. */
export async function interleave<Arm extends string>(plan: Rounds<Arm>): Promise<Record<Arm, number[]>> {
  const random = new SeededRandom(plan.seed);
  const found = new Map<Arm, number[]>(plan.arms.map((arm) => [arm, []]));
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const arm of shuffled(plan.arms, random)) found.get(arm)?.push(await plan.measure(arm, round));
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every arm has its list: they were made from the same names
  return Object.fromEntries(found) as Record<Arm, number[]>;
}

function shuffled<T>(values: readonly T[], random: SeededRandom): T[] {
  return values
    .map((value) => ({ value, key: random.below(2 ** 30) }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

/** What is compared in slices, and how. */
export interface Slices<Arm extends string> {
  readonly arms: readonly Arm[];
  readonly rounds: number;
  /** One slice. */
  readonly run: (arm: Arm) => Promise<void>;
}

/**
 * Every arm twice per round, there and back (A B B A): a drift that is even over a round is the same for all. Each round
 * begins one arm later, because who has two slices in a row finds its caches warm.
 */
export async function alternate<Arm extends string>({ arms, rounds, run }: Slices<Arm>): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const first = round % arms.length;
    const there = [...arms.slice(first), ...arms.slice(0, first)];
    for (const arm of [...there, ...there.toReversed()]) await run(arm);
  }
}
