// Waits until a role holds nothing of what scenarios make: clients gone, held names expired, sockets closed. What stays is
// left for the verdict to name, so waiting in vain is no error; it only costs time.

import type { LedgerReading } from "./admin-reader.ts";

/** What scenarios make, and what must go by itself. Deadlines and listeners belong to these. */
const transientKinds: readonly string[] = [
  "session",
  "tunnel",
  "stream",
  "exchange",
  "pipe",
  "session_socket",
  "visitor_socket",
];
const transientProbes: readonly string[] = ["names.live", "names.held", "names.waiting", "own.pending"];

/** How long to wait, in milliseconds. */
export interface Patience {
  /** The longest that a healthy server keeps anything: its dead-after, hold and close timeouts in sequence. */
  readonly longestMs: number;
  /** Nothing may have changed for this long before waiting is given up. */
  readonly unchangedMs: number;
}

const pollMs = 150;

/** What of a reading must still go, as text that is equal when nothing changed; empty when quiescent. */
export function unsettled({ kinds, probes }: Pick<LedgerReading, "kinds" | "probes">, floor: Floor = {}): string {
  const left: string[] = [];
  for (const kind of transientKinds) {
    const reading = kinds[kind];
    const open = Math.max(reading?.live ?? 0, reading?.held ?? 0);
    if (open > (floor[kind] ?? 0)) left.push(`${kind} ${open}`);
  }
  for (const probe of transientProbes) {
    const size = probes[probe] ?? 0;
    if (size > (floor[probe] ?? 0)) left.push(`${probe} ${size}`);
  }
  return left.join(", ");
}

/** What is there anyway: of a server that others use too, or what an earlier round has left behind for good. */
export type Floor = Readonly<Record<string, number>>;

/** The floor that a reading makes. */
export function floorOf({ kinds, probes }: Pick<LedgerReading, "kinds" | "probes">): Floor {
  const floor: Record<string, number> = {};
  for (const kind of transientKinds) floor[kind] = Math.max(kinds[kind]?.live ?? 0, kinds[kind]?.held ?? 0);
  for (const probe of transientProbes) floor[probe] = probes[probe] ?? 0;
  return floor;
}

/** Waits until quiescent, or in vain. Resolves with what was left, empty if nothing. */
export async function settle(
  read: () => Promise<LedgerReading>,
  { floor, patience }: { readonly floor: Floor; readonly patience: Patience },
): Promise<string> {
  const startedAtMs = performance.now();
  let left = "";
  let changedAtMs = startedAtMs;
  for (;;) {
    const now = unsettled(await read(), floor);
    const atMs = performance.now();
    if (now !== left) changedAtMs = atMs;
    left = now;
    if (left === "") return left;
    if (atMs - startedAtMs >= patience.longestMs && atMs - changedAtMs >= patience.unchangedMs) return left;
    await new Promise((resolve) => {
      setTimeout(resolve, pollMs);
    });
  }
}
