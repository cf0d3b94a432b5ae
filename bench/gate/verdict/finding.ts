// The gate's answer as plain data: what was found, in which ledger, how much per connection and since when.

/**
 * The ledger in which something was found; `live` and `held` are of one kind of resource, `alive` is the collector's. `machine`
 * is none: it is where a run was disturbed from.
 */
export type LedgerName =
  | "held"
  | "live"
  | "alive"
  | "handles"
  | "fds"
  | "listeners"
  | "probe"
  | "objects"
  | "heap"
  | "external"
  | "series"
  | "operations"
  | "rss"
  | "machine";

/** Lower and upper 95 % limit. */
export type Interval = readonly [lower: number, upper: number];

/** One thing that does not return to its baseline (or, as a warning, that one should know of). */
export interface Finding {
  readonly ledger: LedgerName;
  /** A kind, probe, class, handle type, heap space or operation. */
  readonly subject: string;
  /** What stays behind for each connection: bytes for heap, external and rss, else a count. */
  readonly perConnection: number;
  readonly interval?: Interval;
  /** The first round whose sample shows it. */
  readonly sinceRound: number;
  /** One sentence that a person understands. */
  readonly text: string;
  /** Of a doubt: it came in one step. What happened once is no growth, and what only the last sample shows may be on its way out. */
  readonly once?: true;
}

/** Growth of one memory series over the measured rounds. */
export interface MemorySlope {
  /** `heapUsed`, `external`, `arrayBuffers`, `rss`, or `space:NAME` for one heap space. */
  readonly series: string;
  /** Theil-Sen slope in bytes per connection. */
  readonly bytesPerConnection: number;
  /** 95 % interval of the slope. */
  readonly interval: Interval;
  /** The slope that still counts as nothing, in bytes per connection; absent for a series that does not gate. */
  readonly tolerance?: number;
  readonly outcome: "below" | "above" | "undecided" | "not judged";
}

/** What a run says: released on `clean`, stopped on `leak`; `undecided` asks for more rounds and is never a failure of the software. */
export type Outcome = "clean" | "leak" | "undecided";

/** The gate's answer. */
export interface Verdict {
  readonly outcome: Outcome;
  /** What leaks; not empty exactly when the outcome is `leak`. */
  readonly findings: readonly Finding[];
  /** What was seen and does not gate, such as RSS. */
  readonly warnings: readonly Finding[];
  /** What could not be decided yet, and what was seen of it; not empty exactly when the outcome is `undecided`. */
  readonly doubts: readonly Finding[];
  readonly slopes: readonly MemorySlope[];
  /** Measured rounds and the connections between the first and the last of their samples. */
  readonly rounds: number;
  readonly connections: number;
  readonly requests: number;
}
