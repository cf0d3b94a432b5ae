// What Linux tells of a process from outside: its descriptors by type, and the memory of TCP in the whole system.
// Elsewhere, and for processes of other users, it answers undefined: absent, never zero.

import { readdir, readFile, readlink } from "node:fs/promises";

/** Open descriptors of a process by type: socket, pipe, anon_inode names, file. */
export async function descriptorsOf(pid: number): Promise<Record<string, number> | undefined> {
  const folder = `/proc/${pid}/fd`;
  try {
    const names = await readdir(folder);
    const targets = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => undefined)));
    const counts: Record<string, number> = {};
    for (const target of targets) {
      if (target === undefined) continue; // Closed since the folder was read.
      const type = typeOf(target);
      counts[type] = (counts[type] ?? 0) + 1;
    }
    return counts;
  } catch {
    return undefined; // No /proc, no such process, or not ours.
  }
}

/** Counters of /proc/net/sockstat for TCP: sockets in use, orphaned, waiting, allocated, and pages of memory. */
export async function tcpCounters(): Promise<Record<string, number> | undefined> {
  try {
    const line = (await readFile("/proc/net/sockstat", "utf8")).split("\n").find((text) => text.startsWith("TCP:"));
    if (line === undefined) return undefined;
    const counters: Record<string, number> = {};
    for (const [, name, value] of line.matchAll(/(\w+) (\d+)/gu))
      if (name !== undefined) counters[name] = Number(value);
    return counters;
  } catch {
    return undefined; // Not Linux.
  }
}

function typeOf(target: string): string {
  if (target.startsWith("socket:")) return "socket";
  if (target.startsWith("pipe:")) return "pipe";
  return target.startsWith("anon_inode:") ? target.slice("anon_inode:".length).replaceAll(/[[\]]/gu, "") : "file";
}
