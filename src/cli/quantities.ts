// Durations and sizes as people type them, to the milliseconds and bytes that the library takes. Pure.

const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/u;
const sizePattern = /^(\d+)(KiB|MiB|GiB)?$/iu;

const msPerUnit: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const bytesPerUnit: Readonly<Record<string, number>> = { kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 };

/** The longest duration that is accepted, in milliseconds: 30 days, more than any deadline needs. */
export const maxDurationMs: number = 30 * 24 * 3_600_000;

/** How a duration may be written, for error messages. */
export const durationForm = "seconds, or 500ms, 3s, 2m, 1h";
/** How a size may be written, for error messages. */
export const sizeForm = "bytes, or 64KiB, 16MiB, 1GiB";
/** How a count may be written, for error messages. */
export const countForm = "a whole number";

/** `3`, `1.5s`, `500ms`, `2m` or `1h` in whole milliseconds; undefined if it is none of these or above {@link maxDurationMs}. */
export function parseDuration(text: string): number | undefined {
  const match = durationPattern.exec(text);
  if (!match) return undefined;
  const ms = Math.round(Number(match[1]) * (msPerUnit[match[2] ?? "s"] ?? 1000));
  return ms <= maxDurationMs ? ms : undefined;
}

/** `4096`, `64KiB`, `16MiB` or `1GiB` in bytes; undefined if it is none of these or no safe integer. */
export function parseSize(text: string): number | undefined {
  const match = sizePattern.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * (match[2] === undefined ? 1 : (bytesPerUnit[match[2].toLowerCase()] ?? 1));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A whole number in decimal digits; undefined if it is none or above 2^31 - 1. */
export function parseCount(text: string): number | undefined {
  const count = /^\d{1,10}$/u.test(text) ? Number(text) : undefined;
  return count !== undefined && count < 2 ** 31 ? count : undefined;
}

/** Milliseconds for people: `850 ms`, `3.2 s`, `75 s`, `4 min`, `2 h`. */
export function formatMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${trim(ms / 1000)} s`;
  if (ms < 3_600_000) return `${trim(ms / 60_000)} min`;
  return `${trim(ms / 3_600_000)} h`;
}

/** Bytes for people: `512 B`, `64 KiB`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${trim(bytes / 1024)} KiB`;
  if (bytes < 1024 ** 3) return `${trim(bytes / 1024 ** 2)} MiB`;
  return `${trim(bytes / 1024 ** 3)} GiB`;
}

function trim(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** How the end of something may be written, for error messages. */
export const expiryForm = "after 12h or 30d, or at a time such as 2030-01-31 or 2030-01-31T18:00:00Z";

const agePattern = /^(\d{1,6})(m|h|d)$/u;
const timePattern = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d))?$/u;

/** `12h`, `30d` from `nowMs`, or a time in UTC or with its offset, in milliseconds since 1970; undefined if it is none or past. */
export function parseExpiry(text: string, nowMs: number): number | undefined {
  const [, count, unit = ""] = agePattern.exec(text) ?? [];
  const unitMs = unit === "d" ? 24 * 3_600_000 : (msPerUnit[unit] ?? 0);
  const ms =
    count === undefined ? (timePattern.test(text) ? Date.parse(text) : Number.NaN) : nowMs + Number(count) * unitMs;
  return ms > nowMs ? ms : undefined;
}
