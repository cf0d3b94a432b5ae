// Trailer sections: read as strictly as heads, and rid of every field that would mean something in a head.

import { fieldIds } from "./fields.ts";
import { HeadFields } from "./head-fields.ts";
import { HeadReader } from "./head-reader.ts";
import type { HeadLimits } from "./limits.ts";
import { rejections, requestHeadLimits } from "./limits.ts";
import { HeadProgress } from "./progress.ts";

/** One trailer section: field lines and an empty line. */
export class TrailerSection extends HeadFields {
  /** @internal Reads `bytes` from `from` to at most `available`, as far as they go, from scratch. */
  _read(bytes: Buffer, from: number, available: number): HeadProgress {
    const to = Math.min(available, from + this.limits.maxHeadBytes);
    this.bytes = bytes;
    this.start = from;
    const progress = this._scanFields(from, to);
    if (progress !== HeadProgress.More || to - from < this.limits.maxHeadBytes) return progress;
    return this._reject(rejections.head_too_large);
  }
}

/** Reads trailer sections, however they are cut. */
export class TrailerReader extends HeadReader<TrailerSection> {
  constructor(limits: HeadLimits) {
    super(limits, new TrailerSection(limits));
  }

  /** @internal */
  override _skip(_chunk: Buffer, offset: number): number {
    return offset;
  }
}

/** Framing, routing, authentication, control data and whatever is about another message (RFC 9110 section 6.5.1). */
const forbidden = new Uint8Array(256);
for (const name of [
  "connection",
  "transfer-encoding",
  "content-length",
  "host",
  "upgrade",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "via",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded",
  "x-real-ip",
  "sec-websocket-key",
  "sec-websocket-accept",
  "sec-websocket-version",
  "sec-websocket-protocol",
  "sec-websocket-extensions",
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "location",
  "content-type",
  "content-encoding",
  "content-range",
  "cache-control",
  "max-forwards",
  "retry-after",
  "caisson",
  "shadow",
] as const) {
  forbidden[fieldIds[name]] = 1;
}

/**
 * The lines of `section` (complete field lines, without the empty line) that may be passed on, or undefined if it is
 * not such a section or exceeds the limits of a request head. Answers `section` itself when all of them may.
 */
export function filterTrailers(section: Buffer): Buffer | undefined {
  const fields = new TrailerSection(requestHeadLimits);
  const progress = fields._read(section, 0, section.length);
  const count = fields.fieldCount;
  const scanned = count === 0 ? 0 : fields.lineEnd[count - 1];
  if (progress !== HeadProgress.More || scanned !== section.length) return undefined;
  const kept: Buffer[] = [];
  for (let index = 0; index < count; index++) {
    if (forbidden[fields.fieldId[index] ?? 0] === 1) continue;
    kept.push(section.subarray(fields.lineStart[index], fields.lineEnd[index]));
  }
  return kept.length === count ? section : Buffer.concat(kept);
}
