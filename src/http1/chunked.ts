// The chunked transfer coding (RFC 9112 section 7.1), both ways. The decoder is strict, takes input cut anywhere, never
// reads past the body, and hands on data as views of its input; only small pieces are copied together.

import { cr, hexValue, htab, lf, space, valueClass } from "./bytes.ts";
import type { RequestRejection } from "./limits.ts";
import { rejections, requestHeadLimits } from "./limits.ts";
import { ChunkProgress } from "./progress.ts";
import { TrailerReader } from "./trailers.ts";

export { ChunkProgress } from "./progress.ts";

/** Hex digits of a chunk size. */
export const maxSizeDigits = 15;
/** Bytes between a chunk size and the end of its line. */
export const maxExtensionBytes = 256;
/** Pieces of at most so many bytes are gathered, so that a body in tiny chunks does not cost a frame per byte. */
const smallPieceBytes = 512;
const gatherBytes = 4096;

const semicolon = 0x3b;

/** Hears what a chunked body holds. It may reset the decoder, which ends the decode that is under way. */
export interface ChunkSink {
  /** Some of the data, never empty: a view of the input, or of a buffer that is not used again. */
  onChunkData(view: Buffer): void;
  /** The trailer section, if there is one: complete and valid field lines without the empty line; a view valid during the call. */
  onChunkTrailers(section: Buffer): void;
}

const State = {
  Size: 0,
  Blank: 1,
  Extension: 2,
  SizeLf: 3,
  Data: 4,
  DataCr: 5,
  DataLf: 6,
  Trailers: 7,
  Done: 8,
  Bad: 9,
} as const;
type State = (typeof State)[keyof typeof State];

/** Decodes one chunked body after another, with {@link reset} in between. */
export class ChunkedDecoder {
  /** After Complete: the index in the input of the first byte after the body. */
  next = 0;
  /** After Rejected: why. */
  rejection: RequestRejection = rejections.bad_chunk;
  #state: State = State.Size;
  /** Size of the chunk, then what is missing of its data. */
  #left = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailers: TrailerReader | undefined;
  /** Data of this input that was not handed on yet: either a part of the input, or what was gathered. */
  #heldStart = 0;
  #heldEnd = 0;
  #gathered: Buffer | undefined;
  #gatheredLength = 0;
  #resets = 0;

  /** Prepares for another body and forgets what there was of this one. */
  reset(): void {
    this.#resets++;
    this.#state = State.Size;
    this.#left = 0;
    this.#digits = 0;
    this.#extensionBytes = 0;
    this.#trailers?.reset();
    this.#heldStart = 0;
    this.#heldEnd = 0;
    this.#gathered = undefined;
    this.#gatheredLength = 0;
  }

