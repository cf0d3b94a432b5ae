// Heap snapshots of the running process: taken one at a time under guards, kept in one folder, bounded in number and age.
// It promises that a refusal or a failure leaves no file, that the notice goes out before the event loop stands still, and
// that allocations are as fast afterwards as before. It never throws for what an operator must expect.

import type { FileHandle } from "node:fs/promises";
import type { Deadline, Deadlines } from "../lifecycle/deadlines.ts";
import { messageOf, systemCodeOf } from "../lifecycle/errors.ts";
import type { TunnelEvents } from "../lifecycle/events.ts";
import type { OperationScope } from "../lifecycle/operation.ts";
import { unfollowedOperations } from "../lifecycle/operation.ts";
import type { Resource } from "../lifecycle/resource.ts";
import { Histogram } from "./histogram.ts";
import type {
  SnapshotEngineName,
  SnapshotEntry,
  SnapshotForecast,
  SnapshotNews,
  SnapshotRefusal,
  SnapshotRefusalCode,
  SnapshotResult,
  SnapshotTally,
  SnapshotTrigger,
} from "./snapshot-entry.ts";
import type { SnapshotFile } from "./snapshot-folder.ts";
import { SnapshotFolder } from "./snapshot-folder.ts";
import type { SnapshotGround, WriteSnapshot } from "./snapshot-ground.ts";
import { snapshotGround } from "./snapshot-ground.ts";
import { holdTickShape } from "./tick-shape.ts";
import { diskRefusal, expectedBytes, expectedStallMs, headroomFactor, memoryRefusal } from "./snapshot-guards.ts";

const closing = "the process is shutting down";

/** Buckets of the stall, in seconds. */
const stallBounds: readonly number[] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60];
const week = 7 * 24 * 3_600_000;
/** The longest wait for the oldest snapshot's end, so that a moved wall clock is noticed. Milliseconds. */
const longestWaitMs = 3_600_000;

/** Options of {@link SnapshotStore}. */
export interface SnapshotStoreOptions {
  /** Where snapshots are kept; made with mode 0700 if missing. Best left to Caisson alone. */
  readonly folder: string;
  readonly events: TunnelEvents;
  readonly deadlines: Deadlines;
  /** How many are kept; the oldest go first. At least 1, default 5. */
  readonly keepCount?: number;
  /** How long they are kept, in milliseconds. Default seven days. */
  readonly keepMs?: number;
  /** Refused when the stall is expected to be longer, in milliseconds. Default 30,000. */
  readonly maxStallMs?: number;
  /** Called before the event loop stalls, with the expected length in milliseconds; awaited, so that notices leave first. */
  readonly beforeStall?: (expectedMs: number) => void | Promise<void>;
  /** Follows each taking, under the name `snapshot`. */
  readonly operations?: OperationScope;
  /** Hears how each taking ended. Must not throw. */
  readonly onResult?: (news: SnapshotNews) => void;
  /** What the guards look at, and who writes. Default the real one. */
  readonly ground?: SnapshotGround;
}

/** Options of {@link SnapshotStore.take}. */
export interface TakeOptions {
  /** Default `v8`. */
  readonly engine?: SnapshotEngineName;
  readonly trigger: SnapshotTrigger;
  /** Takes it although memory is short or the stall long; never although one is running or the disk is full. Default false. */
  readonly force?: boolean;
}

/** An open snapshot file; the caller closes the handle. */
export interface OpenSnapshot {
  readonly entry: SnapshotEntry;
  readonly handle: FileHandle;
}

/** The taking of one snapshot, from the guards to the finished file. */
class SnapshotTaking implements Resource {
  readonly kind = "snapshot";
  readonly openedAtMs: number = performance.now();
}

/** Takes, keeps and removes the snapshots of one role. */
export class SnapshotStore {
  readonly folder: SnapshotFolder;
  readonly #events: TunnelEvents;
  readonly #keepCount: number;
  readonly #keepMs: number;
  readonly #maxStallMs: number;
  readonly #beforeStall: (expectedMs: number) => void | Promise<void>;
  readonly #operations: OperationScope;
  readonly #onResult: (news: SnapshotNews) => void;
  readonly #ground: SnapshotGround;
  readonly #expiry: Deadline;
  /** What only this process knows of the files that it made. */
  readonly #entries = new Map<string, SnapshotEntry>();
  readonly #tallies = new Map<string, SnapshotTally>();
  #taking: SnapshotTaking | undefined;
  #running: Promise<SnapshotResult> | undefined;
  #disposed = false;
  #msPerMegabyte: number | undefined;
  /** How long the event loop stood still for snapshots, in seconds. */
  readonly stalls: Histogram = new Histogram(stallBounds);

