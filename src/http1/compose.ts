// Heads as they go on: hop-by-hop fields and those that Connection nominates removed, the rest byte for byte in its
// order, our own lines after it. One allocation per head; neighbouring lines that stay are copied as one run.

import { fieldIds } from "./fields.ts";
import type { RequestHead, ResponseHead } from "./head.ts";
import type { Head } from "./message-head.ts";

export { filterTrailers } from "./trailers.ts";

/** How a head is changed on its way. */
export interface HeadEdits {
  /** 256 entries; fields whose id is marked with 1 are removed. */
  readonly drop: Uint8Array;
  /** Complete field lines (each with its CRLF, latin1) that are set after all others; may be empty. */
  readonly suffix: Buffer | string;
  /** Keep the upgrade to WebSocket, which must have been found in the head. */
  readonly upgrade: boolean;
}

/** Edits of a request. */
export interface RequestEdits extends HeadEdits {
  /** The Host of a request that names none, for HTTP/1.0; default `localhost`. */
  readonly authority?: string;
}

/** A request head for the tunnel. */
export interface ComposedRequest {
  readonly bytes: Buffer;
  /** Where the value of its only Host field starts. */
  readonly hostAt: number;
  /** Length of that value. */
  readonly hostLength: number;
}

function table(...ids: readonly number[]): Uint8Array {
  const marked = new Uint8Array(256);
  for (const id of ids) marked[id] = 1;
  return marked;
}

const hopByHop = [
  fieldIds.connection,
  fieldIds["keep-alive"],
  fieldIds["proxy-connection"],
  fieldIds.te,
  fieldIds["transfer-encoding"],
  fieldIds.upgrade,
] as const;
const goesFromRequests = table(...hopByHop, fieldIds.shadow);
/** An expectation in HTTP/1.0 must be ignored (RFC 9110 section 10.1.1), also by whoever comes next. */
const goesFromOldRequests = table(...hopByHop, fieldIds.shadow, fieldIds.expect);
const goesFromResponses = table(...hopByHop);
/** These never have a body, and must not say how long it is (RFC 9110 section 8.6). */
const goesFromBodiless = table(...hopByHop, fieldIds["content-length"]);

const one = 0x31;
/** Where the reason phrase stands in `HTTP/1.1 200 OK`. */
const rawReasonAt = 13;
const crlf = "\r\n";
const upgradeLines = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
const teLines = "Connection: TE\r\nTE: trailers\r\n";
const chunkedLine = "Transfer-Encoding: chunked\r\n";

/** The request `head` as it enters the tunnel: in origin or asterisk form, HTTP/1.1, with exactly one Host. */
export function composeRequest(head: RequestHead, edits: RequestEdits): ComposedRequest {
  const goes = head.versionMinor === 1 ? goesFromRequests : goesFromOldRequests;
  const ownHost = head.form !== "absolute" && head.hostIndex >= 0;
  const ownLine = head.form !== "absolute" && saysVersion11(head, head.targetEnd + 1);
  let start = ownLine ? "" : requestLine(head);
  let size = ownLine ? head.fieldsStart - head.start : start.length;
  let hostAt = 0;
  let hostLength = 0;
  let skippedHost = -1;
  if (!ownHost) {
    const authority = head.authority || (edits.authority ?? "localhost");
    start += `Host: ${authority}${crlf}`;
    hostAt = size + 6;
    hostLength = authority.length;
    size += hostLength + 8;
    skippedHost = head.hostIndex;
  }
  for (let index = 0; index < head.fieldCount; index++) {
    if (index === skippedHost || !stays(head, index, goes, edits.drop)) continue;
    const lineStart = head.nameStart[index] ?? 0;
    if (index === head.hostIndex) {
      hostAt = size + (head.valueStart[index] ?? 0) - lineStart;
      hostLength = (head.valueEnd[index] ?? 0) - (head.valueStart[index] ?? 0);
    }
    size += (head.lineEnd[index] ?? 0) - lineStart;
  }
  const end =
    (edits.upgrade ? upgradeLines : wantsTrailers(head) ? teLines : "") + (head.body === "chunked" ? chunkedLine : "");
  const bytes = Buffer.allocUnsafe(size + end.length + edits.suffix.length + crlf.length);

  let at = 0;
  let runStart = ownLine ? head.start : head.fieldsStart;
  let runEnd = head.fieldsStart;
  if (start !== "") {
    at += head.bytes.copy(bytes, at, runStart, runEnd);
    at += bytes.write(start, at, "latin1");
    runStart = runEnd;
  }
  for (let index = 0; index < head.fieldCount; index++) {
    if (index === skippedHost || !stays(head, index, goes, edits.drop)) continue;
    const lineStart = head.nameStart[index] ?? 0;
    if (lineStart !== runEnd) {
      at += head.bytes.copy(bytes, at, runStart, runEnd);
      runStart = lineStart;
    }
    runEnd = head.lineEnd[index] ?? 0;
  }
  at += head.bytes.copy(bytes, at, runStart, runEnd);
  writeEnd(bytes, at, end, edits.suffix);
  return { bytes, hostAt, hostLength };
}

