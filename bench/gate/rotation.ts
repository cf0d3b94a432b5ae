// What one round does: which scenarios it carries out, and with how many clients each. Pure, and the same for the same round.

import type { Scenario } from "./scenarios/scenario.ts";

/** One scenario's part of a round. */
export interface Turn {
  readonly scenario: Scenario;
  /** Clients, at least two. */
  readonly size: number;
}

/** So many of the scenarios that take turns are carried out in one round. */
const atATime = 2;

/** After so many rounds every scenario had its turn. */
export function periodOf(chosen: readonly Scenario[]): number {
  return Math.max(1, Math.floor(takingTurns(chosen).length / atATime));
}

/**
 * What a round does. Over a whole period each scenario has a share of the clients that follows its weight.
 * @param chosen scenarios in the order in which a round carries them out
 */
export function turnsOf(
  chosen: readonly Scenario[],
  { round, roundSize }: { readonly round: number; readonly roundSize: number },
): readonly Turn[] {
  const period = periodOf(chosen);
  // Neighbours go together, so that what they leave expires at the same time.
  const resting = new Set(takingTurns(chosen).filter((_, at) => (round + Math.floor(at / atATime)) % period !== 0));
  const present = chosen.filter((scenario) => !resting.has(scenario));
  const weightOf = ({ weight, everyRound }: Scenario): number => (everyRound ? weight : weight * period);
  const weights = present.reduce((sum, scenario) => sum + weightOf(scenario), 0);
  const sizes = present.map((scenario) => Math.max(2, Math.floor((roundSize * weightOf(scenario)) / weights)));
  const rest = roundSize - sizes.reduce((sum, size) => sum + size, 0);
  const last = present.length - 1;
  // What rounding left over goes to the last, which is the lightest work for one client.
  return present.map((scenario, at) => {
    const size = sizes[at] ?? 0;
    return { scenario, size: at === last ? Math.max(2, size + rest) : size };
  });
}

function takingTurns(chosen: readonly Scenario[]): readonly Scenario[] {
  return chosen.filter(({ everyRound }) => !everyRound);
}
