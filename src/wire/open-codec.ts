// The payload of OPEN: kind u8 | flags u8 | tunnel u32, then for an exchange hostAt u16 | hostLength u16 | head,
// and for a pipe perhaps its trace, then the visitor's address. Flags of an exchange: bits 0-1 how the body is delimited,
// then one bit per fact; of a pipe: bit 0, whether there is a trace.

import { byteAt, readU32 } from "./decode.ts";
import type { BodyDelimiting, OpenPipe, OpenRequest } from "./open.ts";
import { violation } from "./violation.ts";

/** Kinds of OPEN. */
export const openKinds = { exchange: 1, pipe: 2 } as const;

/** Bits 0 and 1 of the flags. */
export const bodyCodes = { none: 0, length: 1, chunked: 2 } as const;

/** The other bits of the flags. Unknown ones are ignored. */
export const openFlags = { headOnly: 4, idempotent: 8, upgrade: 16, expectContinue: 32 } as const;

/** The flags of a pipe. Unknown ones are ignored. */
export const pipeFlags = { traced: 1 } as const;

const bodyBits = 3;
const bodies: readonly (BodyDelimiting | undefined)[] = ["none", "length", "chunked"];

/** Bytes before the head of an exchange. */
export const exchangePrefixBytes = 10;
/** Bytes before the visitor's address of a pipe, or before its trace. */
export const pipePrefixBytes = 6;
/** The trace of a pipe, in bytes. */
export const traceparentBytes = 55;
/** The longest visitor's address, in bytes. */
export const maxVisitorBytes = 128;

/**
 * Writes what stands before the variable part (that of {@link openTail}), which the caller copies behind it.
 * Answers the offset after what it wrote.
 */
export function putOpenPrefix(target: Buffer, at: number, request: OpenRequest): number {
  target[at] = request.kind === "exchange" ? openKinds.exchange : openKinds.pipe;
  target[at + 1] = request.kind === "exchange" ? flagsOf(request) : isTraced(request) ? pipeFlags.traced : 0;
  target.writeUInt32BE(request.tunnel, at + 2);
  if (request.kind === "pipe") return at + pipePrefixBytes;
  target.writeUInt16BE(request.hostAt, at + 6);
  target.writeUInt16BE(request.hostLength, at + 8);
  return at + exchangePrefixBytes;
}

/** How many bytes {@link putOpenPrefix} writes. */
export function openPrefixBytes(request: OpenRequest): number {
  return request.kind === "exchange" ? exchangePrefixBytes : pipePrefixBytes;
}

/** The variable part: the head itself (not a copy), or the trace of a pipe, if it has one, and its visitor's address. */
export function openTail(request: OpenRequest): Buffer {
  if (request.kind === "exchange") return request.head;
  const visitor = request.visitor.slice(0, maxVisitorBytes);
  return Buffer.from(isTraced(request) ? `${request.traceparent}${visitor}` : visitor, "latin1");
}

/** The payload from `start` to `end` of `message`. The head is a copy. Throws a violation. */
export function decodeOpen(message: Buffer, start: number, end: number): OpenRequest {
  const length = end - start;
  if (length < pipePrefixBytes) throw violation("bad_open");
  const kind = byteAt(message, start);
  const flags = byteAt(message, start + 1);
  const tunnel = readU32(message, start + 2);
  if (kind === openKinds.pipe) {
    const traced = (flags & pipeFlags.traced) !== 0;
    const traceAt = start + pipePrefixBytes;
    const visitorAt = traced ? traceAt + traceparentBytes : traceAt;
    if (visitorAt > end || end - visitorAt > maxVisitorBytes) throw violation("bad_open");
    const visitor = message.toString("latin1", visitorAt, end);
    if (!traced) return { kind: "pipe", tunnel, visitor };
    return { kind: "pipe", tunnel, visitor, traceparent: message.toString("latin1", traceAt, visitorAt) };
  }
  const body = bodies[flags & bodyBits];
  if (kind !== openKinds.exchange || body === undefined || length <= exchangePrefixBytes) throw violation("bad_open");
  const hostAt = (byteAt(message, start + 6) << 8) | byteAt(message, start + 7);
  const hostLength = (byteAt(message, start + 8) << 8) | byteAt(message, start + 9);
  const headStart = start + exchangePrefixBytes;
  if (hostAt + hostLength > end - headStart) throw violation("bad_open");
  const head = Buffer.allocUnsafe(end - headStart);
  message.copy(head, 0, headStart, end);
  return {
    kind: "exchange",
    tunnel,
    body,
    headOnly: (flags & openFlags.headOnly) !== 0,
    idempotent: (flags & openFlags.idempotent) !== 0,
    upgrade: (flags & openFlags.upgrade) !== 0,
    expectContinue: (flags & openFlags.expectContinue) !== 0,
    hostAt,
    hostLength,
    head,
  };
}

/** Of another length it would be read as a part of something else: then there is none. */
function isTraced(request: OpenPipe): boolean {
  return request.traceparent?.length === traceparentBytes;
}

function flagsOf(request: OpenRequest & { kind: "exchange" }): number {
  return (
    bodyCodes[request.body] |
    (request.headOnly ? openFlags.headOnly : 0) |
    (request.idempotent ? openFlags.idempotent : 0) |
    (request.upgrade ? openFlags.upgrade : 0) |
    (request.expectContinue ? openFlags.expectContinue : 0)
  );
}
