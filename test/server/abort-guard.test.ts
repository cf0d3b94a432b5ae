// Aborts are counted per network of the visitor, within a window, in bounded memory.

import assert from "node:assert/strict";
import { test } from "node:test";
import { noEvents } from "../../src/lifecycle/events.ts";
import { createRuntime } from "../../src/lifecycle/runtime.ts";
import { AbortGuard } from "../../src/server/abort-guard.ts";
import { until } from "../support/until.ts";

void test("one network is turned away, its neighbours are not, and all is forgotten after a while", async () => {
  const runtime = createRuntime(noEvents);
  const guard = new AbortGuard({ runtime, maxAborts: 3, windowMs: 200 });
  for (const address of ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:3::"]) guard.count(address);
  for (const address of ["192.0.2.1", "192.0.2.1"]) guard.count(address);
  assert.equal(guard.size, 2);
  assert.equal(guard.blocks("2001:db8::4"), true);
  assert.equal(guard.blocks("2001:db8:0:1::1"), false);
  assert.equal(guard.blocks("192.0.2.1"), false);
  guard.count("192.0.2.1");
  assert.equal(guard.blocks("192.0.2.1"), true);
  assert.equal(guard.blocks("::ffff:192.0.2.1"), true);
  await until(() => guard.size === 0, { what: "two windows are over" });
  assert.equal(guard.blocks("192.0.2.1"), false);
  guard.close();
  assert.equal(runtime.deadlines.size, 0);
});

void test("no more than 4,096 networks are remembered", () => {
  const guard = new AbortGuard({ runtime: createRuntime(noEvents), maxAborts: 1, windowMs: 60_000 });
  for (let n = 0; n < 5_000; n += 1) guard.count(`2001:db8:${(n >> 8).toString(16)}:${(n & 255).toString(16)}::1`);
  assert.equal(guard.size, 4_096);
  guard.close();
});
