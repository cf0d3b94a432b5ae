// The worker's end of the IPC channel: carries out each order and answers it. Keeps the process alive until the parent
// lets go.

import { messageOf } from "../../../src/lifecycle/errors.ts";
import { WrongAnswer } from "../network/wrong-answer.ts";
import type { AnswerMessage, Counts } from "./orders.ts";
import { isOrder } from "./orders.ts";

/** Answers every order of the parent with what `carryOut` makes of it; orders may overlap. */
export function answerOrders<Order>(carryOut: (order: Order) => Promise<Counts>): void {
  const answer = (message: AnswerMessage): void => {
    process.send?.(message);
  };
  process.on("message", (message: unknown) => {
    if (!isOrder<Order>(message)) return;
    const { order, number } = message;
    carryOut(order).then(
      (counts) => answer({ number, counts }),
      (error: unknown) => answer({ number, error: messageOf(error), wrong: error instanceof WrongAnswer }),
    );
  });
  // Without a client, server or timer of its own, nothing else would keep a worker waiting for its next order.
  process.channel?.ref();
}

/**
 * Calls `each` for every item, so many at once, in order; at most `perSecond` of them in a second. After a failure none is begun any
 * more; rejects with the first one when what was begun has ended, so that nothing of an order outlives its answer.
 */
export async function inParallel<Item>(
  items: readonly Item[],
  each: (item: Item) => Promise<void>,
  { atOnce, perSecond }: { readonly atOnce: number; readonly perSecond?: number },
): Promise<void> {
  const startedAtMs = performance.now();
  let failed = false;
  // All lanes take from one.
  const waiting = items.entries();
  const lane = async (): Promise<void> => {
    for (const [at, item] of waiting) {
      if (perSecond !== undefined) await untilMs(startedAtMs + (at * 1_000) / perSecond);
      if (failed) return;
      try {
        await each(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, lane);
  try {
    await Promise.all(lanes);
  } catch (error) {
    await Promise.allSettled(lanes);
    throw error;
  }
}

function untilMs(atMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, atMs - performance.now()));
  });
}
