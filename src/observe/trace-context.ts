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
}

/** The most members of a `tracestate`; a longer list is dropped as a whole (section 3.3.1.1). */
export const maxTracestateMembers = 32;
/** The most characters of a `tracestate` that go on (section 3.3.1.5). */
export const maxTracestateLength = 512;

/** Members longer than this go first when the list is too long (section 3.3.1.5). */
const longMember = 128;

const traceparentForm = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}/u;
const versionZeroLength = 55;
const memberKey = /^(?:[a-z][\w\-*/]{0,255}|[a-z\d][\w\-*/]{0,240}@[a-z][\w\-*/]{0,13})$/u;
const memberValue = /^[\u0020-\u002b\u002d-\u003c\u003e-\u007e]{0,255}[\u0021-\u002b\u002d-\u003c\u003e-\u007e]$/u;

/** Reads a `traceparent`; undefined for none, and for anything that is not exactly one. */
export function parseTraceparent(text: string | undefined): RemoteParent | undefined {
  if (text === undefined || text.length < versionZeroLength || !traceparentForm.test(text)) return undefined;
  // A later version may have more behind a further hyphen; version 00 has nothing there.
  if (text.length > versionZeroLength && (text.startsWith("00") || text[versionZeroLength] !== "-")) return undefined;
  return {
    traceId: text.slice(3, 35),
    spanId: text.slice(36, 52),
    sampled: (Number.parseInt(text.slice(53, 55), 16) & 1) === 1,
  };
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
