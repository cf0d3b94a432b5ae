// The delays between logins: their bounds, their growth, and that a server's wish is obeyed.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Backoff, longestDelayMs, longestRetryAfterMs, parseRetryAfter } from "../../src/client/backoff.ts";

void test("the ceilings are 1 s, then 0.5 s x 2^n, up to 60 s", () => {
  const backoff = new Backoff(() => 1);
  const delays = Array.from({ length: 10 }, () => backoff.nextDelayMs());
  assert.deepEqual(delays, [1000, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  backoff.reset();
  assert.equal(backoff.nextDelayMs(), 1000);
});

void test("jitter is full: the least delay is zero", () => {
  const backoff = new Backoff(() => 0);
  for (let n = 0; n < 20; n += 1) assert.equal(backoff.nextDelayMs(), 0);
});

void test("Retry-After is the least delay, jitter comes on top", () => {
  const backoff = new Backoff(() => 0.5);
  assert.equal(backoff.nextDelayMs(7000), 7500);
  assert.equal(new Backoff(() => 0).nextDelayMs(10 ** 9), longestRetryAfterMs);
  assert.equal(new Backoff(() => 0).nextDelayMs(-5), 0);
});

void test("no sequence of failures makes a delay leave its range", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 200 }),
      (randoms) => {
        let at = 0;
        const backoff = new Backoff(() => randoms[at++] ?? 0);
        for (let n = 0; n < randoms.length; n += 1) {
          const delay = backoff.nextDelayMs();
          assert.ok(delay >= 0 && delay < longestDelayMs);
        }
        assert.equal(backoff.failures, randoms.length);
      },
    ),
  );
});

void test("Retry-After is read in both of its forms", () => {
  const now = Date.parse("Sun, 22 Nov 2026 10:00:00 GMT");
  const rows: readonly [string | undefined, number][] = [
    [undefined, 0],
    ["5", 5000],
    [" 120 ", 120_000],
    ["0", 0],
    ["-5", 0],
    ["1.5", 0],
    ["soon", 0],
    ["2026", 2_026_000],
    ["Sun, 22 Nov 2026 10:00:30 GMT", 30_000],
    ["Sun, 22 Nov 2026 09:00:00 GMT", 0],
  ];
  for (const [value, expected] of rows) assert.equal(parseRetryAfter(value, now), expected, value);
});
