// Decides what is retained at the end of a run: what was closed, must be gone by now, and is still there. Where the collector
// took everything there is nothing to wait for, which is the case for every healthy process. It only waits and collects.

import { setTimeout as pause } from "node:timers/promises";
import type { KindSample } from "../verdict/sample.ts";

/** A process whose collector is asked. */
export interface Collected {
  /** How long after its close a resource may be referred to, in milliseconds. */
  readonly graceMs: number;
  /** Collects so often, with turns of the event loop between. */
  readonly collect: (times: number) => Promise<void>;
  /** The ledgers as they stand. */
  readonly kinds: () => Promise<Readonly<Record<string, KindSample>> | undefined>;
}

/** What a finalisation callback lets go is garbage only after it ran. */
const firstCollections = 2;
/** Collections that decide what is retained, and some to spare. */
const decidingCollections = 6;

/** Resolves when all that was closed is collected, or when what is not yet would be retained. */
export async function decideRetained({ graceMs, collect, kinds }: Collected): Promise<void> {
  await collect(firstCollections);
  const before = await kinds();
  // What is collected already cannot be retained later on.
  if (before !== undefined && Object.values(before).every(({ uncollected }) => uncollected === 0)) return;
  await pause(graceMs);
  await collect(decidingCollections);
}
