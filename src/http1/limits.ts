// How large a head may be, and every reason for which bytes are turned away. Rejections are shared constants:
// refusing hostile input allocates nothing and captures no stack.

/** Bounds of one head, all inclusive. */
export interface HeadLimits {
  /** Bytes from the first of the start line to the end of the empty line. */
  readonly maxHeadBytes: number;
  /** Bytes of the start line with its CRLF. */
  readonly maxLineBytes: number;
  /** Number of field lines. */
  readonly maxFields: number;
}

/** What a visitor may send: 16 KiB, 8 KiB of them in the request line, 100 fields. */
export const requestHeadLimits: HeadLimits = Object.freeze({
  maxHeadBytes: 16_384,
  maxLineBytes: 8_192,
  maxFields: 100,
});

/** What a target may answer: 32 KiB, 200 fields. */
export const responseHeadLimits: HeadLimits = Object.freeze({
  maxHeadBytes: 32_768,
  maxLineBytes: 32_768,
  maxFields: 200,
});

/** The statuses that answer a refused request; the connection closes after each. */
export type RejectionStatus = 400 | 408 | 413 | 414 | 421 | 431 | 501 | 505 | 508;

/** Why a message was refused: a closed set of words, used as a metric label. */
export type RejectionReason =
  | "bad_method"
  | "connect"
  | "bad_target"
  | "bad_version"
  | "version"
  | "bad_status_line"
  | "line_too_long"
  | "head_too_large"
  | "too_many_fields"
  | "bare_lf"
  | "bare_cr"
  | "obs_fold"
  | "bad_name"
  | "bad_value"
  | "bad_connection"
  | "empty_lines"
  | "no_host"
  | "two_hosts"
  | "bad_host"
  | "bad_content_length"
  | "two_content_lengths"
  | "bad_transfer_encoding"
  | "unknown_transfer_coding"
  | "length_and_chunked"
  | "bad_chunk"
  | "head_timeout"
  | "body_too_large"
  | "misdirected"
  | "loop";

/** Why a message was refused, and the status that tells a visitor so. For responses only the reason means anything. */
export interface RequestRejection {
  readonly status: RejectionStatus;
  readonly reason: RejectionReason;
}

function rejection(reason: RejectionReason, status: RejectionStatus): RequestRejection {
  return Object.freeze({ status, reason });
}

/** The one object of each reason. */
export const rejections: { readonly [reason in RejectionReason]: RequestRejection } = Object.freeze({
  // The start line.
  bad_method: rejection("bad_method", 400),
  connect: rejection("connect", 501),
  bad_target: rejection("bad_target", 400),
  bad_version: rejection("bad_version", 400),
  version: rejection("version", 505),
  bad_status_line: rejection("bad_status_line", 400),
  line_too_long: rejection("line_too_long", 414),
  // Lines and fields.
  head_too_large: rejection("head_too_large", 431),
  too_many_fields: rejection("too_many_fields", 431),
  bare_lf: rejection("bare_lf", 400),
  bare_cr: rejection("bare_cr", 400),
  obs_fold: rejection("obs_fold", 400),
  bad_name: rejection("bad_name", 400),
  bad_value: rejection("bad_value", 400),
  bad_connection: rejection("bad_connection", 400),
  empty_lines: rejection("empty_lines", 400),
  // Routing.
  no_host: rejection("no_host", 400),
  two_hosts: rejection("two_hosts", 400),
  bad_host: rejection("bad_host", 400),
  // Body framing.
  bad_content_length: rejection("bad_content_length", 400),
  two_content_lengths: rejection("two_content_lengths", 400),
  bad_transfer_encoding: rejection("bad_transfer_encoding", 400),
  unknown_transfer_coding: rejection("unknown_transfer_coding", 501),
  length_and_chunked: rejection("length_and_chunked", 400),
  bad_chunk: rejection("bad_chunk", 400),
  // What only the owner of the connection can see.
  head_timeout: rejection("head_timeout", 408),
  body_too_large: rejection("body_too_large", 413),
  misdirected: rejection("misdirected", 421),
  loop: rejection("loop", 508),
});
