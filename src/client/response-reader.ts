// The target's answer as it arrives: heads, then a body by whichever rule delimits it. One per connection, reused for
// every exchange on it. It promises that the end is told together with the last bytes, so that it costs no frame.
// It never keeps a view beyond the call, and never decides what becomes of the connection.

import type { ChunkSink } from "../http1/chunked.ts";
import { ChunkedDecoder, ChunkProgress } from "../http1/chunked.ts";
import type { ResponseHead } from "../http1/head.ts";
import { HeadProgress, ResponseHeadReader } from "../http1/head-reader.ts";
import { responseHeadLimits } from "../http1/limits.ts";
import { unreachable } from "../lifecycle/errors.ts";
import type { TransferMemory } from "../lifecycle/transfer-memory.ts";

/** How far a chunk carried the response. Small integers, because they are answered for every chunk of bytes. */
export const ResponseProgress = {
  /** Everything was consumed and the response goes on. */
  More: 0,
  /** The response is complete; `next` is where bytes that nobody asked for begin. */
  Complete: 1,
  /** It is no acceptable HTTP/1.1; `rejection` says why. */
  Rejected: 2,
  /** 101: the head was told, and the bytes from `next` on are no HTTP. */
  Switched: 3,
} as const;
/** One of the values of {@link ResponseProgress}. */
export type ResponseProgress = (typeof ResponseProgress)[keyof typeof ResponseProgress];

/** Who hears of a response. The views are valid during the call. `end` comes with the last call, once. */
export interface ResponseSink {
  /** A head, 1xx or final, as received. */
  onResponseHead(head: Buffer, status: number, end: boolean): void;
  /** Body bytes without any chunk framing; empty only together with `end`. */
  onResponseData(view: Buffer, end: boolean): void;
  /** The trailer section, complete field lines; the response ends with it. */
  onResponseTrailers(section: Buffer): void;
}

/** What is asked of one response. */
export interface ResponseExpectations {
  /** The request was HEAD. */
  readonly headOnly: boolean;
  /** The request asked for an upgrade to WebSocket. */
  readonly upgrade: boolean;
}

/** As many 1xx heads as one stream may carry. */
const maxInformational = 16;
const emptyBody = Buffer.alloc(0);

