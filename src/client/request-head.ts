// The canonical request head as the server sent it: how it is changed on its way to the target, and what observers may
// read of it. Pure. The server has validated it; here it is only cut at places that every valid head has.

import type { OpenExchange } from "../wire/open.ts";

const space = 0x20;
const colon = 0x3a;

/**
 * The head that the target gets. Without a Host of its own and without a trace it is the head itself, no copy.
 * `traceLines` (complete lines, or empty) replace the request's own trace fields.
 */
export function headForTarget(open: OpenExchange, hostHeader: Buffer | undefined, traceLines: string): Buffer {
  const head = hostHeader === undefined ? open.head : withHost(open, hostHeader);
  return traceLines === "" ? head : withTrace(head, traceLines);
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

function withTrace(head: Buffer, traceLines: string): Buffer {
  const lines = head.toString("latin1", 0, head.length - 2).split("\r\n");
  lines.pop();
  const kept = lines.filter((line) => !/^trace(?:parent|state):/i.test(line));
  return Buffer.from(`${kept.join("\r\n")}\r\n${traceLines}\r\n`, "latin1");
}

/** The method, as sent. */
export function methodOf(head: Buffer): string {
  return head.toString("latin1", 0, Math.max(0, head.indexOf(space)));
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
  let lineStart = head.indexOf("\r\n") + 2;
  for (;;) {
    const lineEnd = head.indexOf("\r\n", lineStart);
    if (lineEnd <= lineStart) return undefined;
    const nameEnd = head.indexOf(colon, lineStart);
    if (nameEnd - lineStart === name.length && head.toString("latin1", lineStart, nameEnd).toLowerCase() === name) {
      return head.toString("latin1", nameEnd + 1, lineEnd).trim();
    }
    lineStart = lineEnd + 2;
  }
}
