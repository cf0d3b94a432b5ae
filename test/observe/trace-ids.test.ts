// What ids keep alive: themselves. A piece of a pool's text would keep the whole pool for as long as the id is kept.

import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { TraceIds } from "../../src/observe/trace-ids.ts";
import { FreshTrace } from "../../src/observe/unrecorded-trace.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const count = 3_000;
/** So many draws lie between two kept ones that each comes from another pool. */
const apart = 260;

function heapBytes(): number {
  collect();
  collect();
  return getHeapStatistics().used_heap_size;
}

const made = new TraceIds();
const kinds: Readonly<Record<string, { readonly draw: () => string; readonly apart: number }>> = {
  "a line": { draw: () => made.unrecordedLine(), apart },
  "an id of a line": { draw: () => new FreshTrace(made.unrecordedLine()).traceId, apart },
  "a trace id": { draw: () => made.traceId(), apart: 400 },
  "a span id": { draw: () => made.spanId(), apart: 800 },
};
for (const [what, { draw, apart: between }] of Object.entries(kinds)) {
  test(`${what} that is kept keeps no pool`, () => {
    const kept: string[] = Array.from({ length: count }, () => "");
    const before = heapBytes();
    for (let at = 0; at < count; at += 1) {
      for (let n = 1; n < between; n += 1) draw();
      kept[at] = draw();
    }
    const each = (heapBytes() - before) / count;
    // A text of 70 characters takes 88 bytes, and one that refers to it 32; a pool has 12,000 and more.
    assert.ok(each < 400, `${each} bytes for each that is kept`);
    assert.equal(new Set(kept).size, count);
  });
}
