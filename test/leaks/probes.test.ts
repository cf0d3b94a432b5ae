import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { GcClock } from "../../src/leaks/gc-clock.ts";
import { ProbeRegistry } from "../../src/leaks/probes.ts";
import { collectUntil } from "./sample.ts";

test("probes tell the sizes of maps, sets, queues and emitters, and sums of one name", () => {
  const probes = new ProbeRegistry();
  const routes = new Map([["a", 1]]);
  const queue = [1, 2, 3];
  const emitter = new EventEmitter();
  probes.watch("routes", routes);
  probes.watch("routes", new Set([1, 2]));
  probes.watch("queue", queue);
  probes.watch("emitter.listeners", emitter);
  const remove = probes.add("pool", () => 9);
  emitter.on("a", () => {}).on("a", () => {});
  emitter.on("b", () => {});
  routes.set("b", 2);
  assert.deepEqual(probes.readings(), { routes: 4, queue: 3, "emitter.listeners": 3, pool: 9 });
  remove();
  queue.length = 0;
  assert.deepEqual(probes.readings(), { routes: 4, queue: 0, "emitter.listeners": 3 });
  probes.dispose();
  assert.deepEqual(probes.readings(), {});
});

test("a probe that throws is left out, the others are read, and it may recover", () => {
  const probes = new ProbeRegistry();
  let broken = true;
  probes.add("broken", () => {
    if (broken) throw new Error("not now");
    return 1;
  });
  probes.add("sound", () => 2);
  assert.deepEqual(probes.readings(), { sound: 2 });
  broken = false;
  assert.deepEqual(probes.readings(), { broken: 1, sound: 2 });
});

test("a watched container is not kept alive, and its probe goes with it", async (t) => {
  const clock = new GcClock();
  t.after(() => clock.dispose());
  const probes = new ProbeRegistry();
  const watch = (): void => {
    for (let n = 0; n < 20; n += 1) probes.watch("sessions", new Map([[n, n]]));
  };
  watch();
  assert.equal(probes.size, 20);
  await collectUntil(clock, () => {
    probes.readings();
    return probes.size === 0;
  });
});
