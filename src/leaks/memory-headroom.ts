// How much memory this process may still take: the least of what the system has left and what each control group above
// it allows. The page cache counts as free, because the kernel gives it up first.

import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import { posix } from "node:path";

/** Bytes. */
export function memoryHeadroom(): number {
  // On Linux this is MemAvailable.
  const system = freemem();
  if (process.platform !== "linux") return system;
  return Math.min(system, cgroupHeadroom(readOrEmpty("/proc/self/cgroup"), readOrEmpty));
}

/** The most that the control groups of this process allow, in bytes; Infinity without a limit. */
export function memoryLimit(): number {
  return process.platform === "linux" ? cgroupLimit(readOrEmpty("/proc/self/cgroup"), readOrEmpty) : Infinity;
}

/** The least limit of the groups, in bytes; Infinity without one. The parameters are those of {@link cgroupHeadroom}. */
export function cgroupLimit(membership: string, read: (path: string) => string): number {
  let least = Infinity;
  for (const { folder, names } of memoryGroups(membership)) {
    const limit = Number.parseInt(read(`${folder}/${names.limit}`), 10);
    if (limit > 0 && limit < Number.MAX_SAFE_INTEGER) least = Math.min(least, limit);
  }
  return least;
}

/**
 * What the control groups of a process leave it, in bytes; Infinity without a limit. `membership` is the text of
 * /proc/self/cgroup, `read` gives a file's text or "".
 */
export function cgroupHeadroom(membership: string, read: (path: string) => string): number {
  let least = Infinity;
  for (const group of memoryGroups(membership)) {
    const limit = Number.parseInt(read(`${group.folder}/${group.names.limit}`), 10);
    const usage = Number.parseInt(read(`${group.folder}/${group.names.usage}`), 10);
    // No limit is `max` in version 2 and close to 2^63 in version 1.
    if (!(limit < Number.MAX_SAFE_INTEGER) || Number.isNaN(usage)) continue;
    const cache = new RegExp(`^${group.names.cache} (\\d+)`, "m").exec(read(`${group.folder}/memory.stat`))?.[1];
    least = Math.min(least, Math.max(0, limit - usage + Number(cache ?? 0)));
  }
  return least;
}

interface GroupFiles {
  readonly limit: string;
  readonly usage: string;
  readonly cache: string;
}

const version2: GroupFiles = { limit: "memory.max", usage: "memory.current", cache: "inactive_file" };
const version1: GroupFiles = {
  limit: "memory.limit_in_bytes",
  usage: "memory.usage_in_bytes",
  cache: "total_inactive_file",
};

/** The group of the process and all above it, up to the mount's root (which in a container is the container's own). */
function memoryGroups(membership: string): { readonly folder: string; readonly names: GroupFiles }[] {
  const groups: { folder: string; names: GroupFiles }[] = [];
  for (const line of membership.split("\n")) {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === "") continue;
    const isVersion2 = controllers === "";
    if (!isVersion2 && !controllers.split(",").includes("memory")) continue;
    const root = isVersion2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const names = isVersion2 ? version2 : version1;
    for (let at = posix.normalize(path); ; at = posix.dirname(at)) {
      groups.push({ folder: at === "/" ? root : root + at, names });
      if (at === "/") break;
    }
  }
  return groups;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // No such controller, or hidden by the container: no limit is known from there.
    return "";
  }
}
