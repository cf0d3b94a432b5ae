// What two arms cost beside each other, block by block: one ratio per block, because slices of one process are no
// independent evidence, and the figures of all blocks as a line of a table. Pure.

import type { Check, Row } from "./report.ts";
import { figure } from "./report.ts";
import type { Pair, Ratio } from "./statistics.ts";
import { deviationOf, signedRankRatio, spreadOf } from "./statistics.ts";
import type { CpuTimes } from "./tunnel-under-test.ts";

/** Whose CPU time. */
export type Side = "server" | "client" | "both";

/** What each arm costs per request in one block, in microseconds. */
export type Block<Arm extends string> = Readonly<Record<Arm, CpuTimes>>;

/** The columns that {@link comparedRow} fills, after its name. */
export const comparedColumns = ["without", "with", "costs", "95 % interval", "spread of a block"] as const;

/** One pair per block. */
export function pairsOf<Arm extends string>(
  blocks: readonly Block<Arm>[],
  { base, other, side }: { readonly base: Arm; readonly other: Arm; readonly side: Side },
): Pair[] {
  return blocks.map((block) => ({ base: ofSide(block[base], side), other: ofSide(block[other], side) }));
}

/** A name, medians and quartiles of both in microseconds, the ratio in percent, and how far single blocks lie from it. */
export function comparedRow(name: string, pairs: readonly Pair[]): Row {
  const { ratio, lower, upper } = signedRankRatio(pairs);
  return [
    name,
    spreadText(pairs.map(({ base }) => base)),
    spreadText(pairs.map(({ other }) => other)),
    percentText(ratio),
    `${percentText(lower)} to ${percentText(upper)}`,
    percentText(1 + deviationOf(pairs)),
  ];
}

/** That a cost and its upper limit stay below so many percent. */
export function costChecks(
  what: string,
  ratio: Ratio,
  below: { readonly cost: number; readonly upper: number },
): Check[] {
  return [
    { what: `${what}, in % of CPU`, value: percentOf(ratio.ratio), below: below.cost, ...untold(ratio) },
    { what: "its upper 95 % limit, in %", value: percentOf(ratio.upper), below: below.upper, ...untold(ratio) },
  ];
}

/** That what is the same twice shows as the same: an interval without 0 fails. `whose`: ", of the server". */
export function controlChecks(ratio: Ratio, whose = ""): Check[] {
  return [
    {
      what: `lower 95 % limit of what is the same twice${whose}, in %`,
      value: percentOf(ratio.lower),
      below: 0,
      ...untold(ratio),
    },
    { what: "its upper 95 % limit, in %", value: percentOf(ratio.upper), atLeast: 0, ...untold(ratio) },
  ];
}

/** Why a run cannot tell a ratio, if it cannot: an interval needs six blocks. */
export function untold(ratio: Ratio): { readonly notShown?: string } {
  return Number.isFinite(ratio.upper) ? {} : { notShown: `${ratio.pairs} of the 6 blocks that an interval needs` };
}

/** The same checks where they say something of a part, and fail nothing. */
export function informing(checks: readonly Check[]): Check[] {
  return checks.map((check) => Object.assign({ informs: true as const }, check));
}

/** Median and quartiles. */
export function spreadText(values: readonly number[]): string {
  const { median, lowerQuartile, upperQuartile } = spreadOf(values);
  return `${figure(median)} (${figure(lowerQuartile)} to ${figure(upperQuartile)})`;
}

/** How much more than one a ratio is, in percent. */
export function percentOf(ratio: number): number {
  return (ratio - 1) * 100;
}

function percentText(ratio: number): string {
  return Number.isFinite(ratio) ? `${percentOf(ratio).toFixed(2)} %` : "unknown";
}

function ofSide(cost: CpuTimes, side: Side): number {
  return side === "both" ? cost.server + cost.client : cost[side];
}
