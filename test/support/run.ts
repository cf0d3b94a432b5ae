// Real `caisson` processes for tests: started from the built CLI, watched by their JSON events and output lines, and
// ended by their own pid. Whatever a test forgets ends when the handle is disposed of.

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The built CLI beside the built tests. */
export const caissonMain: string = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

/** Options of {@link startCaisson}. */
export interface RunOptions {
  /** Added to the environment. CAISSON_* of the surrounding process never get through. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags for node itself, such as `--expose-gc`. */
  readonly nodeFlags?: readonly string[];
  /** Another program than {@link caissonMain}: a script to be run by node. */
  readonly script?: string;
  /** The limit of open descriptors, soft and hard. Unix only. */
  readonly descriptors?: number;
  /** The largest file that it may write, in KiB. What lies beyond is refused as a full disk refuses it. Unix only. */
  readonly fileKib?: number;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that ran to its end. */
export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** A JSON event of the CLI. */
export type CliEvent = Readonly<Record<string, unknown>> & { readonly event: string };

/** How long events and exits are waited for, in milliseconds. Long, because machines that run tests stall. */
const patienceMs = 30_000;

/** One running CLI process. */
export class CaissonProcess {
  readonly pid: number;
  /** Every JSON event so far. */
  readonly events: CliEvent[] = [];
  /** Every line of stdout so far, JSON or not. */
  readonly lines: string[] = [];
  /** Settles when the process has ended and its output was read. */
  readonly exited: Promise<Exit>;
  stderr = "";
  readonly #child: ChildProcess;
  readonly #stateDirectory: string;
  readonly #waiting = new Set<() => void>();
  #exit: Exit | undefined;

  /** Use {@link startCaisson}. */
  constructor(args: readonly string[], options: RunOptions) {
    this.#stateDirectory = mkdtempSync(join(tmpdir(), "caisson-test-"));
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("CAISSON_"));
    const nodeArgs = [...(options.nodeFlags ?? []), options.script ?? caissonMain, ...args];
    const [program, programArgs] = limited([process.execPath, ...nodeArgs], options);
    this.#child = spawn(program, programArgs, {
      env: {
        ...Object.fromEntries(inherited),
        XDG_STATE_HOME: this.#stateDirectory,
        XDG_CONFIG_HOME: this.#stateDirectory,
        ...options.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.pid = this.#child.pid ?? 0;
    this.exited = this.#watch();
  }

  /** The first event with this name (and for which `matches` holds), past or to come. */
  async event(name: string, matches: (event: CliEvent) => boolean = () => true): Promise<CliEvent> {
    return this.#wait(`the event "${name}"`, () => this.events.find((event) => event.event === name && matches(event)));
  }

  /** The first stdout line that matches, past or to come. */
  async line(pattern: RegExp): Promise<string> {
    return this.#wait(`a line like ${String(pattern)}`, () => this.lines.find((line) => pattern.test(line)));
  }

  /** Waits until stderr matches. */
  async complaint(pattern: RegExp): Promise<string> {
    return this.#wait(`stderr like ${String(pattern)}`, () => (pattern.test(this.stderr) ? this.stderr : undefined));
  }

  /** Stops reading stdout and closes it, as `| head -1` does. */
  hangUp(): void {
    this.#child.stdout?.destroy();
  }

  /** Sends a signal, to this process only. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Exit> {
    this.kill(signal);
    return this.exit();
  }

  /** Waits for the end by itself. */
  async exit(): Promise<Exit> {
    return this.#wait("the exit", () => this.#exit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit === undefined) this.kill("SIGKILL");
    await this.exited;
    rmSync(this.#stateDirectory, { recursive: true, force: true });
  }

  #watch(): Promise<Exit> {
    const { stdout, stderr } = this.#child;
    if (!stdout || !stderr) throw new Error("the process has no pipes");
    createInterface({ input: stdout }).on("line", (line) => this.#onLine(line));
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#check();
    });
    return new Promise((resolve) => {
      this.#child.once("close", (code, signal) => {
        this.#exit = { code, signal };
        this.#check();
        resolve(this.#exit);
      });
    });
  }

  #onLine(line: string): void {
    this.lines.push(line);
    const parsed: unknown = line.startsWith("{") ? JSON.parse(line) : undefined;
    if (isEvent(parsed)) this.events.push(parsed);
    this.#check();
  }

  #check(): void {
    for (const check of this.#waiting) check();
  }

  #wait<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(check);
      };
      const give = (reason: string): void => {
        settle();
        reject(new Error(`${reason} while waiting for ${what}\n${this.lines.join("\n")}\n${this.stderr}`));
      };
      const check = (): void => {
        const found = find();
        if (found !== undefined) {
          settle();
          resolve(found);
        } else if (this.#exit) {
          give(`caisson ended with ${this.#exit.code ?? this.#exit.signal ?? "nothing"}`);
        }
      };
      const timer = setTimeout(() => give(`${patienceMs} ms passed`), patienceMs);
      this.#waiting.add(check);
      check();
    });
  }
}

/** The command under its limits, which only a shell can set; the shell gives its pid to the command. */
function limited(command: readonly [string, ...string[]], limits: RunOptions): [string, string[]] {
  const [program, ...args] = command;
  const { descriptors, fileKib } = limits;
  const settings = [
    ...(descriptors === undefined ? [] : [`ulimit -n ${descriptors} && `]),
    // A POSIX shell counts files in blocks of 512 bytes.
    ...(fileKib === undefined ? [] : [`ulimit -f ${fileKib * 2} && `]),
  ];
  if (settings.length === 0) return [program, args];
  return ["/bin/sh", ["-c", `${settings.join("")}exec "$@"`, "sh", ...command]];
}

function isEvent(value: unknown): value is CliEvent {
  return typeof value === "object" && value !== null && "event" in value && typeof value.event === "string";
}

/** Starts `caisson ARGS`. Dispose of it with `await using`. */
export function startCaisson(args: readonly string[], options: RunOptions = {}): CaissonProcess {
  return new CaissonProcess(args, options);
}

/** Runs `caisson ARGS` to its end. */
export async function runCaisson(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  await using running = startCaisson(args, options);
  const exit = await running.exit();
  return { ...exit, stdout: running.lines.map((line) => `${line}\n`).join(""), stderr: running.stderr };
}
