// A request or response head as facts: what it asks for, how its body is delimited, what it wants of the connection.
// Filled by the readers, valid until the next head is read into it; asking for a fact never changes one.

import { hostEndOf, hostNameOf } from "./authority.ts";
import { cr, equalsName, lf, space, targetClass, tokenClass, valueClass } from "./bytes.ts";
import { connectionSays } from "./connection.ts";
import { fieldIds } from "./fields.ts";
import type { RequestRejection } from "./limits.ts";
import { rejections } from "./limits.ts";
import { Head } from "./message-head.ts";
import { incomplete, isIdempotent, methodOf, mismatch, readLineEnd, readVersion, versionBytes } from "./start-line.ts";

/** How a request's target is written (RFC 9112 section 3.2). */
export type TargetForm = "origin" | "absolute" | "asterisk";

const asterisk = 0x2a;
const slash = 0x2f;
const questionMark = 0x3f;

/** The facts of one request head. */
export class RequestHead extends Head {
  /** The method, as sent. */
  method = "";
  /** Where the request target starts. */
  targetStart = 0;
  /** Index after the request target. */
  targetEnd = 0;
  /** How the target is written. */
  form: TargetForm = "origin";
  /** Where path and query start: at a `?` if an absolute target has no path, `targetEnd` if it has neither. */
  pathStart = 0;
  /**
   * The name to route by: lower-case, without port and one trailing dot; IPv6 addresses in their brackets. From an
   * absolute target if there is one, else from Host. Empty for HTTP/1.0 without either.
   */
  host = "";
  /** Index of the Host field, or -1. */
  hostIndex = -1;
  /** How the body is delimited. `none` also for `Content-Length: 0`, whose field is kept all the same. */
  body: "none" | "length" | "chunked" = "none";
  /** The method is HEAD: the response has no body whatever its fields say. */
  headOnly = false;
  /** The method is one of those that RFC 9110 section 9.2.2 calls idempotent. */
  idempotent = false;
  /** A bodiless GET of HTTP/1.1 that asks to switch to `websocket` and to nothing else. */
  upgradeWebsocket = false;
  /** The sender waits for a 100 before it sends the body that it announces. Never for HTTP/1.0. */
  expectContinue = false;
  #authorityStart = 0;
  #authorityEnd = 0;
  #hostEnd = 0;
  #expectIndex = -1;

  /** The request target, as sent. */
  get target(): string {
    return this.bytes.toString("latin1", this.targetStart, this.targetEnd);
  }