  constructor(options: SnapshotStoreOptions) {
    this.folder = new SnapshotFolder(options.folder);
    this.#events = options.events;
    this.#keepCount = Math.max(1, options.keepCount ?? 5);
    this.#keepMs = options.keepMs ?? week;
    this.#maxStallMs = options.maxStallMs ?? 30_000;
    this.#beforeStall = options.beforeStall ?? (() => {});
    this.#operations = options.operations ?? unfollowedOperations;
    this.#onResult = options.onResult ?? (() => {});
    this.#ground = options.ground ?? snapshotGround;
    this.#expiry = options.deadlines.create(() => void this.sweep());
  }

  /** 1 while a snapshot is being taken, else 0. */
  get held(): number {
    return this.#taking ? 1 : 0;
  }

  /** Snapshots of which more is known than their files tell. */
  get known(): number {
    return this.#entries.size;
  }

  /** How often which trigger led to which result. */
  tallies(): SnapshotTally[] {
    return [...this.#tallies.values()];
  }

  /** Why an engine cannot be used, or undefined. Loads it. */
  engineProblem(engine: SnapshotEngineName): string | undefined {
    const found = this.#ground.engine(engine);
    return "missing" in found ? found.missing : undefined;
  }

  /** What a snapshot would cost now, and whether it would be refused for want of memory. Cheap. */
  forecast(): SnapshotForecast {
    const heapUsed = this.#ground.heapUsed();
    const stallMs = expectedStallMs(heapUsed, this.#msPerMegabyte);
    const headroom = this.#ground.headroom();
    const refusal = memoryRefusal({ heapUsed, headroom, expectedStallMs: stallMs, maxStallMs: this.#maxStallMs });
    return {
      stallMs,
      diskBytes: expectedBytes(heapUsed),
      memoryBytes: headroomFactor * heapUsed,
      refusal: refusal?.message ?? null,
    };
  }

  /** Takes a snapshot, or says why not. The event loop stands still meanwhile. Never rejects. */
  async take(options: TakeOptions): Promise<SnapshotResult> {
    const result = await this.#operations.run("snapshot", () => this.#takeOne(options));
    const { trigger, engine = "v8" } = options;
    this.#count(trigger, result.ok ? "ok" : result.refusal.code);
    this.#onResult({ trigger, engine, result });
    return result;
  }

  /** Resolves when no snapshot is being taken. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** The snapshots in the folder, the oldest first. */
  async list(): Promise<SnapshotEntry[]> {
    return (await this.folder.list()).map((file) => this.#entries.get(file.id) ?? file);
  }

  /** Opens a snapshot to be sent; undefined if there is none of that id. */
  async open(id: string): Promise<OpenSnapshot | undefined> {
    const handle = await this.folder.open(id);
    if (!handle) return undefined;
    let entry: SnapshotEntry | undefined;
    try {
      entry = (await this.list()).find((candidate) => candidate.id === id);
    } finally {
      if (!entry) await handle.close();
    }
    return entry && { entry, handle };
  }

  /** Deletes a snapshot; false if there is none of that id. */
  async remove(id: string): Promise<boolean> {
    this.#entries.delete(id);
    return this.folder.remove(id);
  }

  /** Removes what is too old, too many or abandoned, and waits for the next one's end. Called at the start. Never rejects. */
  async sweep(): Promise<void> {
    try {
      const abandonedInMs = await this.folder.removeAbandoned();
      const files = await this.folder.list();
      const oldestKeptMs = Date.now() - this.#keepMs;
      const tooMany = Math.max(0, files.length - this.#keepCount);
      const kept: SnapshotFile[] = [];
      for (const [index, file] of files.entries()) {
        if (index < tooMany || file.takenAtMs < oldestKeptMs) await this.remove(file.id);
        else kept.push(file);
      }
      const [oldest] = kept;
      const expiresInMs = oldest ? Math.max(0, oldest.takenAtMs - oldestKeptMs) : Infinity;
      const nextMs = Math.min(abandonedInMs, expiresInMs);
      if (nextMs === Infinity) this.#expiry.disarm();
      else this.#expiry.arm(Math.min(longestWaitMs, nextMs + 1));
    } catch (error) {
      this.#events.faulted("snapshots", error);
    }
  }

  /** Takes no more, and stops waiting for snapshots to grow old. The files stay. Idempotent; {@link idle} tells of the last one's end. */
  dispose(): void {
    this.#disposed = true;
    this.#expiry.dispose("closed");
  }

  async #takeOne(options: TakeOptions): Promise<SnapshotResult> {
    if (this.#disposed) return refuse("failed", closing);
    if (this.#taking) return refuse("busy", "another snapshot is being taken");
    const running = this.#takeAlone(options);
    this.#running = running;
    return running;
  }

  async #takeAlone(options: TakeOptions): Promise<SnapshotResult> {
    const taking = new SnapshotTaking();
    this.#taking = taking;
    this.#events.opened(taking);
    let result: SnapshotResult;
    try {
      result = await this.#guarded(options);
    } catch (error) {
      result = refuse(isFull(error) ? "disk" : "failed", messageOf(error));
    }
    this.#taking = undefined;
    this.#events.closed(taking, result.ok ? "ok" : result.refusal.code);
    return result;
  }

  async #guarded(options: TakeOptions): Promise<SnapshotResult> {
    const engine = options.engine ?? "v8";
    const found = this.#ground.engine(engine);
    if ("missing" in found) return refuse("engine", found.missing);
    const heapUsed = this.#ground.heapUsed();
    const expectedMs = expectedStallMs(heapUsed, this.#msPerMegabyte);
    const facts = {
      heapUsed,
      headroom: this.#ground.headroom(),
      expectedStallMs: expectedMs,
      maxStallMs: this.#maxStallMs,
    };
    const memory = options.force === true ? undefined : memoryRefusal(facts);
    if (memory) return { ok: false, refusal: memory };
    await this.folder.prepare();
    await this.sweep();
    const disk = diskRefusal(heapUsed, await this.#ground.diskFree(this.folder.path));
    if (disk) return { ok: false, refusal: disk };
    const result = await this.#written(found.write, { engine, trigger: options.trigger, heapUsed, expectedMs });
    await this.sweep();
    return result;
  }

  async #written(write: WriteSnapshot, facts: WriteFacts): Promise<SnapshotResult> {
    const { engine, trigger, heapUsed, expectedMs } = facts;
    const { id, path } = await this.folder.create(engine, trigger);
    try {
      await this.#warn(expectedMs);
      // Whoever shuts down waits for a snapshot that has begun, and should not for one that has not.
      if (this.#disposed) return refuse("failed", closing);
      const stallMs = await this.#stall(() => write(path), heapUsed);
      // heapdump does not tell of a short write, so the file itself must.
      if (!(await this.folder.isComplete(path))) {
        return refuse("disk", "the snapshot could not be written to its end; is the disk full?");
      }
      await this.folder.finish(id);
      const bytes = (await this.folder.list()).find((file) => file.id === id)?.bytes ?? 0;
      const entry = { id, bytes, takenAtMs: Date.now(), engine, trigger, stallMs, heapUsed };
      this.#entries.set(id, entry);
      return { ok: true, entry };
    } finally {
      // Does nothing after finish().
      await this.folder.discard(id);
    }
  }

  async #warn(expectedMs: number): Promise<void> {
    try {
      await this.#beforeStall(expectedMs);
    } catch (error) {
      this.#events.faulted("snapshots", error);
    }
    // Notices are frames, and frames leave at the end of a turn of the event loop.
    await nextTurn();
    await nextTurn();
  }

  async #stall(write: () => void, heapUsed: number): Promise<number> {
    const startedAtMs = performance.now();
    holdTickShape();
    try {
      write();
    } finally {
      await this.#ground.cure();
    }
    const stallMs = performance.now() - startedAtMs;
    this.stalls.observe(stallMs / 1000);
    this.#msPerMegabyte = stallMs / (heapUsed / (1024 * 1024));
    return stallMs;
  }

  #count(trigger: SnapshotTrigger, result: SnapshotTally["result"]): void {
    const key = `${trigger} ${result}`;
    this.#tallies.set(key, { trigger, result, count: (this.#tallies.get(key)?.count ?? 0) + 1 });
  }
}

interface WriteFacts {
  readonly engine: SnapshotEngineName;
  readonly trigger: SnapshotTrigger;
  readonly heapUsed: number;
  readonly expectedMs: number;
}

function refuse(code: SnapshotRefusalCode, message: string): { readonly ok: false; readonly refusal: SnapshotRefusal } {
  return { ok: false, refusal: { code, message } };
}

/** No space, over quota, over the size limit of files. */
function isFull(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG" || /ENOSPC|EDQUOT|EFBIG/.test(messageOf(error));
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
