// The keys of names that servers gave to clients of this user, in a file of their own: a client that was killed and is
// started again gets its name back at once. While the process that was given a name still runs, its key is nobody else's:
// a second client under that name is refused. Losing the file loses nothing but that, so it is never a reason to fail.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Keyring } from "../client/keyring.ts";
import { systemCodeOf } from "../lifecycle/errors.ts";

/** How many keys are kept; the ones used longest ago go first. */
const maxKeys = 200;

interface Entry {
  readonly server: string;
  readonly name: string;
  readonly key: string;
  /** Who was given it. */
  readonly pid: number;
}

/** A keyring in a file with mode 0600. Read at every question, because other clients of this user write it too. */
export class NameKeys implements Keyring {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  find(server: string, name: string): string | undefined {
    const found = this.#read().find((entry) => entry.server === server && entry.name === name);
    return found && (found.pid === process.pid || !isRunning(found.pid)) ? found.key : undefined;
  }

  keep(server: string, given: { readonly name: string; readonly resumeKey: string }): void {
    const { name, resumeKey } = given;
    const entries = this.#read();
    const others = entries.filter((entry) => entry.server !== server || entry.name !== name);
    const { pid } = process;
    this.#write([{ server, name, key: resumeKey, pid }, ...others].slice(0, maxKeys));
  }

  #read(): Entry[] {
    try {
      const parsed: unknown = JSON.parse(readFileSync(this.#file, "utf8"));
      return Array.isArray(parsed) ? parsed.filter(isEntry) : [];
    } catch {
      return []; // Missing, unreadable or damaged: there are no keys then.
    }
  }

  #write(entries: readonly Entry[]): void {
    const draft = `${this.#file}.${process.pid}`;
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      writeFileSync(draft, JSON.stringify(entries), { mode: 0o600 });
      renameSync(draft, this.#file);
    } catch {
      discard(draft); // A read-only home: the next start asks for the name as a stranger.
    }
  }
}

function discard(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // It could not even be made: its folder is no folder.
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  const texts = ["server", "name", "key"].every((field) => typeof Reflect.get(value, field) === "string");
  return texts && Number.isInteger(Reflect.get(value, "pid"));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0); // Signal 0 only asks.
  } catch (error) {
    return systemCodeOf(error) === "EPERM"; // Another user's process: it runs.
  }
}
