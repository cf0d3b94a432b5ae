// What this process, or another one, has open according to the system: the proof that does not depend on our own ledgers.
// Read from /proc, so that it is only known on Linux.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** How many sockets a process has open; undefined where there is no /proc. Pipes and event files are the runtime's own. */
export function openSockets(pid: number | "self" = "self"): number | undefined {
  const folder = `/proc/${pid}/fd`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return undefined;
  }
  return names.filter((name) => leadsTo(`${folder}/${name}`).startsWith("socket:")).length;
}

/** How many descriptors of any kind a process has open; undefined where there is no /proc. */
export function openFiles(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

/** Resident memory of a process in bytes: now, and the most that it ever had. Throws where there is no /proc. */
export function residentBytes(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return { now: kibOf(status, "VmRSS"), peak: kibOf(status, "VmHWM") };
}

function kibOf(status: string, field: string): number {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, "mu").exec(status)?.[1];
  if (kib === undefined) throw new Error(`/proc gives no ${field}`);
  return Number(kib) * 1024;
}

function leadsTo(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ""; // Closed since the folder was read.
  }
}
