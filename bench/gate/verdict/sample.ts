// What the gate reads from a process at one quiescent point. Plain data that survives JSON; numbers are as read, never smoothed.
// A ledger that could not be read (another system, an attached process) is absent, never zero.

/** Where in a run a sample was taken: while caches, pools and inline caches still fill, or afterwards. */
export type Phase = "warmup" | "measure";

/** One kind of resource as the ledgers know it; the fields are those of GET /debug/resources. */
export interface KindSample {
  readonly opened: number;
  readonly closed: number;
  /** opened - closed. */
  readonly live: number;
  /** What the containers hold; null where the role has no container of this kind. */
  readonly held: number | null;
  /** Closed, watched and not collected yet. */
  readonly uncollected: number;
  /** Closed, and uncollected through so many collections that something must still refer to it. */
  readonly retained: number;
  /** Collected without ever having been closed. */
  readonly collectedUnclosed: number;
  /** Age of the oldest open one in seconds; 0 if none is open. */
  readonly oldestSeconds: number;
}

/** Memory of the process in bytes, after forced collections. */
export interface MemorySample {
  readonly heapUsed: number;
  /** Used bytes by V8 heap space, such as old_space. */
  readonly heapSpaces: Readonly<Record<string, number>>;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly rss: number;
}

/** Asynchronous operations of one name. */
export interface OperationSample {
  readonly pending: number;
  readonly abandoned: number;
  readonly oldestMs: number;
}

/** Everything that was read at one quiescent point. */
export interface Sample {
  /** Counts from 0 through warm-up and measuring alike. */
  readonly round: number;
  readonly phase: Phase;
  /** Milliseconds since the run began. */
  readonly atMs: number;
  /** Clients that connected and disconnected so far, warm-up included. */
  readonly connections: number;
  /** Requests that were answered so far, warm-up included. */
  readonly requests: number;
  /** Absent where the process knows nothing of Caisson, and in a null run. */
  readonly kinds: Readonly<Record<string, KindSample>> | undefined;
  /** Sizes of named containers. */
  readonly probes: Readonly<Record<string, number>>;
  /** What keeps the event loop alive, by the names that Node gives. */
  readonly handles: Readonly<Record<string, number>>;
  /** Open descriptors by type. */
  readonly fds: Readonly<Record<string, number>> | undefined;
  /** Kernel TCP counters, which count the whole system: shown, never judged. */
  readonly tcp: Readonly<Record<string, number>> | undefined;
  /** Live objects by constructor after a collection. This and the two that follow are absent in samples without a census. */
  readonly objects?: Readonly<Record<string, number>>;
  /** Listeners of long-lived emitters, by emitter and event. */
  readonly listeners?: Readonly<Record<string, number>>;
  /** Entries of the larger arrays, Maps, Sets and tables, by what holds them. */
  readonly containers?: Readonly<Record<string, number>>;
  readonly memory: MemorySample;
  /** Size of one answer of /metrics. */
  readonly scrapeBytes?: number;
  /** Metric series in one answer of /metrics. */
  readonly series?: number;
  readonly operations?: Readonly<Record<string, OperationSample>>;
}

/** The first sample of the measured phase: what every later one is compared with. */
export type Baseline = Sample;
