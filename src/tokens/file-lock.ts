// One writer at a time for a file, over processes: a lock file that names its owner's process. A lock whose owner is gone
// is taken over, so that a killed command blocks nobody.

import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { Deadlines } from "../lifecycle/deadlines.ts";
import { CaissonError, systemCodeOf } from "../lifecycle/errors.ts";
import { noEvents } from "../lifecycle/events.ts";

/** How long another writer is waited for, and how often is looked, in milliseconds. */
const patienceMs = 10_000;
const lookEveryMs = 20;

/** Gives the lock back. */
export type Unlock = () => Promise<void>;

/** Takes the lock, which is the file `lock`. Throws E_CONFIG if a living process keeps it for 10 s. */
export async function lockFile(lock: string): Promise<Unlock> {
  const draft = `${lock}.${process.pid}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, String(process.pid), { flag: "wx", mode: 0o600 });
  try {
    await take(lock, draft);
  } finally {
    await rm(draft, { force: true });
  }
  return () => rm(lock, { force: true });
}

async function take(lock: string, draft: string): Promise<void> {
  const deadlines = new Deadlines({ events: noEvents, tickMs: 10 });
  const givesUpAtMs = performance.now() + patienceMs;
  for (;;) {
    try {
      // The lock appears with its owner's id in it, or not at all.
      await link(draft, lock);
      return;
    } catch (error) {
      if (systemCodeOf(error) !== "EEXIST") throw error;
    }
    const owner = await ownerOf(lock);
    if (owner !== undefined && !isRunning(owner)) await clearAway(lock, draft);
    else if (performance.now() >= givesUpAtMs) {
      throw new CaissonError("E_CONFIG", `process ${owner ?? "?"} is changing it: try again, or remove ${lock}`);
    } else await pause(deadlines);
  }
}

/** Removes a dead owner's lock. What was taken away by mistake, because it changed hands just now, is put back. */
async function clearAway(lock: string, draft: string): Promise<void> {
  const aside = `${draft}.stale`;
  try {
    await rename(lock, aside);
    const owner = await ownerOf(aside);
    if (owner !== undefined && isRunning(owner)) await link(aside, lock);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== "ENOENT" && code !== "EEXIST") throw error; // Otherwise somebody else was faster.
  } finally {
    await rm(aside, { force: true });
  }
}

async function ownerOf(lock: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(lock, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function pause(deadlines: Deadlines): Promise<void> {
  return new Promise((resolve) => {
    const deadline = deadlines.create(() => {
      deadline.dispose();
      resolve();
    });
    deadline.arm(lookEveryMs);
  });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0); // Signal 0 only asks.
  } catch (error) {
    return systemCodeOf(error) === "EPERM"; // Another user's process: it runs.
  }
}
