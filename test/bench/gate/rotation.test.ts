// Which scenarios a round carries out: all of them within a period, each with its share of the clients.

import assert from "node:assert/strict";
import { test } from "node:test";
import { periodOf, turnsOf } from "../../../bench/gate/rotation.ts";
import { scenarios } from "../../../bench/gate/scenarios/list.ts";

const named = (...names: readonly string[]): typeof scenarios => scenarios.filter(({ name }) => names.includes(name));

test("every scenario has its turn within a period, and as many clients as its weight says", () => {
  const roundSize = 110;
  const period = periodOf(scenarios);
  assert.equal(period, 4);
  const clients = new Map<string, number>();
  for (let round = 0; round < period; round += 1) {
    const turns = turnsOf(scenarios, { round, roundSize });
    assert.equal(
      turns.reduce((sum, { size }) => sum + size, 0),
      roundSize,
    );
    for (const { scenario, size } of turns) clients.set(scenario.name, (clients.get(scenario.name) ?? 0) + size);
  }
  assert.deepEqual([...clients.keys()].toSorted(), scenarios.map(({ name }) => name).toSorted());
  const share = (name: string): number => (clients.get(name) ?? 0) / (period * roundSize);
  assert.ok(share("clean") > share("requests") && share("requests") > share("killed"));
  assert.ok(Math.abs(share("storm") - share("aborts")) < 0.02);
});

test("the same round is the same work", () => {
  assert.deepEqual(turnsOf(scenarios, { round: 9, roundSize: 80 }), turnsOf(scenarios, { round: 9, roundSize: 80 }));
});

test("few scenarios are carried out in every round", () => {
  for (const chosen of [named("clean"), named("storm"), named("half-open", "storm", "clean")]) {
    assert.equal(periodOf(chosen), 1);
    assert.deepEqual(
      turnsOf(chosen, { round: 3, roundSize: 30 }).map(({ scenario }) => scenario),
      chosen,
    );
  }
});

test("no scenario gets less than two clients", () => {
  for (const { size } of turnsOf(scenarios, { round: 0, roundSize: 6 })) assert.ok(size >= 2);
});
