// What the private listener answers, as values: handlers make them, one place sends them. Every answer carries the fields
// that keep a browser from doing more with it than showing it.

import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

/** Writes a body that is too large to be held, and ends the response. Rejects when the peer leaves. */
export type BodyWriter = (response: ServerResponse) => Promise<void>;

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer | BodyWriter;
  readonly headers?: OutgoingHttpHeaders;
  /** Releases what a {@link BodyWriter} would have read; called when the peer left before the body was asked for. */
  readonly discard?: () => Promise<void>;
}

const jsonType = "application/json; charset=utf-8";
const textType = "text/plain; charset=utf-8";

/** Sent with every answer. Nothing here may be framed, cached, sniffed or loaded by another page. */
export const guardHeaders: Readonly<Record<string, string>> = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

/** What {@link json}, {@link text} and {@link problem} take besides the body. */
export interface AnswerOptions {
  readonly status?: number;
  readonly headers?: OutgoingHttpHeaders;
}

/** A JSON answer; status 200 unless told otherwise. */
export function json(value: unknown, options: AnswerOptions = {}): Answer {
  return { status: 200, type: jsonType, body: `${JSON.stringify(value, undefined, 2)}\n`, ...options };
}

/** A plain text answer; status 200 unless told otherwise. */
export function text(body: string, options: AnswerOptions = {}): Answer {
  return { status: 200, type: textType, body, ...options };
}

/** An answer without a body. */
export function empty(options: AnswerOptions = {}): Answer {
  return { status: 204, type: textType, body: "", ...options };
}

/** Words for what went wrong; scripts may rely on them. */
export type ProblemCode =
  | "bad_request"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "method_not_allowed"
  | "busy"
  | "body_too_large"
  | "unsupported_type"
  | "too_many_guesses"
  | "too_many_pages"
  | "internal"
  | "not_implemented"
  | "not_ready"
  | "low_memory"
  | "long_stall"
  | "disk_full";

const statuses: Readonly<Record<ProblemCode, number>> = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  busy: 409,
  body_too_large: 413,
  unsupported_type: 415,
  too_many_guesses: 429,
  too_many_pages: 503,
  internal: 500,
  not_implemented: 501,
  not_ready: 503,
  low_memory: 503,
  long_stall: 503,
  disk_full: 507,
};

/** An error answer: `{"error": code, "message": for people}` with the status that goes with the code. */
export function problem(code: ProblemCode, message: string, headers: OutgoingHttpHeaders = {}): Answer {
  return json({ error: code, message }, { status: statuses[code], headers });
}
