// What Linux tells of a process from outside, so that every contestant is read alike, in whatever language it is written:
// its memory, and the processor time it has used. Throws E_GATE where there is no /proc or no such process.

import { readFileSync } from "node:fs";
import { CaissonError } from "../../src/lifecycle/errors.ts";

/** Memory of a process in bytes. */
export interface ProcessMemory {
  readonly rss: number;
  /** The largest `rss` since the process began, or since it was forgotten. */
  readonly peakRss: number;
}

/** Ticks of processor time per second, which Linux fixes for /proc whatever the kernel counts in. */
const ticksPerSecond = 100;

/** Its memory now. */
export function memoryOf(pid: number): ProcessMemory {
  const text = read(`/proc/${pid}/status`);
  const bytes = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "mu").exec(text)?.[1];
    if (found === undefined) throw new CaissonError("E_GATE", `/proc/${pid}/status holds no ${name}`);
    return Number(found) * 1024;
  };
  return { rss: bytes("VmRSS"), peakRss: bytes("VmHWM") };
}

/** Processor time used so far, of all threads, in milliseconds, in steps of 10. */
export function cpuMsOf(pid: number): number {
  const fields = statFieldsOf(read(`/proc/${pid}/stat`));
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return ((user + system) * 1000) / ticksPerSecond;
}

/** The fields of /proc/PID/stat behind the name in parentheses, which may hold blanks and parentheses itself. */
export function statFieldsOf(text: string): readonly string[] {
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CaissonError("E_GATE", `${path} cannot be read; this bench needs Linux`, { cause: error });
  }
}
