// Whole conversations through our readers, as plain data that can be compared: with another parser, or with the same
// bytes cut elsewhere. It reads as the server and the client do, and judges nothing.

import { ChunkedDecoder } from "../../src/http1/chunked.ts";
import type { Head } from "../../src/http1/message-head.ts";
import { HeadProgress, RequestHeadReader, ResponseHeadReader } from "../../src/http1/head-reader.ts";
import { requestHeadLimits, responseHeadLimits } from "../../src/http1/limits.ts";

/** One message. All strings are latin1. */
export interface Message {
  /** `METHOD target`, or `status reason`. */
  readonly start: string;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  body: string;
  trailers: readonly string[];
  complete: boolean;
}

/** What became of a stream of bytes. */
export interface Conversation {
  readonly messages: readonly Message[];
  /** `more`: everything was understood, and more may come. `closed`: what follows is not to be read. Else why it was refused. */
  readonly end: string;
}

/** Where to cut: indexes into the bytes, increasing. */
export type Cuts = readonly number[];

/** The bytes in pieces. Each is a copy, so that nothing can rely on its neighbours. */
export function cut(bytes: Buffer, cuts: Cuts): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    pieces.push(Buffer.from(bytes.subarray(start, end)));
    start = end;
  }
  return pieces;
}

/** Name, value, name, value... of the fields of `head`. */
export function fieldsOf(head: Head): string[] {
  const fields: string[] = [];
  for (let index = 0; index < head.fieldCount; index++) {
    fields.push(head.bytes.toString("latin1", head.nameStart[index], head.nameEnd[index]), head.valueOf(index));
  }
  return fields;
}

function trailersOf(section: Buffer): string[] {
  return section
    .toString("latin1")
    .split("\r\n")
    .slice(0, -1)
    .flatMap((line) => [line.slice(0, line.indexOf(":")), trimmed(line.slice(line.indexOf(":") + 1))]);
}

function trimmed(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, "");
}

/** Reads the body of one message. */
class BodyReader {
  readonly #message: Message;
  readonly #decoder: ChunkedDecoder | undefined;
  #left: number;
  rejection = "";

  constructor(message: Message, delimiting: "none" | "length" | "chunked" | "close", contentLength: number) {
    this.#message = message;
    this.#decoder = delimiting === "chunked" ? new ChunkedDecoder() : undefined;
    this.#left = delimiting === "length" ? contentLength : delimiting === "close" ? Infinity : 0;
    message.complete = delimiting === "none";
  }

  /** The index after what belongs to the body; a rejection says why there is no knowing. */
  read(chunk: Buffer, offset: number): number {
    if (this.#decoder === undefined) {
      const end = Math.min(chunk.length, offset + this.#left);
      this.#left -= end - offset;
      this.#message.body += chunk.toString("latin1", offset, end);
      this.#message.complete = this.#left === 0;
      return end;
    }
    const progress = this.#decoder.decode(chunk, offset, this);
    if (progress === HeadProgress.More) return chunk.length;
    if (progress === HeadProgress.Rejected) this.rejection = this.#decoder.rejection.reason;
    else this.#message.complete = true;
    return this.#decoder.next;
  }

  onChunkData(view: Buffer): void {
    this.#message.body += view.toString("latin1");
  }

  onChunkTrailers(section: Buffer): void {
    this.#message.trailers = trailersOf(section);
  }
}

/** Reads requests, one after another on one connection, as far as they go. */
export function readRequests(pieces: readonly Buffer[]): Conversation {
  const reader = new RequestHeadReader(requestHeadLimits);
  const messages: Message[] = [];
  let body: BodyReader | undefined;
  let last: Message | undefined;
  let closes = false;
  for (const piece of pieces) {
    let at = 0;
    while (at < piece.length) {
      if (body !== undefined && last?.complete === false) {
        at = body.read(piece, at);
        if (body.rejection !== "") return { messages, end: body.rejection };
        continue;
      }
      if (closes) return { messages, end: "closed" };
      const progress = reader.read(piece, at);
      if (progress === HeadProgress.More) break;
      if (progress === HeadProgress.Rejected) return { messages, end: reader.rejection.reason };
      const { head } = reader;
      at = reader.next;
      last = {
        start: `${head.method} ${head.target}`,
        fields: fieldsOf(head),
        body: "",
        trailers: [],
        complete: false,
      };
      body = new BodyReader(last, head.body, head.contentLength);
      closes = !head.keepAlive || head.upgradeWebsocket;
      messages.push(last);
    }
  }
  return { messages, end: closes && last?.complete === true ? "closed" : "more" };
}

/** Reads the answer to one request: informational responses and the final one, whose connection then ends. */
export function readResponses(pieces: readonly Buffer[], options: { readonly requestIsHead: boolean }): Conversation {
  const reader = new ResponseHeadReader(responseHeadLimits);
  const messages: Message[] = [];
  let body: BodyReader | undefined;
  let last: Message | undefined;
  let untilClose = false;
  for (const piece of pieces) {
    let at = 0;
    while (at < piece.length) {
      if (body !== undefined) {
        if (last?.complete === true) return { messages, end: "closed" };
        at = body.read(piece, at);
        if (body.rejection !== "") return { messages, end: body.rejection };
        continue;
      }
      const progress = reader.read(piece, at);
      if (progress === HeadProgress.More) break;
      if (progress === HeadProgress.Rejected) return { messages, end: reader.rejection.reason };
      const { head } = reader;
      at = reader.next;
      // The client takes no other switch for an answer.
      if (head.status === 101 && !head.upgradeWebsocket) return { messages, end: "no_upgrade" };
      const reason = head.bytes.toString("latin1", head.reasonStart, head.reasonEnd);
      last = { start: `${head.status} ${reason}`, fields: fieldsOf(head), body: "", trailers: [], complete: true };
      messages.push(last);
      if (head.isInformational && head.status !== 101) continue;
      // What follows a 101 belongs to the other protocol, up to the end.
      const delimiting = head.status === 101 ? "close" : head.delimiting(options.requestIsHead);
      body = new BodyReader(last, delimiting, head.contentLength);
      untilClose = delimiting === "close";
    }
  }
  if (untilClose && last !== undefined) last.complete = true;
  return { messages, end: body !== undefined && last?.complete === true ? "closed" : "more" };
}
