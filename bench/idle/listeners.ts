// How many TCP ports a process listens on, as Linux tells: for servers that open one for each tunnel and tell nothing.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The state of a listening socket in /proc/net/tcp. */
const listening = "0A";

/** Those of a process on IPv4. Throws if it is gone. */
export function listenersOf(pid: number): number {
  const lines = readFileSync(`/proc/${pid}/net/tcp`, "latin1").split("\n").slice(1);
  const fields = lines.map((line) => line.trim().split(/\s+/u));
  const inodes = new Set(fields.filter((one) => one[3] === listening).map((one) => `socket:[${one[9] ?? ""}]`));
  return readdirSync(`/proc/${pid}/fd`).filter((descriptor) => inodes.has(targetOf(pid, descriptor))).length;
}

function targetOf(pid: number, descriptor: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
  } catch {
    // It was closed meanwhile.
    return "";
  }
}
