// Heads out of a byte stream, however it is cut: a whole head in one chunk is read in place, pieces are collected.
// What a head is found to be depends on its bytes alone. One reader per connection; it keeps nothing between heads.

import { cr, lf } from "./bytes.ts";
import { RequestHead, ResponseHead } from "./head.ts";
import type { HeadLimits, RequestRejection } from "./limits.ts";
import { rejections } from "./limits.ts";
import type { HeadFields } from "./head-fields.ts";
import { HeadProgress } from "./progress.ts";

export { HeadProgress } from "./progress.ts";

/** Empty lines that may precede a request line (RFC 9112 section 2.2), in bytes. */
const maxEmptyLineBytes = 8;

/** What a reader fills. */
interface Readable extends HeadFields {
  /** @internal Reads `bytes` from `from` to at most `available`, as far as they go, from scratch. */
  _read(bytes: Buffer, from: number, available: number): HeadProgress;
}

/** What the readers of heads and of trailer sections share. */
export abstract class HeadReader<H extends Readable> {
  /** The facts, after Complete: valid until the caller returns, because its bytes may be the chunk's. */
  readonly head: H;
  /** After Complete: the index in the chunk of the first byte after the head. */
  next = 0;
  /** After Rejected: why. */
  rejection: RequestRejection = rejections.bad_method;
  protected readonly limits: HeadLimits;
  /** The beginning of a head whose rest has not arrived. */
  #pieces: Buffer | undefined;
  #length = 0;
  #sawLine = false;

  protected constructor(limits: HeadLimits, head: H) {
    this.limits = limits;
    this.head = head;
  }

  /** Whether a head has begun and is not complete. Empty lines before a request do not begin one. */
  get started(): boolean {
    return this.#length > 0;
  }

  /**
   * Reads on at `offset` of `chunk`. After More everything was taken (and copied); after Complete the reader is ready
   * for the next head, which may begin at `next`.
   */
  read(chunk: Buffer, offset: number): HeadProgress {
    if (this.#pieces !== undefined) return this.#readOn(this.#pieces, chunk, offset);
    const from = this._skip(chunk, offset);
    if (from < 0) return HeadProgress.Rejected;
    if (from === chunk.length) return HeadProgress.More;
    const progress = this.head._read(chunk, from, chunk.length);
    if (progress === HeadProgress.Complete) this.next = this.head.end;
    else if (progress === HeadProgress.Rejected) this.rejection = this.head._rejection;
    else this.#keep(chunk, from);
    return progress;
  }

  /** Forgets a head that has begun. */
  reset(): void {
    this.#pieces = undefined;
    this.#length = 0;
    this.#sawLine = false;
  }

  /** @internal Index after what may precede a head, or -1 when that is refused. */
  abstract _skip(chunk: Buffer, offset: number): number;

  #keep(chunk: Buffer, from: number): void {
    const length = chunk.length - from;
    const pieces = Buffer.allocUnsafeSlow(this.#roomFor(length));
    chunk.copy(pieces, 0, from);
    this.#pieces = pieces;
    this.#length = length;
    this.#sawLine = chunk.indexOf(lf, from) >= 0;
  }

  #readOn(pieces: Buffer, chunk: Buffer, offset: number): HeadProgress {
    const before = this.#length;
    const taken = Math.min(chunk.length - offset, this.limits.maxHeadBytes - before);
    const length = before + taken;
    const target = length <= pieces.length ? pieces : this.#grow(pieces, length);
    chunk.copy(target, before, offset, offset + taken);
    this.#length = length;

    // Only a line's end or a limit decides anything, so a head that comes byte by byte is not read again for every byte.
    const newLine = target.subarray(before, length).includes(lf);
    this.#sawLine ||= newLine;
    const { maxHeadBytes, maxLineBytes } = this.limits;
    if (!newLine && length < maxHeadBytes && (this.#sawLine || length < maxLineBytes)) return HeadProgress.More;
    const progress = this.head._read(target, 0, length);
    if (progress === HeadProgress.More) return progress;
    this.reset();
    if (progress === HeadProgress.Complete) this.next = offset + this.head.end - before;
    else this.rejection = this.head._rejection;
    return progress;
  }

  #grow(pieces: Buffer, length: number): Buffer {
    const grown = Buffer.allocUnsafeSlow(this.#roomFor(length));
    pieces.copy(grown, 0, 0, this.#length);
    this.#pieces = grown;
    return grown;
  }

  /** Twice the bytes that are there, within the limit: copying stays linear, and nobody pays for heads that do not come. */
  #roomFor(length: number): number {
    return Math.min(Math.max(512, length * 2), this.limits.maxHeadBytes);
  }
}

/** Reads request heads. */
export class RequestHeadReader extends HeadReader<RequestHead> {
  #emptyLineBytes = 0;

  /**
   * `head` may be shared by the readers of many connections (made with the same limits): facts are only valid during
   * the call that read them anyway, and an idle connection then owns no arrays.
   */
  constructor(limits: HeadLimits, head: RequestHead = new RequestHead(limits)) {
    super(limits, head);
  }

  override reset(): void {
    super.reset();
    this.#emptyLineBytes = 0;
  }

  /** @internal Skips empty lines, which may be cut anywhere. */
  override _skip(chunk: Buffer, offset: number): number {
    let at = offset;
    while (at < chunk.length) {
      const byte = chunk[at];
      const expected = this.#emptyLineBytes % 2 === 0 ? cr : lf;
      if (byte !== expected) {
        if (expected === lf) return this.#refuse(rejections.bare_cr);
        if (byte === lf) return this.#refuse(rejections.bare_lf);
        break;
      }
      if (++this.#emptyLineBytes > maxEmptyLineBytes) return this.#refuse(rejections.empty_lines);
      at++;
    }
    if (at < chunk.length) this.#emptyLineBytes = 0;
    return at;
  }

  #refuse(rejection: RequestRejection): number {
    this.rejection = rejection;
    return -1;
  }
}

/** Reads response heads. Nothing may precede one. */
export class ResponseHeadReader extends HeadReader<ResponseHead> {
  /** `head` may be shared, as for {@link RequestHeadReader}. */
  constructor(limits: HeadLimits, head: ResponseHead = new ResponseHead(limits)) {
    super(limits, head);
  }

  /** @internal */
  override _skip(_chunk: Buffer, offset: number): number {
    return offset;
  }
}
