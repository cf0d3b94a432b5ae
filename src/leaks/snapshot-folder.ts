// The files of one snapshot folder: generated names, mode 0600 in a folder of mode 0700, nothing half-written left behind.
// It never follows a name from outside: an id that it did not generate finds nothing.

import { randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { chmod, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { CaissonError, systemCodeOf } from "../lifecycle/errors.ts";
import type { SnapshotEngineName, SnapshotTrigger } from "./snapshot-entry.ts";
import { snapshotEngines, snapshotTriggers } from "./snapshot-entry.ts";

const suffix = ".heapsnapshot";
const partialSuffix = ".partial";
const idPattern = /^caisson-(\d{13})-([a-z0-9]+)-([a-z]+)-[0-9a-f]{8}$/;
/** A quote that ends a string, so that no cut in the middle of one looks like the end. */
const wholeTail = /[^\\]"\s*\]\s*\}\s*$/;
/** No snapshot takes this long, so a partial file of this age belongs to a process that died. Milliseconds. */
const abandonedAfterMs = 600_000;
/** Bits of a mode: the group or everybody may write; only owners may remove. */
const othersWrite = 0o022;
const sticky = 0o1000;

/** A snapshot file, as its name and the disk tell of it. */
export interface SnapshotFile {
  readonly id: string;
  readonly bytes: number;
  readonly takenAtMs: number;
  readonly engine: SnapshotEngineName;
  readonly trigger: SnapshotTrigger;
}

/** The folder that a snapshot store keeps its files in. */
export class SnapshotFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder if it is missing. One that holds nothing but snapshots is closed to other users. */
  async prepare(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    const names = await readdir(this.path);
    if (names.every(isOurs)) await chmod(this.path, 0o700);
    else await this.#checkOthers();
  }

  /**
   * A folder with other things in it is somebody else's to set up, and the files are private anyway; but where others may
   * remove and replace them, a snapshot could be anybody's. Not so with the sticky bit, as in /tmp.
   */
  async #checkOthers(): Promise<void> {
    const { mode } = await stat(this.path);
    if (process.platform === "win32" || (mode & othersWrite) === 0 || (mode & sticky) !== 0) return;
    const shown = (mode & 0o7777).toString(8).padStart(4, "0");
    throw new CaissonError(
      "E_CONFIG",
      `other users can write to the snapshot folder ${this.path} (mode ${shown}), and so replace what is in it: ` +
        "take that away with chmod go-w, or choose another folder with --snapshots",
    );
  }

  /** Creates an empty file for a new snapshot; fails if it exists. Answers its id and path. */
  async create(engine: SnapshotEngineName, trigger: SnapshotTrigger): Promise<{ id: string; path: string }> {
    const id = `caisson-${Date.now()}-${engine}-${trigger}-${randomBytes(4).toString("hex")}`;
    const path = join(this.path, id + partialSuffix);
    const handle = await open(path, "wx", 0o600);
    await handle.close();
    return { id, path };
  }

  /** Whether a written file is a whole snapshot: it ends as the array of strings, its last part, does. */
  async isComplete(path: string): Promise<boolean> {
    const handle = await open(path, "r");
    try {
      const { size } = await handle.stat();
      const tail = Buffer.alloc(Math.min(size, 16));
      await handle.read(tail, 0, tail.length, size - tail.length);
      return wholeTail.test(tail.toString("latin1"));
    } finally {
      await handle.close();
    }
  }

  /** Gives a complete file its final name. */
  async finish(id: string): Promise<void> {
    await rename(join(this.path, id + partialSuffix), join(this.path, id + suffix));
  }

  /** Removes what was created and not finished. */
  async discard(id: string): Promise<void> {
    await rm(join(this.path, id + partialSuffix), { force: true });
  }

  /** All complete snapshots, the oldest first. Empty if the folder is missing. */
  async list(): Promise<SnapshotFile[]> {
    const names = await this.#names();
    const files = await Promise.all(names.filter((name) => name.endsWith(suffix)).map((name) => this.#describe(name)));
    return files.filter((file) => file !== undefined).toSorted((a, b) => a.takenAtMs - b.takenAtMs);
  }

  /** Opens a snapshot for reading; undefined if there is none of that id. */
  async open(id: string): Promise<FileHandle | undefined> {
    if (!idPattern.test(id)) return undefined;
    try {
      return await open(join(this.path, id + suffix), "r");
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Removes a snapshot; false if there is none of that id. */
  async remove(id: string): Promise<boolean> {
    if (!idPattern.test(id)) return false;
    try {
      await rm(join(this.path, id + suffix));
      return true;
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return false;
      throw error;
    }
  }

  /**
   * Removes what processes that died while writing have left. Answers when the next partial file has the age of those, in
   * milliseconds from now; infinite if there is none.
   */
  async removeAbandoned(): Promise<number> {
    let nextMs = Infinity;
    for (const name of await this.#names()) {
      if (!name.endsWith(partialSuffix) || !isOurs(name)) continue;
      const path = join(this.path, name);
      const age = await this.#ageMs(path);
      if (age === undefined) continue;
      if (age > abandonedAfterMs) await rm(path, { force: true });
      else nextMs = Math.min(nextMs, abandonedAfterMs - age);
    }
    return nextMs;
  }

  /** Undefined for a file that its process has finished or removed since the folder was listed. */
  async #ageMs(path: string): Promise<number | undefined> {
    try {
      return Date.now() - (await stat(path)).mtimeMs;
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.path);
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  async #describe(name: string): Promise<SnapshotFile | undefined> {
    const id = name.slice(0, -suffix.length);
    const [, takenAt, engineWord, triggerWord] = idPattern.exec(id) ?? [];
    const engine = snapshotEngines.find((word) => word === engineWord);
    const trigger = snapshotTriggers.find((word) => word === triggerWord);
    if (takenAt === undefined || engine === undefined || trigger === undefined) return undefined;
    try {
      const { size } = await stat(join(this.path, name));
      return { id, bytes: size, takenAtMs: Number(takenAt), engine, trigger };
    } catch (error) {
      // Removed since the folder was listed.
      if (systemCodeOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }
}

function isOurs(name: string): boolean {
  const stem = name.endsWith(partialSuffix) ? name.slice(0, -partialSuffix.length) : name.slice(0, -suffix.length);
  return idPattern.test(stem);
}
