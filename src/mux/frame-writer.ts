// Turns what a stream has queued into frames: the one copy that outgoing bytes see. Heads leave whole, DATA in pieces
// as large as credit, the stream's turn and the message allow.

import { putHeader } from "../wire/encode.ts";
import { frameFlags, frameTypes } from "../wire/frame.ts";
import { headerBytes, maxFramePayload } from "../wire/limits.ts";
import { openPrefixBytes, putOpenPrefix } from "../wire/open-codec.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Stream } from "./stream.ts";

/** Whether the stream could send something now, were there room. */
export function sendable(stream: Stream): boolean {
  const out = stream._firstOut;
  if (!out) return false;
  return out.type !== frameTypes.data || stream._sendCredit > 0 || out.buffer.length === 0;
}

/** At most how many bytes the frames of all that the stream could send now take. */
export function sendableBytes(stream: Stream): number {
  const data = Math.min(stream._queuedData, stream._sendCredit);
  const frames = stream._queuedFrames + (data >>> 13);
  return stream._queuedOther + data + frames * headerBytes + (stream._id === 0 ? openPrefixBytes(stream.request) : 0);
}

/** Where {@link writeFrames} stands in the message that it fills. */
export interface Fill {
  readonly target: Buffer;
  /** The next free byte. */
  at: number;
  /** Data must not be written behind this offset; a whole head that begins before it may be. */
  readonly dataEnd: number;
  /** Asked when the OPEN of a stream is about to be written: the id that it takes. */
  readonly ids: { _takeId(stream: Stream): number };
}

/**
 * Writes frames of `stream` until it has written about `quantum` bytes, has nothing more that may leave, or the message
 * is full. Answers how many bytes it wrote.
 */
export function writeFrames(stream: Stream, fill: Fill, quantum: number): number {
  const start = fill.at;
  const turnEnd = start + quantum;
  for (let out = stream._firstOut; out && fill.at < turnEnd && fill.at < fill.dataEnd; out = stream._firstOut) {
    if (out.type === frameTypes.data) {
      if (!writeData(stream, out, fill, turnEnd)) break;
      if (out.sent < out.buffer.length) continue;
      stream.session._runtime.memory.giveBack(out.buffer);
    } else if (!writeWhole(stream, out, fill)) break;
    stream._firstOut = out.next;
    if (!out.next) stream._lastOut = undefined;
    stream._queuedFrames -= 1;
  }
  return fill.at - start;
}

/** Writes one DATA frame; false if not even one byte may leave. */
function writeData(stream: Stream, out: Outgoing, fill: Fill, turnEnd: number): boolean {
  const { target } = fill;
  const left = out.buffer.length - out.sent;
  const payloadAt = fill.at + headerBytes;
  let length = Math.min(left, stream._sendCredit, maxFramePayload, Math.min(turnEnd, fill.dataEnd) - payloadAt);
  // A turn that has begun sends at least one byte, for else small turns would never end.
  if (length <= 0) length = Math.min(left, stream._sendCredit, 1);
  if (payloadAt + length > target.length || (length === 0 && left > 0)) return false;
  const end = out.end && length === left;
  putHeader(target, fill.at, length, frameTypes.data, end ? frameFlags.end : 0, stream._id);
  if (length === out.buffer.length) target.set(out.buffer, payloadAt);
  else out.buffer.copy(target, payloadAt, out.sent, out.sent + length);
  out.sent += length;
  fill.at = payloadAt + length;
  stream._sendCredit -= length;
  stream._queuedData -= length;
  if (stream._sentData < bulkBytes) stream._sentData += length;
  if (end) stream._endLeft = true;
  return true;
}

/** Writes one frame that is never divided; false if the message has no room for it. */
function writeWhole(stream: Stream, out: Outgoing, fill: Fill): boolean {
  const { target } = fill;
  const { buffer } = out;
  const opening = out.type === frameTypes.open;
  const length = buffer.length + (opening ? openPrefixBytes(stream.request) : 0);
  if (fill.at + headerBytes + length > target.length) return false;
  if (opening) {
    stream._id = fill.ids._takeId(stream);
    stream._justOpened = true;
  }
  let at = putHeader(target, fill.at, length, out.type, out.end ? frameFlags.end : 0, stream._id);
  if (opening) at = putOpenPrefix(target, at, stream.request);
  target.set(buffer, at);
  fill.at = at + buffer.length;
  stream._queuedOther -= buffer.length;
  if (out.end) stream._endLeft = true;
  return true;
}

/** A stream that has sent so much is a bulk transfer: it waits its turn behind those that have only begun. */
export const bulkBytes: number = 64 * 1024;
