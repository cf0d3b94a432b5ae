// What request and response heads have in common: limits, framing fields and persistence. It reads a head from raw
// bytes in one pass and refuses what is ambiguous; it knows nothing of how the bytes arrived.

import { equalsName, htab } from "./bytes.ts";
import { connectionSays, readConnection } from "./connection.ts";
import { fieldIds } from "./fields.ts";
import { HeadFields } from "./head-fields.ts";
import type { RequestRejection } from "./limits.ts";
import { rejections } from "./limits.ts";
import { HeadProgress } from "./progress.ts";

/** What requests and responses have in common. */
export abstract class Head extends HeadFields {
  /** Minor HTTP version; 1.2 to 1.9 count as 1.1 (RFC 9110 section 2.5). */
  versionMinor: 0 | 1 = 1;
  /** Whether the sender wants the connection to persist, by its version and its Connection field. */
  keepAlive = false;
  /** The value of Content-Length, 0 to 2^53 - 1, or -1 if there is none. */
  contentLength = -1;
  /** @internal Bits of `connectionSays`. */
  protected connection = 0;
  protected chunked = false;
  protected upgradeIndex = -1;
  #connectionFields = 0;
  #upgradeFields = 0;

  /** @internal Reads `bytes` from `from` to at most `available`, as far as they go, from scratch. */
  _read(bytes: Buffer, from: number, available: number): HeadProgress {
    const { maxHeadBytes, maxLineBytes } = this.limits;
    const to = Math.min(available, from + maxHeadBytes);
    this.bytes = bytes;
    this.start = from;
    this.fieldCount = 0;
    this.contentLength = -1;
    this.connection = 0;
    this.chunked = false;
    this.upgradeIndex = -1;
    this.#connectionFields = 0;
    this.#upgradeFields = 0;

    const lineLimit = Math.min(to, from + maxLineBytes);
    const fieldsAt = this._readStartLine(from, lineLimit);
    if (fieldsAt < 0) return HeadProgress.Rejected;
    if (fieldsAt === 0 && lineLimit - from === maxLineBytes) return this._reject(rejections.line_too_long);
    const progress = fieldsAt === 0 ? HeadProgress.More : this._scanFields(fieldsAt, to);
    if (progress === HeadProgress.More && to - from === maxHeadBytes) return this._reject(rejections.head_too_large);
    if (progress !== HeadProgress.Complete) return progress;
    this.#derivePersistence();
    const rejection = this._finish();
    return rejection === undefined ? HeadProgress.Complete : this._reject(rejection);
  }

  /** @internal Reads the start line; answers where the fields begin, 0 if it is not complete, -1 if it is refused. */
  abstract _readStartLine(from: number, to: number): number;

  /** @internal The whole head is there: derives the facts that need several fields; answers why it is refused, if it is. */
  abstract _finish(): RequestRejection | undefined;

  override _onFramingField(id: number, index: number): RequestRejection | undefined {
    switch (id) {
      case fieldIds["content-length"]:
        if (this.contentLength >= 0) return rejections.two_content_lengths;
        if (this.#hasTab(index)) return rejections.bad_content_length;
        this.contentLength = readLength(this.bytes, this.valueStart[index] ?? 0, this.valueEnd[index] ?? 0);
        if (this.contentLength < 0) return rejections.bad_content_length;
        return this.chunked ? rejections.length_and_chunked : undefined;
      case fieldIds["transfer-encoding"]:
        return this.#onTransferEncoding(index);
      case fieldIds.connection:
        this.#connectionFields++;
        return undefined;
      case fieldIds.upgrade:
        this.upgradeIndex = index;
        this.#upgradeFields++;
        return undefined;
      default:
        return undefined;
    }
  }

  /** Whether the fields, and nothing but them, ask for or grant an upgrade to WebSocket alone. */
  protected get websocketFields(): boolean {
    if ((this.connection & connectionSays.upgrade) === 0 || this.#upgradeFields !== 1) return false;
    for (let index = 0; index < this.fieldCount; index++) {
      if (this.fieldId[index] === fieldIds.connection && this.#hasTab(index)) return false;
    }
    return this._valueIs(this.upgradeIndex, "websocket");
  }

  /** @internal Whether the value of field `index` is `lowerCaseText`, in any case. */
  _valueIs(index: number, lowerCaseText: string): boolean {
    return equalsName(this.bytes, this.valueStart[index] ?? 0, this.valueEnd[index] ?? 0, lowerCaseText);
  }

  /** @internal Whether Connection names TE. */
  get _nominatesTe(): boolean {
    return (this.connection & connectionSays.te) !== 0;
  }

  /**
   * Whether a tab stands in the line of a field that decides where messages end. RFC 9110 allows it around values, but
   * parsers differ: llhttp takes `Transfer-Encoding: chunked<HTAB>` in a response for another coding, and
   * `Connection: Upgrade<HTAB>` for no upgrade.
   */
  #hasTab(index: number): boolean {
    const end = this.lineEnd[index] ?? 0;
    for (let at = this.nameEnd[index] ?? 0; at < end; at++) {
      if (this.bytes[at] === htab) return true;
    }
    return false;
  }

  #onTransferEncoding(index: number): RequestRejection | undefined {
    // A coding in a message of HTTP/1.0 may have been forwarded by something that did not understand it.
    if (this.chunked || this.versionMinor === 0 || this.#hasTab(index)) return rejections.bad_transfer_encoding;
    const start = this.valueStart[index] ?? 0;
    const end = this.valueEnd[index] ?? 0;
    if (!equalsName(this.bytes, start, end, "chunked")) {
      const chunkedFirst = end - start > 7 && equalsName(this.bytes, start, start + 7, "chunked");
      return start === end || chunkedFirst ? rejections.bad_transfer_encoding : rejections.unknown_transfer_coding;
    }
    this.chunked = true;
    return this.contentLength >= 0 ? rejections.length_and_chunked : undefined;
  }

  #derivePersistence(): void {
    if (this.#connectionFields > 0) {
      for (let index = 0; index < this.fieldCount; index++) {
        if (this.fieldId[index] === fieldIds.connection) this.connection |= readConnection(this, index);
      }
    }
    this.keepAlive =
      (this.connection & (connectionSays.close | connectionSays.malformed)) === 0 &&
      (this.versionMinor === 1 || (this.connection & connectionSays.keepAlive) !== 0);
  }
}

/** Digits only, in any number of leading zeros; -1 for anything else, and above 2^53 - 1. */
function readLength(bytes: Buffer, start: number, end: number): number {
  if (start === end) return -1;
  let length = 0;
  for (let index = start; index < end; index++) {
    const digit = (bytes[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) return -1;
  }
  return length;
}
