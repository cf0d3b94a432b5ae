// Writes responses to one visitor's connection, one after the other: composes heads, holds bodies against what their
// heads announced, and delimits them the way this visitor understands. It answers false when the client's bytes do not
// add up; what to do about that is the exchange's decision.

import { chunkPrefix, chunkSuffix, lastChunk, lastChunkWithTrailers } from "../http1/chunked.ts";
import { composeResponse, filterTrailers } from "../http1/compose.ts";
import type { ResponseHead } from "../http1/head.ts";
import type { SocketOutlet } from "../mux/socket-outlet.ts";
import { dropFromTargets } from "./forwarding.ts";
import type { ServerAnswer } from "./gateway-answers.ts";
import { acceptsHtml, renderAnswer } from "./gateway-answers.ts";

/** What the request says about its response. */
export interface ResponseForm {
  /** The request was HEAD. */
  readonly headOnly: boolean;
  /** The visitor speaks HTTP/1.0 (0) or 1.1 (1). */
  readonly versionMinor: number;
}

/** Of the answer to bytes that are no request. */
export const plainForm: ResponseForm = { headOnly: false, versionMinor: 1 };

/** Whether the visitor's connection is to live on. */
export type Persistence = "persist" | "close";

/** How an answer of the server itself is given. */
export interface AnswerOptions {
  /** The request's Accept field. */
  readonly accept: string | undefined;
  readonly persistence: Persistence;
}

/** The response side of one visitor's connection. Used again for each exchange. */
export class ResponseWriter {
  readonly #outlet: SocketOutlet;
  #headOnly = false;
  #versionMinor = 1;
  #body: "unknown" | "none" | "length" | "chunked" | "close" = "unknown";
  #left = 0;

  constructor(outlet: SocketOutlet) {
    this.#outlet = outlet;
  }

  /** A final head was written, so that no error page can take its place. */
  get begun(): boolean {
    return this.#body !== "unknown";
  }

  /** Prepares for the response to a new request. */
  reset(form: ResponseForm): void {
    this.#headOnly = form.headOnly;
    this.#versionMinor = form.versionMinor;
    this.#body = "unknown";
    this.#left = 0;
  }

  /** A whole response of the server itself, in the form that this visitor takes. `accept` is the request's Accept field. */
  writeAnswer(answer: ServerAnswer, options: AnswerOptions): void {
    const bytes = renderAnswer(answer, {
      html: acceptsHtml(options.accept),
      headOnly: this.#headOnly,
      persist: options.persistence === "persist",
      versionMinor: this.#versionMinor,
    });
    this.#outlet.write(bytes, 0);
  }

  /** An informational head other than 101; HTTP/1.0 visitors do not get it (RFC 9110 section 15.2). */
  writeInformational(head: ResponseHead): void {
    if (this.#versionMinor > 0)
      this.#outlet.write(composeResponse(head, { drop: dropFromTargets, suffix: "", upgrade: false }), 0);
  }

  /**
   * The final head. `persistence` is what the request and the server would like; answers what it came to, because a body
   * without a length ends an HTTP/1.0 connection. `end`: nothing follows. False if a body was announced all the same.
   */
  writeHead(head: ResponseHead, persistence: Persistence, end: boolean): Persistence | false {
    const delimiting = head.delimiting(this.#headOnly);
    if (end && delimiting === "length") return false;
    const streamed = this.#versionMinor === 0 ? "close" : "chunked";
    this.#body = delimiting === "length" || delimiting === "none" ? delimiting : streamed;
    this.#left = delimiting === "length" ? head.contentLength : 0;
    const result = this.#body === "close" ? "close" : persistence;
    const suffix = (this.#body === "chunked" ? "Transfer-Encoding: chunked\r\n" : "") + this.#connectionLine(result);
    this.#outlet.write(composeResponse(head, { drop: dropFromTargets, suffix, upgrade: false }), 0);
    if (end && this.#body === "chunked") this.#outlet.write(lastChunk, 0);
    return result;
  }

  /** Body bytes. False if there are more or fewer than announced. */
  writeBody(chunk: Buffer, end: boolean): boolean {
    switch (this.#body) {
      case "chunked":
        this.#writeChunk(chunk);
        if (end) this.#outlet.write(lastChunk, 0);
        return true;
      case "close":
        if (chunk.length > 0) this.#outlet.write(chunk, chunk.length);
        return true;
      case "length":
        this.#left -= chunk.length;
        if (this.#left < 0 || (end && this.#left > 0)) return false;
        if (chunk.length > 0) this.#outlet.write(chunk, chunk.length);
        return true;
      default:
        return this.#body === "none" && chunk.length === 0;
    }
  }

  /** The trailer section, which ends the body. False if it is malformed or comes too early. */
  writeTrailers(section: Buffer): boolean {
    const kept = filterTrailers(section);
    if (kept === undefined || this.#body === "unknown" || this.#left > 0) return false;
    if (this.#body === "chunked") this.#outlet.write(lastChunkWithTrailers(kept), 0);
    return true;
  }

  #writeChunk(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#outlet.write(chunkPrefix(chunk.length), 0);
    this.#outlet.write(chunk, chunk.length);
    this.#outlet.write(chunkSuffix, 0);
  }

  #connectionLine(persistence: Persistence): string {
    if (persistence === "close") return "Connection: close\r\n";
    return this.#versionMinor === 0 ? "Connection: keep-alive\r\n" : "";
  }
}
