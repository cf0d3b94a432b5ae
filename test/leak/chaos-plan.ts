// What a storm does, one operation after the other, from a seed alone: nothing that happens in the storm draws a number,
// so that a seed always gives the same sequence. Pure.

import type { SeededRandom } from "../../bench/gate/seeded-random.ts";

/** How often each operation comes, beside the others. */
const weights = {
  connect: 10,
  close: 2,
  force_close: 2,
  die: 2,
  replace: 3,
  cut: 2,
  cut_later: 2,
  freeze: 1,
  get: 40,
  large: 8,
  upload: 8,
  early: 4,
  target_reset: 4,
  target_cut: 4,
  abort_before: 6,
  abort_within: 6,
  abort_upload: 4,
  websocket: 4,
  websocket_abort: 2,
  websocket_cut: 2,
  tcp: 4,
  tcp_abort: 2,
  tcp_cut: 2,
  tls: 3,
  tls_abort: 2,
} as const;

/** The name of an operation. */
export type OperationName = keyof typeof weights;

/** One operation with all of its choices made. */
export interface Operation {
  readonly name: OperationName;
  /** Whom it concerns: 0 to `slots` - 1. */
  readonly slot: number;
  /** 0 to just below 1, for those that happen after some bytes. */
  readonly amount: number;
}

/** Every operation. */
export const operationNames: readonly OperationName[] = Object.keys(weights).filter(isName);

const totalWeight = operationNames.reduce((sum, name) => sum + weights[name], 0);

/** The next operation: three numbers are drawn, whichever it is. */
export function nextOperation(random: SeededRandom, slots: number): Operation {
  const name = nameOf(random.below(totalWeight));
  return { name, slot: random.below(slots), amount: random.next() };
}

function nameOf(ticket: number): OperationName {
  let rest = ticket;
  for (const name of operationNames) {
    rest -= weights[name];
    if (rest < 0) return name;
  }
  throw new Error("the weights do not add up");
}

function isName(name: string): name is OperationName {
  return name in weights;
}
