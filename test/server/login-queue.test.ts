// Where logins wait: for how many turns, in which order, how many of them and for how long; and when those who are
// turned away are asked to come again.

import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { LoginQueue } from "../../src/server/login-queue.ts";
import { RetrySpread } from "../../src/server/retry-spread.ts";
import type { OwnConnection } from "../../src/server/visitor-owner.ts";
import { until } from "../support/until.ts";

/** One login is taken in so many turns in which somebody comes in, and so many in any other. */
const [busyTurns, loginsPerTurn] = [8, 4];

function login(): OwnConnection {
  const socket = new Socket();
  return { socket, raw: socket, address: "192.0.2.1", bytes: Buffer.alloc(0), login: true };
}

/** A queue, and what became of what was added. */
class QueueRig {
  readonly queue: LoginQueue;
  readonly taken: OwnConnection[] = [];
  readonly refused: OwnConnection[] = [];
  /** Somebody comes in at every turn. */
  crowded = false;
  #accepted = 0;

  constructor(limits: { readonly maxWaiting?: number; readonly maxWaitMs?: number } = {}) {
    this.queue = new LoginQueue({
      maxWaiting: 100,
      maxWaitMs: 60_000,
      ...limits,
      accepted: () => (this.crowded ? (this.#accepted += 1) : this.#accepted),
      take: (one) => void this.taken.push(one),
      refuse: (one, reason) => {
        assert.equal(reason, "login_wait");
        this.refused.push(one);
      },
    });
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

void test("where nobody comes in, logins go on at once, a few in a turn, the oldest first", async () => {
  const { queue, taken } = new QueueRig();
  const logins = Array.from({ length: 10 }, login);
  for (const one of logins) assert.equal(queue.add(one), undefined);
  assert.deepEqual([queue.size, taken.length], [10, 0]);
  for (const expected of [loginsPerTurn, 2 * loginsPerTurn, 10]) {
    await turn();
    assert.equal(taken.length, expected);
  }
  assert.deepEqual([queue.size, taken], [0, logins]);
});

void test("they let those pass who come in, but not for ever", async () => {
  const rig = new QueueRig();
  const logins = [login(), login()];
  rig.crowded = true;
  for (const one of logins) rig.queue.add(one);
  for (const [index] of logins.entries()) {
    for (let turns = 1; turns < busyTurns; turns += 1) {
      await turn();
      assert.equal(rig.taken.length, index);
    }
    await turn();
    assert.equal(rig.taken.length, index + 1);
  }
  assert.deepEqual(rig.taken, logins);
});

void test("no more than the limit wait", async () => {
  const { queue } = new QueueRig({ maxWaiting: 2 });
  const verdicts = [login(), login(), login()].map((one) => queue.add(one));
  assert.deepEqual(verdicts, [undefined, undefined, "waiting_logins"]);
  assert.equal(queue.size, 2);
  await until(() => queue.size === 0, { what: "there is room" });
  assert.equal(queue.add(login()), undefined);
});

void test("none waits for longer than allowed, and none is added behind one that will", async () => {
  const rig = new QueueRig({ maxWaitMs: 50 });
  rig.crowded = true;
  const logins = Array.from({ length: 100 }, login);
  for (const one of logins) rig.queue.add(one);
  const endMs = performance.now() + 60;
  while (performance.now() < endMs);
  assert.equal(rig.queue.add(login()), "waiting_logins");
  await until(() => rig.queue.size === 0, { what: "all are gone" });
  assert.deepEqual([rig.taken, rig.refused], [[], logins]);
  assert.equal(rig.queue.add(login()), undefined);
});

void test("one whose socket is gone is passed over", async () => {
  const { queue, taken, refused } = new QueueRig();
  const logins = [login(), login(), login()];
  for (const one of logins) queue.add(one);
  logins[1]?.socket.destroy();
  await until(() => queue.size === 0, { what: "it is empty" });
  assert.deepEqual([taken, refused], [[logins[0], logins[2]], []]);
});

void test("closing forgets all that wait, and touches no socket", async () => {
  const { queue, taken } = new QueueRig();
  const one = login();
  queue.add(one);
  queue.close();
  assert.equal(queue.size, 0);
  await turn();
  await turn();
  assert.deepEqual(taken, []);
  assert.ok(!one.socket.destroyed);
});

void test("those who are turned away come again one after the other, within bounds", () => {
  const options = { paceMs: 100, leastMs: 2_000, mostMs: 60_000 };
  const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 2_000 });
  fc.assert(
    fc.property(gaps, (waits) => {
      const spread = new RetrySpread(options);
      let nowMs = 0;
      for (const wait of waits) {
        nowMs += wait;
        const seconds = spread.nextSeconds(nowMs);
        assert.ok(Number.isInteger(seconds) && seconds >= 2 && seconds <= 60, String(seconds));
      }
    }),
  );
  const spread = new RetrySpread(options);
  const asked = Array.from({ length: 1_000 }, () => spread.nextSeconds(0));
  const perSecond = asked.slice(0, 500).filter((seconds) => seconds === 10).length;
  assert.ok(perSecond >= 9 && perSecond <= 11, String(perSecond));
  assert.deepEqual([asked[0], Math.max(...asked)], [2, 60]);
  assert.equal(spread.nextSeconds(120_000), 2);
});
