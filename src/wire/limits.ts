// The sizes and counts of caisson.v1 that both peers rely on. They are part of the protocol, not options:
// docs/protocol.md lists them, and a test compares the two.

/** The WebSocket subprotocol and the `protocol` of a hello. */
export const protocolName = "caisson.v1";

/** Bytes of a frame header. */
export const headerBytes = 9;

/** The largest payload of one frame, in bytes. */
export const maxFramePayload: number = 64 * 1024;

/** The largest WebSocket message, in bytes: any number of whole frames. */
export const maxMessageBytes: number = 128 * 1024;

/** The most WebSocket fragments that one message may come in. */
export const maxMessageFragments = 16;

/** What each stream may send in each direction before the first CREDIT, in bytes. */
export const initialWindowBytes: number = 64 * 1024;

/** The most credit that one stream may ever hold, in bytes. */
export const maxCredit: number = 2 ** 31 - 1;

/** The highest stream id. */
export const maxStreamId: number = 2 ** 31 - 1;

/** The most HEAD frames of one stream: 16 informational ones and the final one. */
export const maxHeads = 17;

/** The most payload bytes of all HEAD and TRAILERS frames of one stream together: they need no credit. */
export const maxHeadBytes: number = 128 * 1024;

/** The largest payload of a CONTROL frame, in bytes. */
export const maxControlBytes: number = 16 * 1024;

/** The largest pause that a notice may announce, in milliseconds. */
export const maxNoticeMs = 300_000;
