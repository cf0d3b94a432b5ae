// The server's log lines on stderr, for people or for machines. Text and facts from elsewhere are escaped and cut.

import type { Output } from "./output.ts";
import { safeText } from "./safe-text.ts";

/** How bad it is. */
export type LogLevel = "info" | "warn" | "error";

/** How lines look: sentences, or one JSON object each. */
export type LogFormat = "pretty" | "json";

/** Writes log lines. */
export class Log {
  readonly #output: Output;
  readonly #format: LogFormat;

  constructor(output: Output, format: LogFormat) {
    this.#output = output;
    this.#format = format;
  }

  /** One line. `facts` are further keys of a JSON line; the message says what people need of them. */
  write(level: LogLevel, message: string, facts: Readonly<Record<string, string | number>> = {}): void {
    if (this.#format === "pretty") {
      this.#output.note(level === "info" ? message : `${level}: ${message}`);
      return;
    }
    const safe = Object.entries(facts).map(([key, value]) => [
      key,
      typeof value === "string" ? safeText(value) : value,
    ]);
    const line = { level, time: new Date().toISOString(), msg: safeText(message), ...Object.fromEntries(safe) };
    this.#output.stderr.write(`${JSON.stringify(line)}\n`);
  }
}
