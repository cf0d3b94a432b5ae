// One program that a bench starts, whatever it is written in: watched line by line, and ended by its own pid, at the latest
// when this process exits. It never outlives its disposal.

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { CaissonError } from "../../src/lifecycle/errors.ts";

/** How it is started. */
export interface ProgramOptions {
  /** What errors call it. */
  readonly title: string;
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the environment; CAISSON_* of this process never get through. */
  readonly env?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** Whether its stdout is read: nobody does who runs it as a service and keeps no log. Default true. */
  readonly readsOutput?: boolean;
}

/** How many of the last lines are kept for error messages. */
const keptLines = 30;
/** How long a start may take, in milliseconds. */
const startMs = 30_000;
/** How often a port is asked whether somebody listens, in milliseconds. */
const askMs = 50;
/** How long a program may take to end when it is asked to, in milliseconds. */
const graceMs = 2_000;

/** Those that still run, for the exit of this process: nobody else would end them. */
const running = new Set<ChildProcess>();

/** Asks them, because a program with workers ends those only when it is asked. */
function endAll(): void {
  for (const child of running) child.kill("SIGTERM");
}

/** A running program. */
export class Program {
  readonly pid: number;
  readonly #title: string;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #looks = new Set<() => void>();
  readonly #ended: Promise<void>;
  #ending: string | undefined;

  constructor({ title, file, args, env = {}, folder, readsOutput = true }: ProgramOptions) {
    this.#title = title;
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("CAISSON_"));
    this.#child = spawn(file, args, {
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ["ignore", readsOutput ? "pipe" : "ignore", "pipe"],
      ...(folder !== undefined && { cwd: folder }),
    });
    this.pid = this.#child.pid ?? 0;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => this.#onLine(line));
    }
    if (running.size === 0) process.once("exit", endAll);
    running.add(this.#child);
    this.#ended = new Promise((resolve) => {
      const finish = (how: string): void => {
        running.delete(this.#child);
        if (running.size === 0) process.off("exit", endAll);
        this.#ending ??= how;
        for (const look of this.#looks) look();
        resolve();
      };
      this.#child.once("error", (error) => finish(error.message));
      this.#child.once("close", (code, signal) => finish(`ended with ${code ?? signal ?? "nothing"}`));
    });
  }

  /** What `pick` makes of the first line that it makes anything of. Rejects with E_GATE if none comes in time. */
  line<T>(pick: (line: string) => T | undefined, withinMs: number = startMs): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#looks.delete(look);
      };
      const look = (): void => {
        const found = this.#lines.map((line) => pick(line)).find((value) => value !== undefined);
        if (found === undefined && this.#ending === undefined) return;
        settle();
        if (found === undefined) reject(this.#failure(this.#ending ?? ""));
        else resolve(found);
      };
      const timer = setTimeout(() => {
        settle();
        reject(this.#failure(`did not say what was waited for in ${withinMs} ms`));
      }, withinMs);
      this.#looks.add(look);
      look();
    });
  }

  /** Resolves when somebody listens on the port of 127.0.0.1. Rejects with E_GATE if the program ends first, or in time. */
  async listensOn(port: number): Promise<void> {
    const startedAtMs = performance.now();
    while (!(await isOpen(port))) {
      if (this.#ending !== undefined) throw this.#failure(this.#ending);
      if (performance.now() - startedAtMs > startMs) throw this.#failure(`does not listen on port ${port}`);
      await delay(askMs);
    }
  }

  /** Waits until it has ended by itself. Rejects with E_GATE if that takes longer, or was a failure. */
  async finish(withinMs: number): Promise<readonly string[]> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), withinMs);
    await this.#ended;
    clearTimeout(timer);
    if (this.#child.exitCode !== 0) throw this.#failure(this.#ending ?? "");
    return this.#lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ending !== undefined) return;
    // Asked first, because a program with workers ends those only then.
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    await this.#ended;
    clearTimeout(timer);
  }

  #onLine(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > keptLines) this.#lines.shift();
    for (const look of this.#looks) look();
  }

  #failure(how: string): CaissonError {
    return new CaissonError("E_GATE", `${this.#title} ${how}\n${this.#lines.join("\n")}`);
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const settle = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