/** The response `head` as it goes to the visitor, in HTTP/1.1. */
export function composeResponse(head: ResponseHead, edits: HeadEdits): Buffer {
  const goes = head.isInformational || head.status === 204 ? goesFromBodiless : goesFromResponses;
  const ownLine = saysVersion11(head, head.start) && head.reasonStart - head.start === rawReasonAt;
  const start = ownLine ? "" : statusLine(head);
  let size = ownLine ? head.fieldsStart - head.start : start.length;
  for (let index = 0; index < head.fieldCount; index++) {
    if (stays(head, index, goes, edits.drop)) size += (head.lineEnd[index] ?? 0) - (head.nameStart[index] ?? 0);
  }
  const end = edits.upgrade ? upgradeLines : "";
  const bytes = Buffer.allocUnsafe(size + end.length + edits.suffix.length + crlf.length);

  let at = start === "" ? 0 : bytes.write(start, 0, "latin1");
  let runStart = ownLine ? head.start : head.fieldsStart;
  let runEnd = head.fieldsStart;
  for (let index = 0; index < head.fieldCount; index++) {
    if (!stays(head, index, goes, edits.drop)) continue;
    const lineStart = head.nameStart[index] ?? 0;
    if (lineStart !== runEnd) {
      at += head.bytes.copy(bytes, at, runStart, runEnd);
      runStart = lineStart;
    }
    runEnd = head.lineEnd[index] ?? 0;
  }
  at += head.bytes.copy(bytes, at, runStart, runEnd);
  writeEnd(bytes, at, end, edits.suffix);
  return bytes;
}

function stays(head: Head, index: number, goes: Uint8Array, drop: Uint8Array): boolean {
  const id = head.fieldId[index] ?? 0;
  return goes[id] === 0 && drop[id] === 0 && head.nominated[index] === 0;
}

function saysVersion11(head: Head, at: number): boolean {
  return head.bytes[at + 5] === one && head.bytes[at + 7] === one;
}

function requestLine(head: RequestHead): string {
  const path = head.bytes.toString("latin1", head.pathStart, head.targetEnd);
  if (path === "") return `${head.method} ${head.method === "OPTIONS" ? "*" : "/"} HTTP/1.1${crlf}`;
  return `${head.method} ${path.startsWith("?") ? "/" : ""}${path} HTTP/1.1${crlf}`;
}

function statusLine(head: ResponseHead): string {
  return `HTTP/1.1 ${head.status} ${head.bytes.toString("latin1", head.reasonStart, head.reasonEnd)}${crlf}`;
}

/** Whether the sender announced, in the only way that has one meaning, that it takes trailers. */
function wantsTrailers(head: RequestHead): boolean {
  if (!head._nominatesTe) return false;
  let wanted = false;
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fieldId[index] !== fieldIds.te) continue;
    if (!head._valueIs(index, "trailers")) return false;
    wanted = true;
  }
  return wanted;
}

/** Writes the lines of `end`, then those of `suffix`, then the empty line. */
function writeEnd(bytes: Buffer, at: number, end: string, suffix: Buffer | string): void {
  if (typeof suffix === "string") {
    bytes.write(end + suffix + crlf, at, "latin1");
    return;
  }
  const suffixAt = at + bytes.write(end, at, "latin1");
  suffix.copy(bytes, suffixAt);
  bytes.write(crlf, suffixAt + suffix.length, "latin1");
}
