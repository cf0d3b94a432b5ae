// Synthetic runs of the gate: samples whose ledgers and heap move as a test says, with seeded noise.
// Also the sizes of V8's containers as they fill, which grow in steps. It measures nothing.

import type { SeededRandom } from "../../../bench/gate/seeded-random.ts";
import type { KindSample, Phase, Sample } from "../../../bench/gate/verdict/sample.ts";

/** How a run is laid out. */
export interface Layout {
  /** Samples before the measured ones. */
  readonly warmup: number;
  /** Rounds between the first and the last measured sample. */
  readonly rounds: number;
  /** Connections of each round. */
  readonly size: number;
}

/** 600 connections of warm-up and 4,000 measured ones. */
export const usual: Layout = { warmup: 6, rounds: 40, size: 100 };

/** A sample with nothing open and a heap of 10 MiB; `changes` replaces fields. */
export function quietSample(round: number, changes: Partial<Sample> = {}): Sample {
  return {
    round,
    phase: "measure",
    atMs: round * 1500,
    connections: 0,
    requests: 0,
    kinds: { session: kind({}), stream: kind({}) },
    probes: { "server.names": 0 },
    handles: { TCPServerWrap: 2 },
    fds: { socket: 4, pipe: 3 },
    tcp: undefined,
    objects: { Session: 0, Map: 210 },
    listeners: { "process warning": 1 },
    memory: memory(0),
    ...changes,
  };
}

/** A kind of resource with nothing open; `changes` replaces fields. */
export function kind(changes: Partial<KindSample>): KindSample {
  const nothing = { opened: 0, closed: 0, live: 0, held: 0, uncollected: 0, retained: 0, collectedUnclosed: 0 };
  return { ...nothing, oldestSeconds: 0, ...changes };
}

/** Memory with a heap of 10 MiB and `extra` bytes more. */
export function memory(extra: number): Sample["memory"] {
  const heapUsed = 10_485_760 + extra;
  return { heapUsed, heapSpaces: { old_space: heapUsed }, external: 2_000_000, arrayBuffers: 20_000, rss: 90_000_000 };
}

/** The samples of a run: `change` says what each one differs in, from the connections made so far. */
export function run(layout: Layout, change: (connections: number, round: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: layout.warmup + layout.rounds + 1 }, (_, round) => {
    const connections = round * layout.size;
    const phase: Phase = round < layout.warmup ? "warmup" : "measure";
    return quietSample(round, { phase, connections, requests: connections * 2, ...change(connections, round) });
  });
}

/** Normal noise of standard deviation 1. */
export function gaussian(random: SeededRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** Bytes of the backing store of an array to which `length` elements were pushed one by one. */
export function arrayBytes(length: number): number {
  let capacity = 0;
  while (capacity < length) capacity = capacity + 1 + ((capacity + 1) >> 1) + 16;
  return 8 * capacity;
}

/** Bytes of the table of a Set with `size` entries: it doubles, with a bucket for every two entries. */
export function setBytes(size: number): number {
  let capacity = 4;
  while (capacity < size) capacity *= 2;
  return capacity * 20;
}

/** The same for a Map, whose entries have a value as well. */
export function mapBytes(size: number): number {
  return (setBytes(size) / 20) * 28;
}