  /**
   * Decodes `chunk` from `offset` on. More means that all of it was taken; after Complete the rest begins at `next`.
   * After Complete and Rejected the answer stays the same until {@link reset}.
   */
  decode(chunk: Buffer, offset: number, sink: ChunkSink): ChunkProgress {
    const resets = this.#resets;
    const to = chunk.length;
    let at = offset;
    while (at < to && this.#state < State.Trailers) {
      if (this.#state === State.Data) {
        const end = Math.min(to, at + this.#left);
        this.#left -= end - at;
        if (this.#left === 0) this.#state = State.DataCr;
        this.#hold(chunk, at, end, sink);
        if (resets !== this.#resets) return ChunkProgress.More;
        at = end;
      } else {
        this.#state = this.#step(this.#state, chunk[at++] ?? 0);
      }
    }
    this.#handOn(chunk, sink);
    if (resets !== this.#resets) return ChunkProgress.More;
    if (this.#state < State.Trailers) return ChunkProgress.More;
    return this.#state === State.Trailers ? this.#readTrailers(chunk, at, sink) : this.#settled(at);
  }

  #settled(at: number): ChunkProgress {
    this.next = at;
    return this.#state === State.Done ? ChunkProgress.Complete : ChunkProgress.Rejected;
  }

  /** The state after `byte` of anything but data. */
  #step(state: State, byte: number): State {
    switch (state) {
      case State.Size:
        return this.#stepSize(byte);
      case State.Blank:
        return this.#stepBlank(byte);
      case State.Extension:
        if (byte === cr) return State.SizeLf;
        return valueClass[byte] !== 0 && ++this.#extensionBytes <= maxExtensionBytes ? State.Extension : State.Bad;
      case State.SizeLf:
        if (byte !== lf) return State.Bad;
        return this.#left === 0 ? State.Trailers : State.Data;
      case State.DataCr:
        return byte === cr ? State.DataLf : State.Bad;
      case State.DataLf:
        this.#digits = 0;
        this.#extensionBytes = 0;
        return byte === lf ? State.Size : State.Bad;
      default:
        return State.Bad;
    }
  }

  #stepSize(byte: number): State {
    const value = hexValue[byte] ?? 255;
    if (value !== 255) {
      this.#left = this.#left * 16 + value;
      return ++this.#digits <= maxSizeDigits ? State.Size : State.Bad;
    }
    if (this.#digits === 0 || this.#left > Number.MAX_SAFE_INTEGER) return State.Bad;
    return byte === cr ? State.SizeLf : this.#stepBlank(byte);
  }

  /** Blanks may only stand before a semicolon (BWS). */
  #stepBlank(byte: number): State {
    if (++this.#extensionBytes > maxExtensionBytes) return State.Bad;
    if (byte === semicolon) return State.Extension;
    return byte === space || byte === htab ? State.Blank : State.Bad;
  }

  #readTrailers(chunk: Buffer, at: number, sink: ChunkSink): ChunkProgress {
    if (at === chunk.length) return ChunkProgress.More;
    const trailers = (this.#trailers ??= new TrailerReader(requestHeadLimits));
    const progress = trailers.read(chunk, at);
    if (progress === ChunkProgress.More) return progress;
    this.#state = progress === ChunkProgress.Complete ? State.Done : State.Bad;
    if (progress === ChunkProgress.Rejected) {
      this.rejection = trailers.rejection;
      return progress;
    }
    this.next = trailers.next;
    const { bytes, start, end, fieldCount } = trailers.head;
    trailers.head.release();
    if (fieldCount > 0) sink.onChunkTrailers(bytes.subarray(start, end - 2));
    return progress;
  }

  /** Takes data over: the first piece of an input as a view, small ones after it by copying. */
  #hold(chunk: Buffer, start: number, end: number, sink: ChunkSink): void {
    const length = end - start;
    const heldLength = this.#heldEnd - this.#heldStart;
    if (this.#gathered === undefined && heldLength > 0 && Math.max(length, heldLength) <= smallPieceBytes) {
      // No more data than this can follow in this input.
      this.#gathered = Buffer.allocUnsafe(Math.min(gatherBytes, heldLength + chunk.length - start));
      this.#gather(chunk, this.#heldStart, this.#heldEnd);
      this.#heldEnd = this.#heldStart;
    }
    const room = this.#gathered === undefined ? 0 : this.#gathered.length - this.#gatheredLength;
    if (length <= Math.min(smallPieceBytes, room)) {
      this.#gather(chunk, start, end);
      return;
    }
    const resets = this.#resets;
    this.#handOn(chunk, sink);
    if (resets !== this.#resets) return;
    this.#heldStart = start;
    this.#heldEnd = end;
  }

  #gather(chunk: Buffer, start: number, end: number): void {
    const gathered = this.#gathered;
    if (gathered === undefined) return;
    let to = this.#gatheredLength;
    // Most are tiny here, and a loop is cheaper than a call out of JavaScript.
    for (let index = start; index < end; index++) gathered[to++] = chunk[index] ?? 0;
    this.#gatheredLength = to;
  }

  /** Gives the sink what is held. */
  #handOn(chunk: Buffer, sink: ChunkSink): void {
    const gathered = this.#gathered;
    if (gathered !== undefined) {
      const length = this.#gatheredLength;
      this.#gathered = undefined;
      this.#gatheredLength = 0;
      sink.onChunkData(gathered.subarray(0, length));
      return;
    }
    const start = this.#heldStart;
    const end = this.#heldEnd;
    if (start === end) return;
    this.#heldStart = 0;
    this.#heldEnd = 0;
    sink.onChunkData(end - start === chunk.length ? chunk : chunk.subarray(start, end));
  }
}

const prefixes: readonly Buffer[] = Array.from({ length: 2048 }, (_, length) => prefixOf(length));

function prefixOf(length: number): Buffer {
  return Buffer.from(`${length.toString(16)}\r\n`, "latin1");
}

/** What precedes a chunk of `length` bytes, 1 or more. */
export function chunkPrefix(length: number): Buffer {
  return prefixes[length] ?? prefixOf(length);
}

/** What follows the data of a chunk. */
export const chunkSuffix: Buffer = Buffer.from("\r\n", "latin1");

/** The end of a body without trailers. */
export const lastChunk: Buffer = Buffer.from("0\r\n\r\n", "latin1");

/** The end of a body with the trailer lines of `section`, which are complete and were filtered. */
export function lastChunkWithTrailers(section: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(section.length + 5);
  bytes.write("0\r\n", "latin1");
  section.copy(bytes, 3);
  bytes.write("\r\n", section.length + 3, "latin1");
  return bytes;
}
