// Facts about this process that only Linux tells, read from /proc when asked for. Absent elsewhere, never zero.

import { readFileSync } from "node:fs";

/** Virtual memory in bytes. */
export function virtualMemoryBytes(): number | undefined {
  const kib = /^VmSize:\s+(\d+) kB$/mu.exec(readProc("status"))?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** The soft limit of open descriptors; undefined if there is none. */
export function maxDescriptors(): number | undefined {
  const limit = /^Max open files\s+(\d+)/mu.exec(readProc("limits"))?.[1];
  return limit === undefined ? undefined : Number(limit);
}

function readProc(file: string): string {
  try {
    return readFileSync(`/proc/self/${file}`, "utf8");
  } catch {
    return ""; // Not Linux, or a hardened container: the fact is absent.
  }
}
