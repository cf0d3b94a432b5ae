// Whether a heap snapshot may be taken now, and what it will cost: figures in, answer out. Pure.

import type { SnapshotRefusal } from "./snapshot-entry.ts";

/** Free memory that a snapshot needs, as a multiple of heapUsed: V8 builds the whole graph beside the heap. */
export const headroomFactor = 7;
/** Free disk space that a snapshot needs, as a multiple of heapUsed, beside {@link diskReserveBytes}. */
export const diskFactor = 3;
/** What a snapshot must leave free on the disk, in bytes. */
export const diskReserveBytes: number = 64 * 1024 * 1024;

const megabyte = 1024 * 1024;

/** What the guards look at. Bytes and milliseconds. */
export interface GuardFacts {
  readonly heapUsed: number;
  /** Memory that the process may still take: the system's and its control groups'. */
  readonly headroom: number;
  readonly expectedStallMs: number;
  readonly maxStallMs: number;
}

/**
 * Expected stall in milliseconds. `msPerMegabyte` is what the last snapshot took; before the first, what was measured for
 * this project: 80 to 100 ms on Node 20, half of it from Node 22 on.
 */
export function expectedStallMs(heapUsed: number, msPerMegabyte: number | undefined): number {
  const [major = "20"] = process.versions.node.split(".");
  const rate = msPerMegabyte ?? (Number(major) < 22 ? 100 : 60);
  return Math.max(100, Math.ceil((heapUsed / megabyte) * rate));
}

/** Expected size of the file in bytes: about as much again as the heap, and half of that for its text form. */
export function expectedBytes(heapUsed: number): number {
  return Math.ceil(heapUsed * 1.5);
}

/** The refusal for want of memory or because of the stall, or undefined. */
export function memoryRefusal(facts: GuardFacts): SnapshotRefusal | undefined {
  const needed = headroomFactor * facts.heapUsed;
  if (facts.headroom < needed) {
    const message = `a snapshot of ${megabytes(facts.heapUsed)} of heap needs ${megabytes(needed)} of free memory, and ${megabytes(facts.headroom)} are free`;
    return { code: "memory", message };
  }
  if (facts.expectedStallMs <= facts.maxStallMs) return undefined;
  const message = `the server would stand still for about ${seconds(facts.expectedStallMs)}, longer than the ${seconds(facts.maxStallMs)} allowed`;
  return { code: "stall", message };
}

/** The refusal for want of disk space, or undefined. */
export function diskRefusal(heapUsed: number, freeBytes: number): SnapshotRefusal | undefined {
  const needed = diskFactor * heapUsed + diskReserveBytes;
  if (freeBytes >= needed) return undefined;
  const message = `a snapshot of ${megabytes(heapUsed)} of heap needs ${megabytes(needed)} of free disk space, and ${megabytes(freeBytes)} are free`;
  return { code: "disk", message };
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / megabyte).toLocaleString("en")} MB`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
