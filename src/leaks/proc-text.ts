// Reads what Linux writes under /proc about descriptors and TCP sockets. Pure: text in, counts out.

const tcpStates = [
  "established",
  "syn_sent",
  "syn_recv",
  "fin_wait1",
  "fin_wait2",
  "time_wait",
  "close",
  "close_wait",
  "last_ack",
  "listen",
  "closing",
] as const;

/** Counts of descriptors. */
export interface DescriptorCounts {
  readonly open: number;
  readonly types: Record<string, number>;
  readonly socketInodes: ReadonlySet<string>;
}

/** Counts what the links in /proc/self/fd point at. */
export function countDescriptors(links: readonly string[]): DescriptorCounts {
  const types: Record<string, number> = {};
  const socketInodes = new Set<string>();
  for (const link of links) {
    const type = typeOf(link);
    types[type] = (types[type] ?? 0) + 1;
    if (type === "socket") socketInodes.add(link.slice("socket:[".length, -1));
  }
  return { open: links.length, types, socketInodes };
}

/** `socket:[1]` is a socket, `anon_inode:[eventpoll]` an eventpoll, `/dev/null` a device, other paths files. */
function typeOf(link: string): string {
  if (link.startsWith("/")) return link.startsWith("/dev/") ? "device" : "file";
  if (link.startsWith("anon_inode:")) return link.slice("anon_inode:".length).replace(/^\[|\]$/g, "") || "anon_inode";
  const colon = link.indexOf(":");
  return colon < 0 ? "other" : link.slice(0, colon);
}

/** Counts by state the sockets of /proc/net/tcp tables whose inode is one of `own`. */
export function countTcpStates(tables: readonly string[], own: ReadonlySet<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const table of tables) {
    for (const line of table.split("\n")) {
      const columns = line.trim().split(/\s+/);
      const [, , , stateHex = ""] = columns;
      const inode = columns[9];
      if (inode === undefined || !own.has(inode)) continue;
      const state = tcpStates[Number.parseInt(stateHex, 16) - 1] ?? "other";
      counts[state] = (counts[state] ?? 0) + 1;
    }
  }
  return counts;
}

/** The soft limit of open files in the text of /proc/self/limits; null if it is unlimited or not there. */
export function descriptorLimitOf(limits: string): number | null {
  const found = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return found === undefined ? null : Number(found);
}
