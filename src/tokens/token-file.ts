// The tokens file on disk: read whole or not at all, and changed by one writer at a time. A new version is written aside,
// flushed, and renamed over the old one, so that a reader or a power cut never meets half a file.

import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CaissonError, messageOf, systemCodeOf } from "../lifecycle/errors.ts";
import { lockFile } from "./file-lock.ts";
import { decodeTokens, encodeTokens } from "./token-codec.ts";
import type { TokenEntry } from "./token-table.ts";

/** A file that is larger is not read. 10,000 tokens of the usual size are 4 MiB. */
const maxFileBytes = 16 * 1024 * 1024;

/** What a file held, and what tells that it has changed. */
export interface TokenFileContent {
  readonly entries: readonly TokenEntry[];
  readonly stamp: string;
}

/** Reads the file. Throws E_CONFIG with its path if it is missing, not whole, or can be written by others. */
export async function readTokenFile(file: string): Promise<TokenFileContent> {
  try {
    const handle = await open(file, constants.O_RDONLY);
    try {
      return await readHandle(handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") {
      const advice = `make it with: caisson token create --tokens ${file}`;
      throw new CaissonError("E_CONFIG", `there is no tokens file ${file}; ${advice}`, { cause: error });
    }
    throw new CaissonError("E_CONFIG", `cannot use the tokens file ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Changes the file under its lock: `change` gets the entries (none if there is no file yet) and answers the new ones.
 * Throws E_CONFIG if it cannot be read or written, or another writer keeps it locked.
 */
export async function updateTokenFile(
  file: string,
  change: (entries: readonly TokenEntry[]) => readonly TokenEntry[],
): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const target = await resolve(file);
    const unlock = await lockFile(`${target}.lock`);
    try {
      await replace(target, encodeTokens(change(await readOrNone(target))));
    } finally {
      await unlock();
    }
  } catch (error) {
    if (error instanceof CaissonError) throw error;
    throw new CaissonError("E_CONFIG", `cannot change the tokens file ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** What changes whenever the file is replaced or written to. */
export function stampOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}

async function readHandle(handle: FileHandle): Promise<TokenFileContent> {
  const status = await handle.stat();
  // Whoever can write it can let themselves in. Windows has no such modes.
  if (process.platform !== "win32" && (status.mode & 0o022) !== 0) {
    throw new CaissonError("E_CONFIG", "others can write it; take that right from them with chmod go-w");
  }
  if (status.size > maxFileBytes) throw new CaissonError("E_CONFIG", "it is larger than 16 MiB");
  return { entries: decodeTokens(await handle.readFile("utf8")), stamp: stampOf(status) };
}

async function readOrNone(file: string): Promise<readonly TokenEntry[]> {
  try {
    return (await readTokenFile(file)).entries;
  } catch (error) {
    if (error instanceof CaissonError && systemCodeOf(error.cause) === "ENOENT") return [];
    throw error;
  }
}

/** Follows links, so that the file itself is replaced and the link stays. */
async function resolve(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return file;
    throw error;
  }
}

async function replace(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  const draft = join(folder, `.${basename(file)}.${randomBytes(6).toString("hex")}`);
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await flushFolder(folder);
}

/** The rename itself must survive a power cut. Not every system lets folders be opened. */
async function flushFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, constants.O_RDONLY);
  } catch {
    return; // Windows: there is nothing to flush.
  }
  try {
    await handle.sync();
  } catch {
    // A file system that cannot do it has its own order of writes.
  } finally {
    await handle.close();
  }
}
