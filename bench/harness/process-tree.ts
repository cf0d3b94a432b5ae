// What a contestant costs: the processor time and the memory of all its processes, with those that they started, as Linux
// tells it from outside. Throws E_GATE where there is no /proc.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { cpuMsOf, memoryOf, statFieldsOf } from "./process-reading.ts";

/** `roots`, and every process that descends from them. */
export function treeOf(roots: readonly number[]): readonly number[] {
  const parents = parentsOfAll();
  const found = new Set(roots);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** Processor time used so far by all of them, in milliseconds, in steps of 10 for each. */
export function cpuMsOfAll(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0);
}

/** The largest resident memory of each since {@link forgetPeaks}, together, in bytes: shared pages count for each. */
export function peakBytesOfAll(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + memoryOf(pid).peakRss, 0);
}

/** Lets the peaks begin again at what each process holds now. */
export function forgetPeaks(pids: readonly number[]): void {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function parentsOfAll(): readonly (readonly [number, number])[] {
  return entriesOf("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name) => {
      const stat = textOf(`/proc/${name}/stat`);
      return stat === undefined ? [] : [[Number(name), Number(statFieldsOf(stat)[1])] as const];
    });
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new CaissonError("E_GATE", `${folder} cannot be read; this bench needs Linux`, { cause: error });
  }
}

/** Undefined when the process is gone. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // Processes come and go while the list is read.
  }
}