  /** Host and port as they are to be forwarded: of an absolute target if there is one, else the value of Host; or empty. */
  get authority(): string {
    return this.bytes.toString("latin1", this.#authorityStart, this.#authorityEnd);
  }

  /** @internal */
  override _readStartLine(from: number, to: number): number {
    const bytes = this.bytes;
    let index = from;
    while (index < to && tokenClass[bytes[index] ?? 0] !== 0) index++;
    if (index === to) return 0;
    if (bytes[index] !== space || index === from) {
      return this.#refuse(bytes[index] === lf ? rejections.bare_lf : rejections.bad_method);
    }
    const methodEnd = index++;
    const targetStart = index;
    while (index < to && targetClass[bytes[index] ?? 0] !== 0) index++;
    if (index === to) return 0;
    if (bytes[index] !== space || index === targetStart) return this.#refuseTarget(targetStart, index, to);
    const targetEnd = index;

    const version = readVersion(bytes, targetEnd + 1, to);
    if (version === incomplete) return 0;
    const lineEnd = version === mismatch ? mismatch : readLineEnd(bytes, targetEnd + 1 + versionBytes, to);
    if (lineEnd === incomplete) return 0;
    if (lineEnd === mismatch) return this.#refuse(rejections.bad_version);
    if (version < 10 || version > 19) return this.#refuse(rejections.version);

    this.versionMinor = version === 10 ? 0 : 1;
    this.method = methodOf(bytes, from, methodEnd);
    this.targetStart = targetStart;
    this.targetEnd = targetEnd;
    this.hostIndex = -1;
    this.#authorityStart = 0;
    this.#authorityEnd = 0;
    this.#hostEnd = 0;
    this.#expectIndex = -1;
    const rejection = this.#readTarget();
    return rejection === undefined ? lineEnd : this.#refuse(rejection);
  }

  /** @internal */
  override _onFramingField(id: number, index: number): RequestRejection | undefined {
    if (id === fieldIds.host) return this.#onHost(index);
    if (id === fieldIds.expect) this.#expectIndex = index;
    return super._onFramingField(id, index);
  }

  /** @internal */
  override _finish(): RequestRejection | undefined {
    if ((this.connection & connectionSays.malformed) !== 0) return rejections.bad_connection;
    if (this.hostIndex < 0 && this.versionMinor === 1) return rejections.no_host;
    this.host = this.#hostEnd === 0 ? "" : hostNameOf(this.bytes, this.#authorityStart, this.#hostEnd, this.host);
    this.body = this.chunked ? "chunked" : this.contentLength > 0 ? "length" : "none";
    this.headOnly = this.method === "HEAD";
    this.idempotent = isIdempotent(this.method);
    this.upgradeWebsocket =
      this.upgradeIndex >= 0 &&
      this.method === "GET" &&
      this.versionMinor === 1 &&
      this.body === "none" &&
      this.websocketFields;
    this.expectContinue =
      this.#expectIndex >= 0 &&
      this.versionMinor === 1 &&
      this.body !== "none" &&
      this._valueIs(this.#expectIndex, "100-continue");
    return undefined;
  }

  #refuse(rejection: RequestRejection): number {
    this._reject(rejection);
    return -1;
  }

  #refuseTarget(start: number, at: number, to: number): number {
    const byte = this.bytes[at];
    if (byte === lf) return this.#refuse(rejections.bare_lf);
    if (byte !== cr) return this.#refuse(rejections.bad_target);
    const lineEnd = readLineEnd(this.bytes, at, to);
    if (lineEnd === incomplete) return 0;
    if (lineEnd === mismatch) return this.#refuse(rejections.bare_cr);
    // A line of method and target alone is what HTTP/0.9 looked like.
    return this.#refuse(at === start ? rejections.bad_target : rejections.version);
  }

  #readTarget(): RequestRejection | undefined {
    if (this.method === "CONNECT") return rejections.connect;
    const first = this.bytes[this.targetStart];
    this.pathStart = this.targetStart;
    if (first === slash) {
      this.form = "origin";
      return undefined;
    }
    if (first === asterisk && this.targetEnd - this.targetStart === 1) {
      this.form = "asterisk";
      return this.method === "OPTIONS" ? undefined : rejections.bad_target;
    }
    this.form = "absolute";
    return this.#readAbsolute();
  }

  #readAbsolute(): RequestRejection | undefined {
    const { bytes, targetStart, targetEnd } = this;
    let start = targetStart;
    if (equalsName(bytes, start, Math.min(start + 7, targetEnd), "http://")) start += 7;
    else if (equalsName(bytes, start, Math.min(start + 8, targetEnd), "https://")) start += 8;
    else return rejections.bad_target;
    let end = start;
    while (end < targetEnd && bytes[end] !== slash && bytes[end] !== questionMark) end++;
    const hostEnd = hostEndOf(bytes, start, end);
    if (hostEnd < 0) return rejections.bad_target;
    this.pathStart = end;
    this.#authorityStart = start;
    this.#authorityEnd = end;
    this.#hostEnd = hostEnd;
    return undefined;
  }

  #onHost(index: number): RequestRejection | undefined {
    if (this.hostIndex >= 0) return rejections.two_hosts;
    this.hostIndex = index;
    const start = this.valueStart[index] ?? 0;
    const end = this.valueEnd[index] ?? 0;
    const hostEnd = hostEndOf(this.bytes, start, end);
    if (hostEnd < 0) return rejections.bad_host;
    if (this.form !== "absolute") {
      this.#authorityStart = start;
      this.#authorityEnd = end;
      this.#hostEnd = hostEnd;
    }
    return undefined;
  }
}

