// Healthy: two heap snapshots are taken in the middle of the run and thrown away.
// Must not be reported: what a snapshot costs while it is taken, and what V8 keeps of it afterwards (numbers of objects).

import { Session as Inspector } from "node:inspector";
import { getHeapSnapshot } from "node:v8";
import { ClientSession } from "../../../src/internals.ts";
import { patch } from "../patch.ts";

const takenAt: ReadonlySet<number> = new Set([500, 900]);
let sessions = 0;
let snapshots = 0;

/** How many snapshots were taken. */
export function seeded(): number {
  return snapshots;
}

function takeSnapshot(): void {
  const stream = getHeapSnapshot();
  stream.resume();
  stream.once("close", cureAllocation);
}

/** A snapshot leaves Node 20 and 22 slow at allocating until the heap profiler was on and off again. */
function cureAllocation(): void {
  const inspector = new Inspector();
  inspector.connect();
  inspector.post("HeapProfiler.enable");
  inspector.post("HeapProfiler.disable");
  inspector.disconnect();
}

patch(ClientSession, "onReady", function onReady(original) {
  original();
  sessions += 1;
  if (!takenAt.has(sessions)) return;
  snapshots += 1;
  takeSnapshot();
});
