// Numbers as operators read them: short, with their unit, and of about the same width whatever their size. Pure.

const kib = 1024;
const byteUnits = ["B", "KB", "MB", "GB", "TB"] as const;
const wholeNumber = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat("en", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** What stands where nothing is known. */
export const unknownText = "–";

/** A count: 1,234,567. */
export function countText(value: number | null | undefined): string {
  return value === null || value === undefined ? unknownText : wholeNumber.format(value);
}

/** Three significant digits, and never an exponent: 0.42, 9.81, 123. */
export function shortText(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95) return wholeNumber.format(value);
  if (size >= 9.995) return value.toFixed(1);
  return size === 0 ? "0" : value.toFixed(2);
}

/** Bytes in powers of 1,024: 1.50 MB. Negative ones keep their sign. */
export function bytesText(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return unknownText;
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 999.5 && unit < byteUnits.length - 1) {
    value /= kib;
    unit += 1;
  }
  return `${unit === 0 ? wholeNumber.format(value) : shortText(value)} ${byteUnits[unit] ?? ""}`;
}

/** A change of bytes with its sign: +1.50 MB. */
export function growthText(bytes: number): string {
  return `${bytes > 0 ? "+" : bytes < 0 ? "−" : "±"}${bytesText(Math.abs(bytes))}`;
}

/** Milliseconds as ms, or as seconds from one second on. */
export function msText(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return unknownText;
  return ms < 999.5 ? `${shortText(ms)} ms` : `${shortText(ms / 1000)} s`;
}

/** A span of time in its two largest units: 3 d 4 h, 2 min 5 s. */
export function spanText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor((whole % 86_400) / 3_600);
  const minutes = Math.floor((whole % 3_600) / 60);
  const rest = whole % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${rest} s`;
  return `${rest} s`;
}

/** The time of day: 14:03:07. */
export function clockText(atMs: number): string {
  return clock.format(atMs);
}

/** A share from 0 to 1 in percent. */
export function percentText(share: number): string {
  return `${wholeNumber.format(share * 100)} %`;
}

/** The name of a kind of resource, in words. */
export function kindText(kind: string): string {
  return kind.replaceAll("_", " ");
}

/** One thing, or several: `plural(2, "session")` is "2 sessions". */
export function plural(count: number, one: string): string {
  return `${countText(count)} ${one}${count === 1 ? "" : "s"}`;
}
