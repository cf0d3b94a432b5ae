// One Node process of a gate run: started, listened to line by line, and ended by its own pid. It ends by itself when
// this process dies, because its IPC channel closes then. It never outlives stop().

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CaissonError } from "../../../src/lifecycle/errors.ts";

/** How a Node process is started. */
export interface NodeProcessOptions {
  /** What errors call it, such as "the server". */
  readonly title: string;
  readonly script: string;
  readonly args?: readonly string[];
  /** Flags of node itself, in front of the script. */
  readonly nodeFlags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Takes the IPC messages. */
  readonly onMessage?: (message: unknown) => void;
  /** Hears of it as soon as it runs: before it is known whether it will be of any use. */
  readonly onStarted?: OnStarted | undefined;
}

/** Hears of processes that were started. */
export type OnStarted = (process: NodeProcess) => void;

/** How many of the last lines on stderr are kept for error messages. */
const keptLines = 20;
const endWithParent = fileURLToPath(new URL("./end-with-parent.js", import.meta.url));

/** A running Node process. */
export class NodeProcess {
  readonly title: string;
  readonly pid: number;
  /** Settles when it has ended, with how. Never rejects. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting: Set<(line: string) => void> = new Set();
  #ending: string | undefined;
  #stopping = false;

  constructor(options: NodeProcessOptions) {
    const { title, script, args = [], nodeFlags = [], env = {}, onMessage, onStarted } = options;
    this.title = title;
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("CAISSON_"));
    this.#child = spawn(process.execPath, [...nodeFlags, "--import", endWithParent, script, ...args], {
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.pid = this.#child.pid ?? 0;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => this.#onLine(line));
    }
    if (onMessage) this.#child.on("message", onMessage);
    this.ended = new Promise((resolve) => {
      const finish = (how: string): void => {
        this.#ending ??= how;
        resolve(this.#ending);
      };
      this.#child.once("error", (error) => finish(error.message));
      this.#child.once("exit", (code, signal) => finish(code === null ? `signal ${signal ?? "?"}` : `code ${code}`));
    });
    onStarted?.(this);
  }

  /** How it ended; undefined while it runs. */
  get ending(): string | undefined {
    return this.#ending;
  }

  /** The last lines of its output. */
  get tail(): string {
    return this.#lines.join("\n");
  }

  /** The first line to come, or kept, that `pick` makes something of. Rejects with E_GATE if the process ends, or after `timeoutMs`. */
  line<T>(pick: (line: string) => T | undefined, timeoutMs = 30_000): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (line: string): void => {
        const found = pick(line);
        if (found === undefined) return;
        settle();
        resolve(found);
      };
      const fail = (how: string): void => {
        settle();
        reject(new CaissonError("E_GATE", `${this.title} ${how}\n${this.tail}`));
      };
      const timer = setTimeout(() => fail(`did not say what was waited for in ${timeoutMs} ms`), timeoutMs);
      void this.ended.then((how) => fail(`ended with ${how}`));
      this.#waiting.add(look);
      for (const line of this.#lines) look(line);
    });
  }

  /** Sends an IPC message. Throws E_GATE if the process is gone. */
  send(message: object): void {
    if (!this.#child.connected) throw this.failure();
    this.#child.send(message);
  }

  /** Ends it at once, as `kill -9` does. */
  async kill(): Promise<void> {
    this.#stopping ||= this.#ending === undefined;
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  /** Asks it to end, and kills it if it has not within `graceMs`. */
  async stop(graceMs = 5_000): Promise<void> {
    if (this.#ending !== undefined) return;
    this.#stopping = true;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  /** Why nothing can be asked of it any more. */
  failure(): CaissonError {
    return new CaissonError("E_GATE", `${this.title} ended with ${this.#ending ?? "a closed channel"}\n${this.tail}`);
  }

  /** Whether it ended although nobody asked it to. */
  get died(): boolean {
    return this.#ending !== undefined && !this.#stopping;
  }

  #onLine(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > keptLines) this.#lines.shift();
    for (const look of this.#waiting) look(line);
  }
}
