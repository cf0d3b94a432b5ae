// The third ledger: which closed resources the garbage collector has not taken, and which it took unclosed.
// It promises to hold every resource weakly and to run no timer: time and collections are looked at when one is reported.
// It never polls a WeakRef, because asking for the target would keep it alive.

import { QuietEvents } from "../lifecycle/quiet-events.ts";
import type { Resource, ResourceKind } from "../lifecycle/resource.ts";
import { byKind, KindLookup } from "./by-kind.ts";
import type { GcClock, MajorGc } from "./gc-clock.ts";
import type { HistogramCounts } from "./histogram.ts";
import { Histogram } from "./histogram.ts";
import { Sampler } from "./sampler.ts";
import type { RetainedResource } from "./watch-record.ts";
import { WatchRecord } from "./watch-record.ts";

/** How many major collections a suspect must survive to be retained. */
export const retainedAfterMajors = 4;
/** A closed resource is no suspect before this: ws's close timeout (30 s) plus 5 s. Milliseconds. */
export const defaultGraceMs = 35_000;

/** Buckets of the delay between a close and its collection, in major collections. */
export const delayBounds: readonly number[] = [1, 2, 3, 4, 6, 10, 20];

/** Kinds that are opened per exchange or more often, and how many of them stand for one that is watched. */
export const defaultSampling: Readonly<Partial<Record<ResourceKind, number>>> = {
  stream: 100,
  exchange: 100,
  deadline: 100,
  listener: 100,
  span: 100,
};

/** Options of {@link CollectionWatcher}. */
export interface WatcherOptions {
  readonly clock: MajorGcs;
  /** How long after its close a resource may be referred to. Milliseconds, default {@link defaultGraceMs}. */
  readonly graceMs?: number;
  /** Of how many resources of a kind one is watched, on average: 1 all, 0 none. Default {@link defaultSampling}, others 1. */
  readonly sampling?: Readonly<Partial<Record<ResourceKind, number>>>;
  /** Watches every resource, whatever `sampling` says; for the gate. Default false. */
  readonly watchAll?: boolean;
  /** Hears of every resource that is found to be retained. */
  readonly onRetained?: (found: { readonly kind: ResourceKind; readonly label: string }) => void;
  /** The clock of durations, for tests. Default `performance.now`. */
  readonly now?: () => number;
}

/** What the watcher knows of one kind. Counts of watched resources. */
export interface WatchReading {
  /** Of how many opened ones one is watched; 1 when all are. */
  readonly oneIn: number;
  readonly watched: number;
  /** Closed, younger than the grace. */
  readonly pending: number;
  /** Closed for longer, but not yet through enough collections. */
  readonly suspect: number;
  /** Closed, older than the grace, and at least {@link retainedAfterMajors} major collections survived since. */
  readonly retained: number;
  /** All that are closed and not collected: the sum of the three. */
  readonly uncollected: number;
  /** Collected although nobody closed them, ever. */
  readonly collectedUnclosed: number;
  /** Major collections between a close and its collection. */
  readonly delays: HistogramCounts;
}

/** What the watcher needs of a {@link GcClock}. */
export type MajorGcs = Pick<GcClock, "turns" | "counted" | "onMajor">;

/** Tallies of one kind. They only grow; what stands in a state is always a difference. */
interface Tally {
  readonly sampler: Sampler;
  readonly delays: Histogram;
  watched: number;
  closed: number;
  suspected: number;
  retained: number;
  pendingCollected: number;
  suspectCollected: number;
  retainedCollected: number;
  openCollected: number;
}

/** Watches a role's resources on behalf of the garbage collector. */
export class CollectionWatcher extends QuietEvents {
  readonly #clock: MajorGcs;
  readonly #graceMs: number;
  readonly #now: () => number;
  readonly #onRetained: NonNullable<WatcherOptions["onRetained"]>;
  readonly #tallies: KindLookup<Tally>;
  readonly #stopListening: () => void;
  /** Pinned here: a registry that nothing refers to never calls back. */
  #registry: FinalizationRegistry<number> | undefined;
  #ids = new WeakMap<Resource, number>();
  #lastId = 0;
  // Each record is in exactly one of these. The last three are in the order of closing, so only their heads are looked at.
  readonly #open = new Map<number, WatchRecord>();
  readonly #pending = new Map<number, WatchRecord>();
  readonly #suspect = new Map<number, WatchRecord>();
  readonly #retained = new Map<number, WatchRecord>();

  constructor(options: WatcherOptions) {
    super();
    this.#clock = options.clock;
    this.#graceMs = options.graceMs ?? defaultGraceMs;
    this.#now = options.now ?? (() => performance.now());
    this.#onRetained = options.onRetained ?? (() => undefined);
    const sampling = options.sampling ?? defaultSampling;
    const oneInOf = (kind: ResourceKind): number => (options.watchAll === true ? 1 : (sampling[kind] ?? 1));
    this.#tallies = new KindLookup(byKind((kind) => emptyTally(oneInOf(kind))));
    this.#registry = new FinalizationRegistry((id) => this.#collected(id));
    this.#stopListening = this.#clock.onMajor((gc) => this.#afterMajor(gc));
  }

