// W3C Trace Context (https://www.w3.org/TR/trace-context-2/) as text: what a caller says of its trace, strictly read and
// bounded, and what the next one on the way is told. Pure; whatever is not exactly as specified counts as absent.

/** Who called, in which trace. */
export interface RemoteParent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  /** What the caller says: it may have recorded its side. */
  readonly sampled: boolean;
  /** Its bounded `tracestate`, if that was read already. */
  readonly state?: string;
}

/** The most members of a `tracestate`; a longer list is dropped as a whole (section 3.3.1.1). */
export const maxTracestateMembers = 32;
/** The most characters of a `tracestate` that go on (section 3.3.1.5). */
export const maxTracestateLength = 512;

/** Members longer than this go first when the list is too long (section 3.3.1.5). */
const longMember = 128;

const versionZeroLength = 55;
const oddDigits = "13579bdf";
const memberKey = /^(?:[a-z][\w\-*/]{0,255}|[a-z\d][\w\-*/]{0,240}@[a-z][\w\-*/]{0,13})$/u;
const memberValue = /^[\u0020-\u002b\u002d-\u003c\u003e-\u007e]{0,255}[\u0021-\u002b\u002d-\u003c\u003e-\u007e]$/u;

/**
 * Reads a `traceparent`; undefined for none, and for anything that is not exactly one. By hand, because it is done with
 * every request of a tunnel: a regular expression costs four times as much.
 */
export function parseTraceparent(text: string | undefined): RemoteParent | undefined {
  if (text === undefined || text.length < versionZeroLength) return undefined;
  if (text[2] !== "-" || text[35] !== "-" || text[52] !== "-") return undefined;
  if (!areDigits(text, 0, 2) || text.startsWith("ff") || !areDigits(text, 53, 55)) return undefined;
  if (!areDigits(text, 3, 35) || isZero(text, 3, 35)) return undefined;
  if (!areDigits(text, 36, 52) || isZero(text, 36, 52)) return undefined;
  // A later version may have more behind a further hyphen; version 00 has nothing there.
  if (text.length > versionZeroLength && (text.startsWith("00") || text[versionZeroLength] !== "-")) return undefined;
  return { traceId: text.slice(3, 35), spanId: text.slice(36, 52), sampled: oddDigits.includes(text.charAt(54)) };
}

/** A `traceparent` of version 00. */
export function formatTraceparent({ traceId, spanId, sampled }: RemoteParent): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

/**
 * What of a `tracestate` goes on: all of it if it is well-formed and short, less if it is long, and nothing (an empty
 * text) if it is malformed or has more than {@link maxTracestateMembers} members.
 */
export function boundedTracestate(text: string | undefined): string {
  if (text === undefined || text === "") return "";
  const members: string[] = [];
  const keys = new Set<string>();
  let from = 0;
  // Cut by hand: a list without end is left after one member too many, and nothing is made of the rest.
  while (from <= text.length) {
    const comma = text.indexOf(",", from);
    const member = trimmed(text, from, comma < 0 ? text.length : comma);
    from = comma < 0 ? text.length + 1 : comma + 1;
    if (member === "") continue;
    const equals = member.indexOf("=");
    const key = member.slice(0, Math.max(0, equals));
    if (!memberKey.test(key) || !memberValue.test(member.slice(equals + 1)) || keys.has(key)) return "";
    if (members.length === maxTracestateMembers) return "";
    keys.add(key);
    members.push(member);
  }
  return shortened(members);
}

/** The header lines that tell the next one on the way. */
export function traceLines(context: RemoteParent, tracestate: string): string {
  const line = `traceparent: ${formatTraceparent(context)}\r\n`;
  return tracestate === "" ? line : `${line}tracestate: ${tracestate}\r\n`;
}

/** Whether all characters from `from` to before `to` are lower-case hex digits. */
function areDigits(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x66 || (code > 0x39 && code < 0x61)) return false;
  }
  return true;
}

function isZero(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (text.charCodeAt(at) !== 0x30) return false;
  return true;
}

function trimmed(text: string, from: number, to: number): string {
  return text.slice(from, to).replace(/^[ \t]+|[ \t]+$/gu, "");
}

/** Within the length that goes on: first without the longest members, then without the last, which are the oldest. */
function shortened(members: readonly string[]): string {
  let kept = members;
  if (members.join(",").length > maxTracestateLength) kept = members.filter(({ length }) => length <= longMember);
  while (kept.join(",").length > maxTracestateLength) kept = kept.slice(0, -1);
  return kept.join(",");
}