/** What the next byte belongs to. */
const Phase = { None: 0, Head: 1, Length: 2, Chunked: 3, Close: 4 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** Reads one response after the other. */
export class ResponseReader implements ChunkSink {
  /** After Complete and Switched: the offset in the chunk of the first byte behind the response. */
  next = 0;
  /** After Rejected: why, in a word. */
  rejection = "";
  /** A byte of the current response has arrived. */
  begun = false;
  /** The final head of the current response has arrived. */
  headComplete = false;
  /** The target wants to keep the connection, and the response was delimited so that it can. */
  keepAlive = false;
  /** For how long, by its Keep-Alive field in milliseconds; -1 if it does not say. */
  keepAliveTimeoutMs = -1;
  readonly #heads: ResponseHeadReader;
  readonly #memory: TransferMemory;
  #decoder: ChunkedDecoder | undefined;
  #sink: ResponseSink | undefined;
  #phase: Phase = Phase.None;
  #headOnly = false;
  #upgrade = false;
  #informational = 0;
  #remaining = 0;
  #lastView: Buffer | undefined;
  #trailers: Buffer | undefined;

  /**
   * `head` may be shared by the readers of many connections: its facts are only read during the call that filled it.
   * `memory`: where the chunks lie that are read.
   */
  constructor(head: ResponseHead, memory: TransferMemory) {
    this.#heads = new ResponseHeadReader(responseHeadLimits, head);
    this.#memory = memory;
  }

  /** The facts of the head that the sink is told of, valid during that call. */
  get head(): ResponseHead {
    return this.#heads.head;
  }

  /** A request was sent: the next bytes are its response. */
  begin(sink: ResponseSink, expectations: ResponseExpectations): void {
    this.#sink = sink;
    this.#headOnly = expectations.headOnly;
    this.#upgrade = expectations.upgrade;
    this.#phase = Phase.Head;
    this.#informational = 0;
    this.begun = false;
    this.headComplete = false;
    this.keepAlive = false;
    this.keepAliveTimeoutMs = -1;
    this.#heads.reset();
  }

  /** Forgets the sink; what is read later belongs to no response. */
  abandon(): void {
    this.#sink = undefined;
    this.#phase = Phase.None;
    this.#lastView = undefined;
    this.#trailers = undefined;
  }

  /** Reads a chunk of the response. */
  read(chunk: Buffer): ResponseProgress {
    this.begun = true;
    let at = 0;
    if (this.#phase === Phase.Head) {
      const progress = this.#readHeads(chunk);
      if (progress !== ResponseProgress.More) return progress;
      at = this.next;
      // What follows a head in the same chunk is its body; without any, a body of no bytes cannot end here.
      if (at === chunk.length) return progress;
    }
    switch (this.#phase) {
      case Phase.Length:
        return this.#readLength(chunk, at);
      case Phase.Chunked:
        return this.#readChunked(chunk, at);
      case Phase.Close:
        this.#sink?.onResponseData(at === 0 ? chunk : chunk.subarray(at), false);
        return ResponseProgress.More;
      case Phase.None:
      case Phase.Head:
        this.next = at;
        return ResponseProgress.Complete;
      default:
        return unreachable(this.#phase);
    }
  }

  /** The target has ended its side. Answers whether that completes the response; if so the sink has been told. */
  finish(): boolean {
    if (this.#phase !== Phase.Close) return false;
    const sink = this.#sink;
    this.abandon();
    sink?.onResponseData(emptyBody, true);
    return true;
  }

  /** @internal The decoder's: a piece is told when the next one shows that it was not the last. */
  onChunkData(view: Buffer): void {
    if (this.#lastView) this.#sink?.onResponseData(this.#lastView, false);
    this.#lastView = view;
  }

  /** @internal The decoder's. */
  onChunkTrailers(section: Buffer): void {
    this.#trailers = Buffer.from(section);
  }

  /** Reads heads up to the final one; More leaves `next` behind what was taken. */
  #readHeads(chunk: Buffer): ResponseProgress {
    const heads = this.#heads;
    let at = 0;
    while (at < chunk.length) {
      const progress = heads.read(chunk, at);
      if (progress === HeadProgress.More) break;
      if (progress === HeadProgress.Rejected) return this.#reject(heads.rejection.reason);
      const head = heads.head;
      const inPlace = head.bytes === chunk;
      // A head that came in pieces is in the reader's own buffer, which nobody writes to again.
      const bytes = inPlace ? chunk.subarray(at, head.end) : head.bytes.subarray(0, head.end);
      at = heads.next;
      this.next = at;
      if (head.status === 101) return this.#switch(bytes, head);
      if (!head.isInformational) return this.#readFinalHead(bytes, head);
      this.#informational += 1;
      if (this.#informational > maxInformational) return this.#reject("too_many_informational");
      this.#sink?.onResponseHead(bytes, head.status, false);
    }
    this.next = chunk.length;
    return ResponseProgress.More;
  }

  #switch(bytes: Buffer, head: ResponseHead): ResponseProgress {
    if (!this.#upgrade || !head.upgradeWebsocket) return this.#reject("unasked_upgrade");
    this.headComplete = true;
    const sink = this.#sink;
    this.abandon();
    sink?.onResponseHead(bytes, head.status, false);
    return ResponseProgress.Switched;
  }

  #readFinalHead(bytes: Buffer, head: ResponseHead): ResponseProgress {
    this.headComplete = true;
    this.keepAliveTimeoutMs = head.keepAliveTimeoutMs;
    const delimiting = head.delimiting(this.#headOnly);
    this.keepAlive = head.keepAlive && delimiting !== "close";
    const sink = this.#sink;
    switch (delimiting) {
      case "none":
        this.abandon();
        sink?.onResponseHead(bytes, head.status, true);
        return ResponseProgress.Complete;
      case "length":
        this.#phase = Phase.Length;
        this.#remaining = head.contentLength;
        break;
      case "chunked":
        this.#phase = Phase.Chunked;
        this.#decoder ??= new ChunkedDecoder();
        this.#decoder.reset();
        break;
      case "close":
        this.#phase = Phase.Close;
        break;
      default:
        unreachable(delimiting);
    }
    sink?.onResponseHead(bytes, head.status, false);
    return ResponseProgress.More;
  }

  #readLength(chunk: Buffer, at: number): ResponseProgress {
    const length = chunk.length - at;
    const sink = this.#sink;
    if (length < this.#remaining) {
      this.#remaining -= length;
      sink?.onResponseData(at === 0 ? chunk : chunk.subarray(at), false);
      return ResponseProgress.More;
    }
    const end = at + this.#remaining;
    this.next = end;
    this.abandon();
    sink?.onResponseData(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end), true);
    return ResponseProgress.Complete;
  }

  #readChunked(chunk: Buffer, at: number): ResponseProgress {
    const decoder = this.#decoder;
    if (!decoder) return this.#reject("bad_chunk");
    const progress = decoder.decode(chunk, at, this);
    const sink = this.#sink;
    const view = this.#lastView;
    const trailers = this.#trailers;
    this.#lastView = undefined;
    switch (progress) {
      case ChunkProgress.More:
        if (view && at === 0) this.#memory.divided(chunk, view);
        if (view) sink?.onResponseData(view, false);
        return ResponseProgress.More;
      case ChunkProgress.Rejected:
        return this.#reject("bad_chunk");
      case ChunkProgress.Complete:
        this.next = decoder.next;
        this.abandon();
        if (view && at === 0 && this.next === chunk.length) this.#memory.divided(chunk, view);
        if (!trailers) sink?.onResponseData(view ?? emptyBody, true);
        else {
          if (view) sink?.onResponseData(view, false);
          sink?.onResponseTrailers(trailers);
        }
        return ResponseProgress.Complete;
      default:
        return unreachable(progress);
    }
  }

  #reject(rejection: string): ResponseProgress {
    this.abandon();
    this.rejection = rejection;
    return ResponseProgress.Rejected;
  }
}
