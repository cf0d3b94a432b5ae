// Every number of the mux that an operator may set, with its default. What both peers must agree on is in wire/limits.ts.

import { maxStreamId } from "../wire/limits.ts";

const kib = 1024;
const mib = 1024 * kib;

/** Limits and times of one session. Bytes and milliseconds. */
export interface MuxLimits {
  /** Time between two PINGs, spread by 20 % either way. */
  readonly pingMs: number;
  /** A peer from which no byte came for so long is dead. */
  readonly deadAfterMs: number;
  /** How long a fresh PING may stay unanswered after a gap, and at most once how often a PING is sent for its round trip. */
  readonly probeMs: number;
  /** The peer's hello must arrive within this time. */
  readonly helloMs: number;
  /** How long the transport may take to close before it is terminated. */
  readonly closeTimeoutMs: number;
  /** A RESET must be answered within this time. */
  readonly resetAnswerMs: number;
  /** The window of a stream may grow to this. */
  readonly maxWindowBytes: number;
  /** Growth of all windows of one session together. */
  readonly sessionGrowthBytes: number;
  /** Growth of all windows of a role together, and unconsumed bytes from which on it takes no new streams. */
  readonly roleGrowthBytes: number;
  /** A stream whose reader took nothing for so long loses its growth. */
  readonly stallMs: number;
  /** Streams at once; the peer's hello may ask for less. */
  readonly maxStreams: number;
  /** The last stream id, after which the session is drained. Lower in tests only. */
  readonly lastStreamId: number;
  /** Bytes for dead streams within {@link floodWindowMs}. */
  readonly deadBytes: number;
  /** PINGs within {@link floodWindowMs}. */
  readonly pings: number;
  /** CONTROL bytes within {@link floodWindowMs}. */
  readonly controlBytes: number;
  /** The period of the three limits above. */
  readonly floodWindowMs: number;
  /** Unsent bytes that are always allowed. */
  readonly minUnsentBytes: number;
  /** Unsent bytes that are never exceeded by data. */
  readonly maxUnsentBytes: number;
  /** Between the two: so much time of the delivered rate. */
  readonly unsentMs: number;
  /** Unsent and queued control bytes at which the peer is taken not to read. */
  readonly maxControlQueueBytes: number;
}

/** The defaults. */
export const defaultMuxLimits: MuxLimits = {
  pingMs: 10_000,
  deadAfterMs: 25_000,
  probeMs: 3_000,
  helloMs: 10_000,
  closeTimeoutMs: 30_000,
  resetAnswerMs: 30_000,
  maxWindowBytes: 8 * mib,
  sessionGrowthBytes: 16 * mib,
  roleGrowthBytes: 512 * mib,
  stallMs: 10_000,
  maxStreams: 1024,
  lastStreamId: maxStreamId,
  deadBytes: 32 * mib,
  pings: 200,
  controlBytes: 16 * mib,
  floodWindowMs: 10_000,
  minUnsentBytes: 64 * kib,
  maxUnsentBytes: mib,
  unsentMs: 20,
  maxControlQueueBytes: 16 * mib,
};

/** The defaults with some of them replaced. */
export function muxLimits(changes: Partial<MuxLimits> = {}): MuxLimits {
  return isComplete(changes) ? changes : { ...defaultMuxLimits, ...changes };
}

/** A complete set is shared as it is, and not copied for each session. */
function isComplete(limits: Partial<MuxLimits>): limits is MuxLimits {
  return Object.keys(defaultMuxLimits).every((name) => name in limits);
}