  /** Whether a collection now would decide something: some resource has been closed for long enough and is still there. */
  get awaiting(): boolean {
    if (this.#suspect.size > 0) return true;
    const [longestClosed] = this.#pending.values();
    return longestClosed !== undefined && longestClosed.closedAtMs + this.#graceMs <= this.#now();
  }

  /** Grows with every watched resource; if it stands still, so does everything else here. */
  get activity(): number {
    return this.#lastId;
  }

  /** How many records there are: resources watched and not collected. */
  get size(): number {
    return this.#open.size + this.#pending.size + this.#suspect.size + this.#retained.size;
  }

  override opened(resource: Resource): void {
    this.watch(resource.kind, resource);
  }

  override closed(resource: Resource): void {
    this.expectCollection(resource.kind, resource);
  }

  /** `resource`, of `kind`, was opened: watches it if it is one of the sample. */
  watch(kind: ResourceKind, resource: Resource): void {
    const tally = this.#tallies.of(kind);
    if (!tally.sampler.pick() || !this.#registry) return;
    const id = (this.#lastId += 1);
    tally.watched += 1;
    this.#ids.set(resource, id);
    this.#registry.register(resource, id);
    this.#open.set(id, new WatchRecord(resource));
  }

  /** `resource`, of `kind`, was closed: if it is watched, the collector should take it soon. */
  expectCollection(kind: ResourceKind, resource: Resource): void {
    const { watched, closed, openCollected } = this.#tallies.of(kind);
    // None of the open ones of this kind is watched: true of nearly all closes where only a sample is.
    if (watched === closed + openCollected) return;
    const id = this.#ids.get(resource);
    if (id === undefined) return;
    const record = this.#open.get(id);
    if (!record) return;
    this.#open.delete(id);
    record.closedAtMs = this.#now();
    record.closedAtTurn = this.#clock.turns;
    this.#tallies.of(record.kind).closed += 1;
    this.#pending.set(id, record);
  }

  /** What is known of one kind now. */
  reading(kind: ResourceKind): WatchReading {
    const tally = this.#tallies.of(kind);
    const retained = tally.retained - tally.retainedCollected;
    const suspect = tally.suspected - tally.retained - tally.suspectCollected;
    const pending = tally.closed - tally.suspected - tally.pendingCollected;
    return {
      oneIn: tally.sampler.oneIn,
      watched: tally.watched,
      pending,
      suspect,
      retained,
      uncollected: pending + suspect + retained,
      collectedUnclosed: tally.openCollected,
      delays: tally.delays,
    };
  }

  /** The retained resources, longest closed first, at most `limit` (default 100). */
  retained(limit = 100): RetainedResource[] {
    const now = this.#now();
    const found: RetainedResource[] = [];
    for (const record of this.#retained.values()) {
      if (found.length >= limit) break;
      found.push({
        label: record.label ?? record.kind,
        kind: record.kind,
        closedForMs: now - record.closedAtMs,
        openForMs: record.closedAtMs - record.openedAtMs,
      });
    }
    return found;
  }

  /** Forgets everything and watches nothing more. Idempotent. */
  dispose(): void {
    this.#stopListening();
    // Without its registry no callback is left; nothing needs to be unregistered one by one.
    this.#registry = undefined;
    this.#ids = new WeakMap();
    for (const records of [this.#open, this.#pending, this.#suspect, this.#retained]) records.clear();
  }

  #afterMajor(gc: MajorGc): void {
    for (const [id, record] of this.#pending) {
      if (record.closedAtMs + this.#graceMs > gc.startedAtMs) break;
      this.#pending.delete(id);
      // It was old enough when this collection began, so this one counts already.
      record.suspectAtTurn = gc.turns - 1;
      this.#tallies.of(record.kind).suspected += 1;
      this.#suspect.set(id, record);
    }
    for (const [id, record] of this.#suspect) {
      if (gc.turns - record.suspectAtTurn < retainedAfterMajors) break;
      this.#suspect.delete(id);
      // join() makes a flat string; snapshots do not show the text of concatenated ones.
      record.label = [record.kind, id].join("#");
      this.#tallies.of(record.kind).retained += 1;
      this.#retained.set(id, record);
      this.#onRetained({ kind: record.kind, label: record.label });
    }
  }

  #collected(id: number): void {
    const pending = this.#pending.get(id);
    if (pending) {
      this.#pending.delete(id);
      this.#tallies.of(pending.kind).pendingCollected += 1;
      this.#observeDelay(pending);
      return;
    }
    const suspect = this.#suspect.get(id);
    if (suspect) {
      this.#suspect.delete(id);
      this.#tallies.of(suspect.kind).suspectCollected += 1;
      this.#observeDelay(suspect);
      return;
    }
    const open = this.#open.get(id);
    if (open) {
      this.#open.delete(id);
      this.#tallies.of(open.kind).openCollected += 1;
      return;
    }
    const retained = this.#retained.get(id);
    if (!retained) return;
    this.#retained.delete(id);
    this.#tallies.of(retained.kind).retainedCollected += 1;
    this.#observeDelay(retained);
  }

  #observeDelay(record: WatchRecord): void {
    const uncounted = this.#clock.counted ? 0 : 1;
    // At least one has run, whatever the clock says: here it is gone.
    this.#tallies.of(record.kind).delays.observe(Math.max(1, this.#clock.turns - record.closedAtTurn + uncounted));
  }
}

function emptyTally(oneIn: number): Tally {
  return {
    sampler: new Sampler(oneIn),
    delays: new Histogram(delayBounds),
    watched: 0,
    closed: 0,
    suspected: 0,
    retained: 0,
    pendingCollected: 0,
    suspectCollected: 0,
    retainedCollected: 0,
    openCollected: 0,
  };
}
