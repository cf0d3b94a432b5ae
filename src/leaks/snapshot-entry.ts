// The words in which snapshots, refusals and their counts are told. Types and closed sets of words only.

/** Said with every snapshot that is handed out. */
export const snapshotWarning =
  "A heap snapshot holds every string of the process: tokens, cookies, header fields and paths of requests. Keep it as you keep a private key.";

/** What writes a snapshot: node:v8, or the heapdump package where it is installed. */
export const snapshotEngines = ["v8", "heapdump"] as const;

/** One of {@link snapshotEngines}. */
export type SnapshotEngineName = (typeof snapshotEngines)[number];

/** Who asked: the private listener, SIGUSR2, or the program itself. */
export const snapshotTriggers = ["api", "signal", "program"] as const;

/** One of {@link snapshotTriggers}. */
export type SnapshotTrigger = (typeof snapshotTriggers)[number];

/** A finished snapshot. */
export interface SnapshotEntry {
  /** Generated; also the stem of the file's name. */
  readonly id: string;
  readonly bytes: number;
  /** Wall-clock time of the taking, in milliseconds since 1970. */
  readonly takenAtMs: number;
  readonly engine: SnapshotEngineName;
  readonly trigger: SnapshotTrigger;
  /** How long the event loop stood still, in milliseconds. Absent for snapshots of an earlier process. */
  readonly stallMs?: number;
  /** heapUsed right before, in bytes. Absent for snapshots of an earlier process. */
  readonly heapUsed?: number;
}

/** What a snapshot would cost now. */
export interface SnapshotForecast {
  /** How long the event loop would stand still, in milliseconds. */
  readonly stallMs: number;
  /** The size of the file, in bytes, roughly. */
  readonly diskBytes: number;
  /** Free memory that is asked for, in bytes. */
  readonly memoryBytes: number;
  /** Why it would be refused without force, as a sentence; null if it would not. */
  readonly refusal: string | null;
}

/** Why no snapshot was taken. */
export type SnapshotRefusalCode = "busy" | "memory" | "stall" | "disk" | "engine" | "failed";

/** A refusal: an expected answer, so it is returned and not thrown. */
export interface SnapshotRefusal {
  readonly code: SnapshotRefusalCode;
  /** A sentence with the figures. */
  readonly message: string;
}

/** What {@link SnapshotStore.take} answers. */
export type SnapshotResult =
  | { readonly ok: true; readonly entry: SnapshotEntry }
  | { readonly ok: false; readonly refusal: SnapshotRefusal };

/** A snapshot that was asked for, and what came of it. */
export interface SnapshotNews {
  readonly trigger: SnapshotTrigger;
  readonly engine: SnapshotEngineName;
  readonly result: SnapshotResult;
}

/** How often snapshots with one trigger ended one way. */
export interface SnapshotTally {
  readonly trigger: SnapshotTrigger;
  readonly result: "ok" | SnapshotRefusalCode;
  readonly count: number;
}
