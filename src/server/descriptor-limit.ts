// How many files this process may have open: the limit behind the limits.

import { readFileSync } from "node:fs";

/** What is assumed where the system does not say (Windows, macOS): the usual soft limit after Node raised it. */
const assumedLimit = 10_240;

/** The soft limit of open descriptors, at least 64. Read from /proc on Linux, assumed elsewhere. */
export function descriptorLimit(): number {
  let text: string;
  try {
    text = readFileSync("/proc/self/limits", "utf8");
  } catch {
    return assumedLimit; // There is no /proc here.
  }
  const soft = /^Max open files\s+(\d+)/mu.exec(text)?.[1];
  return soft === undefined ? assumedLimit : Math.max(64, Number(soft));
}
