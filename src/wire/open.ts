// The payload of an OPEN frame: what kind of conversation, for which tunnel, and for an exchange the request head
// with the few facts about it that the client needs, so that the head is parsed only where it entered the tunnel.

/** How the request body is delimited towards the target: `none`, by its Content-Length field, or chunked by the client. */
export type BodyDelimiting = "none" | "length" | "chunked";

/** An HTTP request and its response. */
export interface OpenExchange {
  readonly kind: "exchange";
  readonly tunnel: number;
  readonly body: BodyDelimiting;
  /** The request is HEAD: the response has no body whatever its fields say. */
  readonly headOnly: boolean;
  /** The method is idempotent (RFC 9110 section 9.2.2): a request without a body may be repeated on a fresh connection. */
  readonly idempotent: boolean;
  /** `Upgrade: websocket` was asked for: a 101 answer turns the stream into a pipe. */
  readonly upgrade: boolean;
  /** The request expects 100-continue. */
  readonly expectContinue: boolean;
  /** Where the Host field's value starts in `head` and how long it is, so that it can be rewritten. */
  readonly hostAt: number;
  readonly hostLength: number;
  /** The canonical request head: request line and field lines, ending in an empty line. */
  readonly head: Buffer;
}

/** Raw bytes both ways: a visitor of a TCP tunnel. */
export interface OpenPipe {
  readonly kind: "pipe";
  readonly tunnel: number;
  /** The visitor's address, for logs beside the target; may be empty. */
  readonly visitor: string;
  /**
   * The trace that it belongs to, as the server says: the 55 characters of a W3C `traceparent` of version 00. Only for a
   * client that has named the feature `traced_pipes`; what one reads here may be anything of that length.
   */
  readonly traceparent?: string;
}

/** The meaning of an OPEN frame's payload. */
export type OpenRequest = OpenExchange | OpenPipe;
