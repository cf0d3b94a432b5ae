// The levels of log lines. Apart from log.ts, so that knowing them does not load pino.

/** Levels, from the most to the least talkative. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];
/** A level that a line can have. */
export type LineLevel = Exclude<LogLevel, "silent">;

/** Whether something is a level. */
export function isLogLevel(value: unknown): value is LogLevel {
  return logLevels.some((level) => level === value);
}
