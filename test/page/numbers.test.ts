// How the live page writes numbers, and how long it waits before it asks again.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as format from "../../src/page/format.ts";
import { retryMs } from "../../src/page/retry.ts";

describe("numbers", () => {
  const cases: readonly (readonly [string, string])[] = [
    [format.countText(1_234_567), "1,234,567"],
    [format.countText(null), "–"],
    [format.shortText(0), "0"],
    [format.shortText(0.424), "0.42"],
    [format.shortText(9.999), "10.0"],
    [format.shortText(99.96), "100"],
    [format.bytesText(0), "0 B"],
    [format.bytesText(999), "999 B"],
    [format.bytesText(1_000), "0.98 KB"],
    [format.bytesText(1_572_864), "1.50 MB"],
    [format.bytesText(2 ** 50), "1,024 TB"],
    [format.bytesText(undefined), "–"],
    [format.growthText(1_048_576), "+1.00 MB"],
    [format.growthText(-1_048_576), "−1.00 MB"],
    [format.growthText(0), "±0 B"],
    [format.msText(0.5), "0.50 ms"],
    [format.msText(1_500), "1.50 s"],
    [format.msText(null), "–"],
    [format.spanText(-1), "0 s"],
    [format.spanText(59.9), "59 s"],
    [format.spanText(125), "2 min 5 s"],
    [format.spanText(7_260), "2 h 1 min"],
    [format.spanText(273_600), "3 d 4 h"],
    [format.percentText(0.126), "13 %"],
    [format.kindText("session_socket"), "session socket"],
    [format.plural(1, "session"), "1 session"],
    [format.plural(1_000, "session"), "1,000 sessions"],
  ];
  for (const [text, expected] of cases) it(expected, () => assert.equal(text, expected));

  it("the time of day has two digits each", () => assert.match(format.clockText(0), /^\d\d:\d\d:\d\d$/u));
});

describe("waits", () => {
  it("double from half a second to fifteen", () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 50, 5_000].map((failures) => retryMs(failures, 0.5)),
      [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000],
    );
  });

  it("are spread by a tenth", () => {
    assert.equal(retryMs(1, 0), 450);
    assert.ok(retryMs(1, 0.999) <= 550);
  });
});
