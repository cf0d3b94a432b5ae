import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  formatBytes,
  formatMs,
  maxDurationMs,
  parseCount,
  parseDuration,
  parseSize,
} from "../../src/cli/quantities.ts";

const durations: readonly [text: string, ms: number | undefined][] = [
  ["3", 3000],
  ["3s", 3000],
  ["0", 0],
  ["1.5", 1500],
  ["0.25s", 250],
  ["500ms", 500],
  ["2m", 120_000],
  ["1h", 3_600_000],
  ["720h", maxDurationMs],
  ["721h", undefined],
  ["", undefined],
  ["s", undefined],
  ["-1", undefined],
  ["+1", undefined],
  ["1 s", undefined],
  ["1e3", undefined],
  ["0x10", undefined],
  ["3sec", undefined],
  ["3S", undefined],
  [".5", undefined],
  ["1.", undefined],
  ["Infinity", undefined],
];

test("durations are seconds unless a unit says otherwise", () => {
  for (const [text, ms] of durations) assert.equal(parseDuration(text), ms, text);
});

const sizes: readonly [text: string, bytes: number | undefined][] = [
  ["0", 0],
  ["4096", 4096],
  ["64KiB", 65_536],
  ["64kib", 65_536],
  ["1MiB", 1_048_576],
  ["10GiB", 10_737_418_240],
  ["64K", undefined],
  ["1.5MiB", undefined],
  ["-1", undefined],
  ["99999999999999999999", undefined],
  ["", undefined],
];

test("sizes are bytes unless a binary unit says otherwise", () => {
  for (const [text, bytes] of sizes) assert.equal(parseSize(text), bytes, text);
});

test("counts are whole numbers below 2^31", () => {
  for (const [text, count] of [
    ["0", 0],
    ["1024", 1024],
    ["2147483647", 2_147_483_647],
    ["2147483648", undefined],
    ["1.0", undefined],
    ["-1", undefined],
    ["", undefined],
  ] as const) {
    assert.equal(parseCount(text), count, text);
  }
});

test("what is parsed is a whole number of milliseconds, bytes or things, or nothing", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parse of [parseDuration, parseSize, parseCount]) {
        const value = parse(text);
        assert.ok(value === undefined || (Number.isSafeInteger(value) && value >= 0));
      }
    }),
  );
});

test("quantities are shown in units that people read", () => {
  assert.deepEqual([0, 850, 3200, 75_000, 240_000, 7_200_000].map(formatMs), [
    "0 ms",
    "850 ms",
    "3.2 s",
    "75 s",
    "4 min",
    "2 h",
  ]);
  assert.deepEqual([512, 65_536, 1_572_864, 2 ** 30].map(formatBytes), ["512 B", "64 KiB", "1.5 MiB", "1 GiB"]);
});
