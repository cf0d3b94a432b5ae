// What some work costs the processes of a contestant.

import type { Standing } from "../contestants/contestant.ts";
import { cpuMsOfAll, forgetPeaks, peakBytesOfAll, treeOf } from "../harness/process-tree.ts";

/** Work, and its cost; without a cost for the target itself, which has no processes in between. */
export interface Costed<T> {
  readonly result: T;
  readonly cost: { readonly cpuMs: number; readonly peakMib: number } | undefined;
}

/** Does the work. */
export async function costOf<T>({ pids: roots }: Standing, work: () => Promise<T>): Promise<Costed<T>> {
  const pids = treeOf(roots);
  if (pids.length === 0) return { result: await work(), cost: undefined };
  forgetPeaks(pids);
  const before = cpuMsOfAll(pids);
  const result = await work();
  const cpuMs = cpuMsOfAll(pids) - before;
  return { result, cost: { cpuMs, peakMib: peakBytesOfAll(pids) / 2 ** 20 } };
}
