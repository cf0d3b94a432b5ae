// Work in lanes: in order, so many at once; after a failure nothing more is begun, and nothing goes on behind the answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inParallel } from "../../../bench/gate/processes/answer-orders.ts";

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

test("every item has its turn, in order, and no more at once than asked for", async () => {
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const items = Array.from({ length: 20 }, (_, at) => at);
  const each = async (item: number): Promise<void> => {
    begun.push(item);
    running += 1;
    most = Math.max(most, running);
    await turn();
    running -= 1;
  };
  await inParallel(items, each, { atOnce: 3 });
  assert.deepEqual(begun, items);
  assert.equal(most, 3);
});

test("nothing is an item like any other", async () => {
  const seen: unknown[] = [];
  await inParallel([undefined, 1, undefined], async (item) => void seen.push(item), { atOnce: 1 });
  assert.deepEqual(seen, [undefined, 1, undefined]);
});

test("after the first failure no item is begun, and what was begun has ended", async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const each = async (item: number): Promise<void> => {
    begun.push(item);
    await turn();
    if (item === 1) throw new Error("the first");
    for (let n = 0; n < 5; n += 1) await turn();
    ended.push(item);
    if (item === 0) throw new Error("a later one");
  };
  await assert.rejects(inParallel([0, 1, 2, 3, 4, 5, 6], each, { atOnce: 3 }), { message: "the first" });
  assert.deepEqual(begun, [0, 1, 2]);
  assert.deepEqual(ended, [0, 2]);
});

test("one that waits for its second does not begin after a failure", async () => {
  const begun: number[] = [];
  const each = async (item: number): Promise<void> => {
    begun.push(item);
    await turn();
    throw new Error(`item ${item}`);
  };
  await assert.rejects(inParallel([0, 1, 2], each, { atOnce: 3, perSecond: 10 }), { message: "item 0" });
  assert.deepEqual(begun, [0]);
});
