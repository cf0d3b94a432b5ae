// The log of one process, written by pino: one line per event, JSON or for people. It promises that no line is longer than
// 2 KiB, holds a control byte or a secret. Loaded by the command line only; the library does not log.

import type { Logger } from "pino";
import { pino } from "pino";
import { messageOf } from "../lifecycle/errors.ts";
import type { LineLevel, LogLevel } from "./log-level.ts";
import { isLogLevel } from "./log-level.ts";
import { LogTail } from "./log-tail.ts";
import { prettyLine } from "./pretty-line.ts";
import type { Redactor } from "./redactor.ts";
import { redacted } from "./secret-patterns.ts";
import { cutBytes, maxFieldBytes, printable } from "./safe-text.ts";

/** How lines look: sentences for people, or one JSON object each. */
export type LogFormat = "pretty" | "json";

/** The longest line in bytes of UTF-8, without its end. */
export const maxLineBytes = 2048;

/** Further facts of a line. Undefined ones are left out. */
export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** Options of {@link Log}. */
export interface LogOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  readonly format: LogFormat;
  readonly redactor: Redactor;
  /** Takes one line with its end. Must not throw. */
  readonly write: (line: string) => void;
  /** How many of the last lines are kept for bug reports. Default 500. */
  readonly tailLines?: number;
}

/** Writes lines. */
export class Log {
  /** The last lines, as JSON whatever the format. */
  readonly tail: LogTail;
  readonly #pino: Logger;
  readonly #redactor: Redactor;
  readonly #options: LogOptions;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#redactor = options.redactor;
    this.tail = new LogTail(options.tailLines);
    this.#pino = pino(
      {
        level: options.level ?? "info",
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }), log: (facts) => this.#clean(facts) },
        // The last line of defence behind the redactor, for fields that bypass its patterns one day.
        redact: {
          paths: ["authorization", "cookie", "token", "*.authorization", "*.cookie", "*.token"],
          censor: redacted,
        },
      },
      { write: (line: string) => this.#write(line) },
    );
  }

  /** What is written: lines of this level and above. Takes effect at once. */
  get level(): LogLevel {
    const { level } = this.#pino;
    return isLogLevel(level) ? level : "info";
  }

  set level(level: LogLevel) {
    this.#pino.level = level;
  }

  /** Whether a line of this level would be written; spares the making of its facts. */
  wants(level: LineLevel): boolean {
    return this.#pino.isLevelEnabled(level);
  }

  /** Writes one line. `message` is a sentence; what scripts need goes into `facts`. */
  line(level: LineLevel, message: string, facts: LogFacts = {}): void {
    if (!this.wants(level)) return;
    this.#pino[level]({ ...facts }, printable(this.#redactor.text(message), maxFieldBytes));
  }

  /** Writes one line about an error, with the beginning of its stack. */
  error(message: string, error: unknown, facts: LogFacts = {}): void {
    const stack =
      error instanceof Error ? error.stack?.split("\n").slice(1, 6).join(" ").replaceAll(/\s+/gu, " ") : undefined;
    this.line("error", message, { ...facts, error: messageOf(error), stack });
  }

  #clean(facts: Record<string, unknown>): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(this.#redactor.value(facts) ?? {}).map(([name, fact]) => [
        printable(name, 64),
        printableFact(fact),
      ]),
    );
  }

  #write(line: string): void {
    const json = fitted(line.trimEnd());
    this.tail.add(json);
    this.#options.write(`${this.#options.format === "json" ? json : cutBytes(prettyLine(json), maxLineBytes)}\n`);
  }
}

function printableFact(fact: unknown): unknown {
  if (typeof fact === "string") return printable(fact);
  return typeof fact === "object" && fact !== null ? printable(JSON.stringify(fact)) : fact;
}

/** The line itself if it is short enough, else one with its facts cut further, and in the end without them. */
function fitted(line: string): string {
  if (Buffer.byteLength(line) <= maxLineBytes) return line;
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== "object" || parsed === null) return "{}";
  const entries: readonly (readonly [string, unknown])[] = Object.entries(parsed);
  for (const bytes of [200, 60]) {
    const shorter = entries.map(([name, fact]) => [name, typeof fact === "string" ? cutBytes(fact, bytes) : fact]);
    const text = JSON.stringify({ ...Object.fromEntries(shorter), truncated: true });
    if (Buffer.byteLength(text) <= maxLineBytes) return text;
  }
  const core = entries.filter(([name]) => ["level", "time", "msg", "trace_id", "event"].includes(name));
  const short = core.map(([name, fact]) => [name, typeof fact === "string" ? cutBytes(fact, 300) : fact]);
  return JSON.stringify({ ...Object.fromEntries(short), truncated: true });
}
