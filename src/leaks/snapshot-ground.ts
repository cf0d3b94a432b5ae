// What taking a snapshot stands on: the engines that write one, the memory and disk that are free, and the cure afterwards.
// Gathered in one interface, so that a test can put a full disk or a small memory in its place.

import { statfs } from "node:fs/promises";
import { createRequire } from "node:module";
import { getHeapStatistics, writeHeapSnapshot } from "node:v8";
import { CaissonError, messageOf } from "../lifecycle/errors.ts";
import { cureAllocation } from "./allocation-cure.ts";
import { memoryHeadroom } from "./memory-headroom.ts";
import type { SnapshotEngineName } from "./snapshot-entry.ts";

/** Writes a whole snapshot into an existing file, without returning to the event loop. Throws what the system says. */
export type WriteSnapshot = (path: string) => void;

/** An engine, or why there is none and what to do about it. */
export type FoundEngine = { readonly write: WriteSnapshot } | { readonly missing: string };

/** What a {@link SnapshotStore} asks for. */
export interface SnapshotGround {
  /** Bytes of live and dead objects in the heap. */
  heapUsed(): number;
  /** Bytes that this process may still take. */
  headroom(): number;
  /** Free bytes on the disk of `folder`. */
  diskFree(folder: string): Promise<number>;
  engine(name: SnapshotEngineName): FoundEngine;
  /** Undoes what a snapshot does to later allocations. */
  cure(): Promise<void>;
}

/** The real one. */
export const snapshotGround: SnapshotGround = {
  heapUsed: () => getHeapStatistics().used_heap_size,
  headroom: memoryHeadroom,
  diskFree,
  engine: findEngine,
  cure: cureAllocation,
};

async function diskFree(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function findEngine(name: SnapshotEngineName): FoundEngine {
  if (name === "v8") return { write: (path) => void writeHeapSnapshot(path) };
  try {
    return { write: heapdumpWriter(loadHeapdump()) };
  } catch (error) {
    return { missing: whyMissing(error) };
  }
}

/** Loads the package without its own SIGUSR2 handler, which would write into the working directory past every guard. */
function loadHeapdump(): object {
  const option = "NODE_HEAPDUMP_OPTIONS";
  const before = process.env[option];
  process.env[option] = "nosignal";
  try {
    const found: unknown = createRequire(import.meta.url)("heapdump");
    if (typeof found === "object" && found !== null) return found;
    throw new TypeError("it exports no object");
  } finally {
    if (before === undefined) delete process.env[option];
    else process.env[option] = before;
  }
}

function heapdumpWriter(heapdump: object): WriteSnapshot {
  if (!("writeSnapshot" in heapdump) || typeof heapdump.writeSnapshot !== "function") {
    throw new TypeError("it exports no writeSnapshot");
  }
  const { writeSnapshot } = heapdump;
  return (path) => {
    let failure: unknown = null;
    // The callback runs before writeSnapshot returns.
    const onWritten = (error: unknown): void => {
      failure = error;
    };
    Reflect.apply(writeSnapshot, heapdump, [path, onWritten]);
    if (failure !== null) throw CaissonError.from(failure);
  };
}

/** npm leaves the package out where it cannot be built, or installs it unbuilt where install scripts are not allowed. */
function whyMissing(error: unknown): string {
  return messageOf(error).startsWith("Cannot find module 'heapdump'")
    ? "the heapdump package is not installed; run: npm install heapdump@0.3.15"
    : "the heapdump package is not built for this Node; run: npm rebuild heapdump";
}
