// Wrong guesses are slowed down per network, and in all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GuessLimiter } from "../../src/tokens/guess-limiter.ts";

void test("the addresses of one IPv6 network share their guesses, however they are written", () => {
  const limiter = new GuessLimiter({ burst: 3, refillMs: 60_000 });
  for (const address of ["2001:db8::1", "2001:db8:0:0:ffff::2", "2001:0db8::3"])
    assert.equal(limiter.wrong(address), 0);
  assert.ok(limiter.wrong("2001:db8::4") > 0);
  assert.equal(limiter.wrong("2001:db8:0:1::1"), 0);
  assert.equal(limiter.wrong("192.0.2.1"), 0);
  assert.equal(limiter.size, 3);
});

void test("many networks together are slowed down as well, and no more are remembered than told", () => {
  const limiter = new GuessLimiter({ globalBurst: 20, globalRefillMs: 60_000, maxAddresses: 8 });
  const waits = Array.from({ length: 30 }, (_, n) => limiter.wrong(`192.0.2.${n}`));
  assert.equal(waits.filter((seconds) => seconds > 0).length, 10);
  assert.equal(limiter.size, 8);
});
