// The layout of a frame: length u24 | type u8 | flags u8 | stream u32 | payload, all big-endian.
// Pure numbers; encode.ts writes them, decode.ts reads and checks them.

/** Frame types. Those of 0x80 and above are ignored by whoever does not know them; other unknown ones are violations. */
export const frameTypes = {
  /** Server to client: starts a stream. open-codec.ts has its payload. */
  open: 1,
  /** Client to server: a response head, informational or final. */
  head: 2,
  /** Body or raw bytes; needs credit. */
  data: 3,
  /** The trailer section; always ends the sender's half. */
  trailers: 4,
  /** Cuts a stream: code u8. */
  reset: 5,
  /** Lets the receiver send so many more DATA bytes: u32, 1 to 2^31 - 1. */
  credit: 6,
  /** Eight bytes that the receiver sends back in a PONG. */
  ping: 7,
  /** The eight bytes of a PING. */
  pong: 8,
  /** The sender takes no new streams: last stream id that it knows u32, code u8. */
  goaway: 9,
  /** A JSON message, UTF-8. control.ts lists them. */
  control: 10,
} as const;

/** Name of a frame type. */
export type FrameType = keyof typeof frameTypes;

/** Frame types from here on are ignored by receivers that do not know them. */
export const firstIgnoredType = 0x80;

/** Flag bits. */
export const frameFlags = {
  /** The sender's half of the stream ends with this frame. */
  end: 1,
} as const;

/** Payload bytes of the types whose payload has one fixed size. */
export const fixedPayloadBytes = {
  reset: 1,
  credit: 4,
  ping: 8,
  pong: 8,
  goaway: 5,
} as const;