/** The facts of one response head, 1xx or final. */
export class ResponseHead extends Head {
  /** 100 to 999. */
  status = 0;
  /** Where the reason phrase starts. */
  reasonStart = 0;
  /** Index after the reason phrase. */
  reasonEnd = 0;
  /** 1xx: another head follows, unless it is a 101. */
  isInformational = false;
  /** A 101 that switches to `websocket` and to nothing else. */
  upgradeWebsocket = false;
  /** How long the sender keeps the idle connection, by `Keep-Alive: timeout=N`, in milliseconds; -1 if it does not say. */
  keepAliveTimeoutMs = -1;
  #keepAliveIndex = -1;

  /** How the body is delimited; `none` also for an empty one. HEAD, 1xx, 204 and 304 never have one (RFC 9112 section 6.3). */
  delimiting(requestIsHead: boolean): "none" | "length" | "chunked" | "close" {
    if (requestIsHead || this.isInformational || this.status === 204 || this.status === 304) return "none";
    if (this.chunked) return "chunked";
    if (this.contentLength < 0) return "close";
    return this.contentLength === 0 ? "none" : "length";
  }

  /** @internal */
  override _readStartLine(from: number, to: number): number {
    const bytes = this.bytes;
    const version = readVersion(bytes, from, to);
    if (version === incomplete) return 0;
    if (version === mismatch) return this.#refuse(rejections.bad_status_line);
    let index = from + versionBytes;
    if (index === to) return 0;
    if (bytes[index] !== space) return this.#refuse(rejections.bad_status_line);
    let status = 0;
    for (const statusEnd = ++index + 3; index < statusEnd; index++) {
      if (index === to) return 0;
      const digit = (bytes[index] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) return this.#refuse(rejections.bad_status_line);
      status = status * 10 + digit;
    }
    if (index === to) return 0;
    // The space before an empty reason phrase is left out by many.
    if (bytes[index] === space) index++;
    else if (bytes[index] !== cr)
      return this.#refuse(bytes[index] === lf ? rejections.bare_lf : rejections.bad_status_line);
    const reasonStart = index;
    while (index < to && valueClass[bytes[index] ?? 0] !== 0) index++;
    if (index === to) return 0;
    const lineEnd = readLineEnd(bytes, index, to);
    if (lineEnd === incomplete) return 0;
    if (lineEnd === mismatch) {
      return this.#refuse(bytes[index] === lf ? rejections.bare_lf : rejections.bad_status_line);
    }
    if (version < 10 || version > 19) return this.#refuse(rejections.version);
    if (status < 100) return this.#refuse(rejections.bad_status_line);

    this.versionMinor = version === 10 ? 0 : 1;
    this.status = status;
    this.reasonStart = reasonStart;
    this.reasonEnd = index;
    this.#keepAliveIndex = -1;
    return lineEnd;
  }

  /** @internal */
  override _onFramingField(id: number, index: number): RequestRejection | undefined {
    if (id === fieldIds["keep-alive"]) this.#keepAliveIndex = index;
    return super._onFramingField(id, index);
  }

  /** @internal */
  override _finish(): undefined {
    this.isInformational = this.status < 200;
    this.upgradeWebsocket =
      this.status === 101 && this.versionMinor === 1 && this.upgradeIndex >= 0 && this.websocketFields;
    this.keepAliveTimeoutMs = this.#keepAliveIndex < 0 ? -1 : this.#readTimeout();
  }

  #refuse(rejection: RequestRejection): number {
    this._reject(rejection);
    return -1;
  }

  #readTimeout(): number {
    const seconds = /(?:^|[,\s])timeout\s*=\s*"?(\d{1,9})(?!\d)/i.exec(this.valueOf(this.#keepAliveIndex))?.[1];
    return seconds === undefined ? -1 : Number(seconds) * 1000;
  }
}
