// The third ledger: which closed resources the garbage collector has not taken, and which it took unclosed.
// It promises to hold every resource weakly and to run no timer: time and collections are looked at when one is reported.
// It never polls a WeakRef, because asking for the target would keep it alive.

import { QuietEvents } from "../lifecycle/quiet-events.ts";
import type { Resource, ResourceKind } from "../lifecycle/resource.ts";
import { byKind } from "./by-kind.ts";
import type { GcClock, MajorGc } from "./gc-clock.ts";
import type { WatchReading } from "./kind-watch.ts";
import { KindWatch } from "./kind-watch.ts";
import type { RetainedResource } from "./watch-record.ts";
import { WatchRecord } from "./watch-record.ts";

/** How many major collections a suspect must survive to be retained. */
export const retainedAfterMajors = 4;
/** A closed resource is no suspect before this: ws's close timeout (30 s) plus 5 s. Milliseconds. */
export const defaultGraceMs = 35_000;

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

/** What the watcher needs of a {@link GcClock}. */
export type MajorGcs = Pick<GcClock, "turns" | "counted" | "onMajor">;

/** Watches a role's resources on behalf of the garbage collector. */
export class CollectionWatcher extends QuietEvents {
  readonly #clock: MajorGcs;
  readonly #graceMs: number;
  readonly #now: () => number;
  readonly #onRetained: NonNullable<WatcherOptions["onRetained"]>;
  readonly #kinds: Readonly<Record<ResourceKind, KindWatch>>;
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
    this.#kinds = byKind((kind) => new KindWatch(this, oneInOf(kind)));
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
    this.#kinds[resource.kind].opened(resource);
  }

  override closed(resource: Resource): void {
    this.#kinds[resource.kind].closed(resource);
  }

  ofKind(kind: ResourceKind): KindWatch {
    return this.#kinds[kind];
  }

  /** What is known of one kind now. */
  reading(kind: ResourceKind): WatchReading {
    return this.#kinds[kind].reading();
  }

  /** @internal `resource` is one of the sample: watches it. False once the watcher was disposed of. */
  _watch(resource: Resource): boolean {
    if (!this.#registry) return false;
    const id = (this.#lastId += 1);
    this.#ids.set(resource, id);
    this.#registry.register(resource, id);
    this.#open.set(id, new WatchRecord(resource));
    return true;
  }

  /** @internal `resource` was closed: if it is watched, the collector should take it soon. False if it is not. */
  _expectCollection(resource: Resource): boolean {
    const id = this.#ids.get(resource);
    const record = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || !record) return false;
    this.#open.delete(id);
    record.closedAtMs = this.#now();
    record.closedAtTurn = this.#clock.turns;
    this.#pending.set(id, record);
    return true;
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
      this.#kinds[record.kind].suspected += 1;
      this.#suspect.set(id, record);
    }
    for (const [id, record] of this.#suspect) {
      if (gc.turns - record.suspectAtTurn < retainedAfterMajors) break;
      this.#suspect.delete(id);
      // join() makes a flat string; snapshots do not show the text of concatenated ones.
      record.label = [record.kind, id].join("#");
      this.#kinds[record.kind].retained += 1;
      this.#retained.set(id, record);
      this.#onRetained({ kind: record.kind, label: record.label });
    }
  }

  #collected(id: number): void {
    const pending = this.#pending.get(id);
    if (pending) {
      this.#pending.delete(id);
      this.#kinds[pending.kind].pendingCollected += 1;
      this.#observeDelay(pending);
      return;
    }
    const suspect = this.#suspect.get(id);
    if (suspect) {
      this.#suspect.delete(id);
      this.#kinds[suspect.kind].suspectCollected += 1;
      this.#observeDelay(suspect);
      return;
    }
    const open = this.#open.get(id);
    if (open) {
      this.#open.delete(id);
      this.#kinds[open.kind].openCollected += 1;
      return;
    }
    const retained = this.#retained.get(id);
    if (!retained) return;
    this.#retained.delete(id);
    this.#kinds[retained.kind].retainedCollected += 1;
    this.#observeDelay(retained);
  }

  #observeDelay(record: WatchRecord): void {
    const uncounted = this.#clock.counted ? 0 : 1;
    // At least one has run, whatever the clock says: here it is gone.
    this.#kinds[record.kind].delays.observe(Math.max(1, this.#clock.turns - record.closedAtTurn + uncounted));
  }
}
