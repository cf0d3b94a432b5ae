// The body of the request that a visitor is sending: counts it by Content-Length or takes its chunks apart, and feeds
// the exchange. One per connection, used again for each request.

import { ChunkedDecoder, ChunkProgress } from "../http1/chunked.ts";
import type { ChunkSink } from "../http1/chunked.ts";
import { filterTrailers } from "../http1/compose.ts";
import type { RequestHead } from "../http1/head.ts";
import type { TransferMemory } from "../lifecycle/transfer-memory.ts";
import type { Exchange } from "./exchange.ts";

/** What a {@link RequestBody} works with. */
export interface RequestBodyOptions {
  /** The largest body that is let through, in bytes. */
  readonly maxBytes: number;
  /** Where the chunks lie that it is fed. */
  readonly memory: TransferMemory;
}

const noBytes: Buffer = Buffer.alloc(0);

/** What became of the bytes given to {@link RequestBody.feed}. */
export const BodyProgress = { More: 0, Complete: 1, Malformed: 2, TooLarge: 3 } as const;
/** One of {@link BodyProgress}. */
export type BodyProgress = (typeof BodyProgress)[keyof typeof BodyProgress];

/** Reads one request body at a time. */
export class RequestBody implements ChunkSink {
  /** After {@link feed}: the offset of the first byte that does not belong to the body. */
  next = 0;
  /** The exchange asked to pause. Its owner lets it go on by setting this to false. */
  full = false;
  readonly #maxBytes: number;
  readonly #memory: TransferMemory;
  #exchange: Exchange | undefined;
  #left = 0;
  #received = 0;
  #decoder: ChunkedDecoder | undefined;
  #chunked = false;
  #endedByTrailers = false;
  /** What the decoder gave last of the chunk that it is fed. */
  #lastView: Buffer = noBytes;

  constructor({ maxBytes, memory }: RequestBodyOptions) {
    this.#maxBytes = maxBytes;
    this.#memory = memory;
  }

  /** Prepares for the body of `head`. */
  begin(head: RequestHead, exchange: Exchange): void {
    this.#exchange = exchange;
    this.#chunked = head.body === "chunked";
    this.#left = head.contentLength;
    this.#received = 0;
    this.#endedByTrailers = false;
    if (!this.#chunked) return;
    this.#decoder ??= new ChunkedDecoder();
    this.#decoder.reset();
  }

  /** Forgets the exchange. */
  end(): void {
    this.#exchange = undefined;
    this.full = false;
  }

  /** Takes body bytes from `chunk`, starting at `offset`. */
  feed(chunk: Buffer, offset: number): BodyProgress {
    this.full = false;
    if (this.#chunked) return this.#feedChunked(chunk, offset);
    const taken = Math.min(this.#left, chunk.length - offset);
    this.next = offset + taken;
    this.#left -= taken;
    const done = this.#left === 0;
    // A whole chunk goes as the object that it is, so that its memory comes back.
    const whole = offset === 0 && taken === chunk.length;
    this.#send(whole ? chunk : chunk.subarray(offset, this.next), done ? "end" : "more");
    return done ? BodyProgress.Complete : BodyProgress.More;
  }

  onChunkData(view: Buffer): void {
    this.#received += view.length;
    this.#lastView = view;
    if (this.#received <= this.#maxBytes) this.#send(view, "more");
  }

  onChunkTrailers(section: Buffer): void {
    // A body that was cut short here must not end as if it were whole.
    if (this.#received > this.#maxBytes) return;
    const kept = filterTrailers(section);
    if (kept === undefined || kept.length === 0) return;
    this.#exchange?.sendTrailers(kept);
    this.#endedByTrailers = true;
  }

  #feedChunked(chunk: Buffer, offset: number): BodyProgress {
    const decoder = this.#decoder;
    if (!decoder) return BodyProgress.Malformed;
    const progress = decoder.decode(chunk, offset, this);
    const last = this.#lastView;
    this.#lastView = noBytes;
    this.next = progress === ChunkProgress.Complete ? decoder.next : chunk.length;
    if (this.#received > this.#maxBytes) return BodyProgress.TooLarge;
    if (progress === ChunkProgress.Rejected) return BodyProgress.Malformed;
    // Trailers may lie in the chunk, too, and leave behind the last data.
    const isDataOnly = offset === 0 && this.next === chunk.length && !this.#endedByTrailers;
    if (isDataOnly) this.#memory.divided(chunk, last);
    if (progress === ChunkProgress.More) return BodyProgress.More;
    if (!this.#endedByTrailers) this.#send(noBytes, "end");
    return BodyProgress.Complete;
  }

  #send(bytes: Buffer, end: "end" | "more"): void {
    if (this.#exchange && !this.#exchange.sendBody(bytes, end)) this.full = true;
  }
}
