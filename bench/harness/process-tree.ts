// What a contestant costs: the processor time and the memory of all its processes, with those that they started, as Linux
// tells it from outside. Throws E_GATE where there is no /proc.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { CaissonError } from "../../src/lifecycle/errors.ts";

/** Ticks of processor time per second, which Linux fixes for /proc whatever the kernel counts in. */
const ticksPerSecond = 100;

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

/** Processor time used so far, of all threads of the processes, in milliseconds, in steps of 10 for each. */
export function cpuMsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = statOf(pid);
    if (!fields) throw new CaissonError("E_GATE", `process ${pid} of a contestant is gone`);
    return sum + ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
  }, 0);
}

/** The largest resident memory of each process since `forgetPeaks`, together, in bytes: shared pages count for each. */
export function peakBytesOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const kib = /^VmHWM:\s+(\d+) kB$/mu.exec(textOf(`/proc/${pid}/status`) ?? "")?.[1];
    if (kib === undefined) throw new CaissonError("E_GATE", `/proc/${pid}/status holds no VmHWM`);
    return sum + Number(kib) * 1024;
  }, 0);
}

/** Lets the peaks begin again at what each process holds now. */
export function forgetPeaks(pids: readonly number[]): void {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function parentsOfAll(): readonly (readonly [number, number])[] {
  return entriesOf("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name) => {
      const parent = statOf(Number(name))?.[1];
      return parent === undefined ? [] : [[Number(name), Number(parent)] as const];
    });
}

/** The fields of /proc/PID/stat after the name, which may hold blanks and parentheses itself. */
function statOf(pid: number): readonly string[] | undefined {
  const text = textOf(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
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
