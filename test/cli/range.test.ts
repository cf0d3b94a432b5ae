import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { downloads, randomBytesBetween } from "../../src/cli/demo/random-bytes.ts";
import { parseRange } from "../../src/cli/demo/range.ts";

const ranges: readonly [field: string | undefined, answer: string][] = [
  [undefined, "whole"],
  ["bytes=0-", "0 100"],
  ["bytes=10-19", "10 20"],
  ["bytes=99-", "99 100"],
  ["bytes=90-200", "90 100"],
  ["bytes=-10", "90 100"],
  ["bytes=-200", "0 100"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=100-", "unsatisfiable"],
  ["bytes=20-10", "whole"],
  ["bytes=0-1,5-6", "whole"],
  ["bytes=-", "whole"],
  ["lines=0-1", "whole"],
  ["nonsense", "whole"],
];

test("ranges of 100 bytes", () => {
  for (const [field, expected] of ranges) {
    const answer = parseRange(field, 100);
    assert.equal(answer.kind === "part" ? `${answer.start} ${answer.end}` : answer.kind, expected, field);
  }
});

async function collect(start: number, end: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of randomBytesBetween(start, end) as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

test("any part of a download is that part of the whole", async () => {
  const whole = await collect(0, 200_000);
  const offset = fc.integer({ min: 0, max: 200_000 });
  await fc.assert(
    fc.asyncProperty(offset, offset, async (a, b) => {
      const [start, end] = a < b ? [a, b] : [b, a];
      assert.ok(whole.subarray(start, end).equals(await collect(start, end)));
    }),
    { numRuns: 50 },
  );
});

test("the stated digests are right", async () => {
  for (const { bytes, sha256 } of downloads.filter((download) => download.bytes <= 100 * 1024 ** 2)) {
    const hash = createHash("sha256");
    for await (const part of randomBytesBetween(0, bytes) as AsyncIterable<Buffer>) hash.update(part);
    assert.equal(hash.digest("hex"), sha256);
  }
});
