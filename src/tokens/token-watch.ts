// Follows the tokens file: hears of changes from the system, looks by itself where the system says nothing, and reads it
// again when told to. A file that is missing, half written or wrong changes nothing: what was read last stays in force.

import type { FSWatcher } from "node:fs";
import { watch } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Deadline } from "../lifecycle/deadlines.ts";
import { CaissonError } from "../lifecycle/errors.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { readTokenFile, stampOf } from "./token-file.ts";
import { TokenTable } from "./token-table.ts";

/** How often the file is looked at where no change is announced (network file systems), in milliseconds. */
const lookEveryMs = 5_000;
/** How long after an announced change the file is read: changes come in bursts. Milliseconds. */
const settleMs = 20;

/** Who hears of changes. */
export interface TokenWatchOwner {
  /** Other tokens than before. */
  onTokens(table: TokenTable): void;
  /** The file cannot be used, and what was read before stays in force. Once per state of the file. */
  onTokensProblem(error: CaissonError): void;
}

/** Options of {@link TokenWatch}. */
export interface TokenWatchOptions {
  readonly runtime: Runtime;
  readonly owner: TokenWatchOwner;
  /** What {@link readTokenFile} answered with what is in force. */
  readonly stamp: string;
}

/** One file that is followed until {@link close}. */
export class TokenWatch {
  readonly #file: string;
  readonly #owner: TokenWatchOwner;
  readonly #runtime: Runtime;
  readonly #look: Deadline;
  readonly #onChange = (): void => this.#look.arm(settleMs);
  #watcher: FSWatcher | undefined;
  /** The state of the file that was read last, or could not be. */
  #stamp: string;
  #reading: Promise<void> | undefined;
  #again = false;
  #closed = false;

  /** Begins to follow a file that has been read. */
  constructor(file: string, options: TokenWatchOptions) {
    this.#file = file;
    this.#owner = options.owner;
    this.#runtime = options.runtime;
    this.#stamp = options.stamp;
    this.#look = options.runtime.deadlines.create(() => void this.#lookAgain());
    this.#follow();
    // It may have changed since it was read, before anybody listened.
    this.#look.arm(settleMs);
  }

  /** Reads the file again, changed or not, so that its owner hears how it went. Never rejects. */
  reload(): Promise<void> {
    this.#stamp = "";
    return this.#lookAgain();
  }

  /** Stops to follow it. */
  close(): void {
    this.#closed = true;
    this.#look.dispose();
    this.#watcher?.off("change", this.#onChange).off("error", this.#onWatchFailed).close();
    this.#watcher = undefined;
  }

  #lookAgain(): Promise<void> {
    this.#again = this.#reading !== undefined;
    this.#reading ??= this.#read();
    return this.#reading;
  }

  #read(): Promise<void> {
    return this.#runtime.operations.run("tokens", () => this.#readUntilSettled());
  }

  async #readUntilSettled(): Promise<void> {
    do {
      this.#again = false;
      const stamp = await this.#stampNow();
      if (stamp !== this.#stamp && !this.#closed) await this.#readChanged(stamp);
    } while (this.#again && !this.#closed);
    this.#reading = undefined;
    if (this.#closed) return;
    this.#follow();
    this.#look.arm(lookEveryMs);
  }

  async #readChanged(stamp: string): Promise<void> {
    try {
      const content = await readTokenFile(this.#file);
      this.#stamp = content.stamp;
      if (!this.#closed) this.#owner.onTokens(new TokenTable(content.entries));
    } catch (error) {
      this.#stamp = stamp;
      if (!this.#closed) this.#owner.onTokensProblem(CaissonError.from(error, "E_CONFIG"));
    }
  }

  /** The state of the file; a missing one is a state too. */
  async #stampNow(): Promise<string> {
    try {
      return stampOf(await stat(this.#file));
    } catch {
      return "missing";
    }
  }

  /** The folder is what is watched: the file itself is replaced. */
  #follow(): void {
    if (this.#watcher) return;
    try {
      this.#watcher = watch(dirname(this.#file), { persistent: false });
      this.#watcher.on("change", this.#onChange).on("error", this.#onWatchFailed);
    } catch {
      // No watches left, or no such folder: looking every few seconds does it as well.
    }
  }

  readonly #onWatchFailed = (): void => {
    this.#watcher?.off("change", this.#onChange).close();
    this.#watcher = undefined;
  };
}
