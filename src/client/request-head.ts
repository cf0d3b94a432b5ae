// The canonical request head as the server sent it: how it is changed on its way to the target, and what observers may
// read of it. Pure. The server has validated it; here it is only cut at places that every valid head has.

import type { TraceContext } from "../lifecycle/events.ts";
import type { OpenExchange } from "../wire/open.ts";

const space = 0x20;
const colon = 0x3a;
const hyphen = 0x2d;
const zero = 0x30;
const cr = 0x0d;
const lf = 0x0a;
const traceparentName = "\r\ntraceparent: ";
const traceparentLength = 55;
/** The end of the last line, and the empty line behind it. */
const lineEnds = 4;

/**
 * The head that the target gets. Without a Host of its own and without a trace it is the head itself, no copy.
 * The lines of `trace`, if it has any, replace the request's own trace fields.
 */
export function headForTarget(
  open: OpenExchange,
  hostHeader: Buffer | undefined,
  trace: Pick<TraceContext, "headerLines" | "replaces"> | undefined,
): Buffer {
  const head = hostHeader === undefined ? open.head : withHost(open, hostHeader);
  return trace === undefined || trace.headerLines === "" ? head : withTrace(head, trace);
}

function withHost(open: OpenExchange, value: Buffer): Buffer {
  const { head, hostAt, hostLength } = open;
  if (hostAt === 0) return head;
  const changed = Buffer.allocUnsafe(head.length - hostLength + value.length);
  head.copy(changed, 0, 0, hostAt);
  value.copy(changed, hostAt);
  head.copy(changed, hostAt + value.length, hostAt + hostLength);
  return changed;
}

function withTrace(head: Buffer, trace: Pick<TraceContext, "headerLines" | "replaces">): Buffer {
  const { headerLines, replaces = [] } = trace;
  const lines = head.toString("latin1", 0, head.length - 2).split("\r\n");
  lines.pop();
  const kept = lines.filter(
    (line) =>
      !/^trace(?:parent|state):/i.test(line) &&
      (replaces.length === 0 || !replaces.includes(line.slice(0, line.indexOf(":")).toLowerCase())),
  );
  return Buffer.from(`${kept.join("\r\n")}\r\n${headerLines}\r\n`, "latin1");
}

/** Methods that nearly all requests have, told apart by their first bytes: metrics ask for one with every exchange. */
const frequentMethods: readonly { readonly word: string; readonly bytes: Buffer }[] = [
  "GET",
  "POST",
  "HEAD",
  "PUT",
].map((word) => ({ word, bytes: Buffer.from(`${word} `, "latin1") }));

/** The method, as sent. */
export function methodOf(head: Buffer): string {
  for (const { word, bytes } of frequentMethods) if (startsWith(head, bytes)) return word;
  return head.toString("latin1", 0, Math.max(0, head.indexOf(space)));
}

function startsWith(head: Buffer, bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (head[at] !== bytes[at]) return false;
  return true;
}

/** The request target, as sent. */
export function targetOf(head: Buffer): string {
  const start = head.indexOf(space) + 1;
  return head.toString("latin1", start, Math.max(start, head.indexOf(space, start)));
}

/** The Host that the visitor asked for, lower-case and without its port. */
export function hostOf(open: OpenExchange): string {
  const authority = open.head.toString("latin1", open.hostAt, open.hostAt + open.hostLength).toLowerCase();
  return authority.replace(/:\d*$/, "");
}

/** The value of the first field with this lower-case name, without blanks around it; undefined if it is absent. */
export function fieldOf(head: Buffer, name: string): string | undefined {
  const lineStart = nextField(head, { name, from: head.indexOf("\r\n") + 2 });
  return lineStart < 0 ? undefined : valueAt(head, lineStart + name.length + 1);
}

/** All values of the field, joined by commas; undefined if it is absent. */
export function fieldListOf(head: Buffer, name: string): string | undefined {
  let list: string | undefined;
  let lineStart = nextField(head, { name, from: head.indexOf("\r\n") + 2 });
  while (lineStart >= 0) {
    const value = valueAt(head, lineStart + name.length + 1);
    list = list === undefined ? value : `${list},${value}`;
    lineStart = nextField(head, { name, from: head.indexOf("\r\n", lineStart) + 2 });
  }
  return list;
}

/** The `traceparent` if it is the last line of the head, which is where a server puts its own; undefined otherwise. */
export function lastTraceparentOf(head: Buffer): string | undefined {
  if (!endsInTraceparent(head)) return undefined;
  const startsAt = head.length - lineEnds - traceparentLength;
  return head.toString("latin1", startsAt, startsAt + traceparentLength);
}

function endsInTraceparent(head: Buffer): boolean {
  let at = head.length - lineEnds - traceparentLength - traceparentName.length;
  if (at < 0) return false;
  for (let index = 0; index < traceparentName.length; index += 1) {
    if (head[at] !== traceparentName.charCodeAt(index)) return false;
    at += 1;
  }
  return true;
}

/** Whether the last line is a `traceparent` whose flags are all zero. */
export function endsUnrecorded(head: Buffer): boolean {
  const flagsAt = head.length - lineEnds - 2;
  // A digit that every other answer differs in comes first: most heads that are asked about are told apart by it.
  return (
    head[flagsAt + 1] === zero && head[flagsAt] === zero && head[flagsAt - 1] === hyphen && endsInTraceparent(head)
  );
}

/** Where the line of the next field of this name starts, looking from the line at `from` on; -1 if there is none. */
function nextField(head: Buffer, { name, from }: { readonly name: string; readonly from: number }): number {
  let lineStart = from;
  for (;;) {
    // Lengths are compared before any text is made: nearly every field is another one.
    if (head[lineStart + name.length] === colon && isName(head, lineStart, name)) return lineStart;
    if (head[lineStart] === cr) return -1;
    // Byte by byte: a call out of JavaScript per field would cost more than the bytes of all of them.
    while (lineStart < head.length && head[lineStart] !== lf) lineStart += 1;
    if (lineStart === head.length) return -1;
    lineStart += 1;
  }
}

function isName(head: Buffer, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    const byte = head[start + index] ?? 0;
    // Upper-case letters differ from lower-case ones in one bit.
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== name.charCodeAt(index)) return false;
  }
  return true;
}

function valueAt(head: Buffer, start: number): string {
  return head.toString("latin1", start, head.indexOf("\r\n", start)).trim();
}
