// Reads the frames of one message in place: no object and no view per frame. It promises that whatever reaches the sink
// has a known type, flags and a stream id that fit it, and a payload of a possible size; anything else is thrown as a violation.

import { firstIgnoredType, fixedPayloadBytes, frameFlags, frameTypes } from "./frame.ts";
import { headerBytes, maxControlBytes, maxFramePayload, maxStreamId } from "./limits.ts";
import { violation } from "./violation.ts";

/** Hears of each frame of a message, in order. */
export interface FrameSink {
  /**
   * One frame; its payload is `message` from `start` to `end`, valid during the call only. Types of
   * {@link firstIgnoredType} and above arrive too, unchecked, so that their bytes can be counted.
   */
  onFrame(type: number, flags: number, stream: number, message: Buffer, start: number, end: number): void;
}

const onSession = 1;
const onStream = 2;
const endAllowed = 4;
const endRequired = 8;

/** What each type below {@link firstIgnoredType} may look like; 0 for unknown types. */
const shapes = new Uint8Array(firstIgnoredType);
shapes[frameTypes.open] = onStream | endAllowed;
shapes[frameTypes.head] = onStream | endAllowed;
shapes[frameTypes.data] = onStream | endAllowed;
shapes[frameTypes.trailers] = onStream | endAllowed | endRequired;
shapes[frameTypes.reset] = onStream;
shapes[frameTypes.credit] = onStream;
shapes[frameTypes.ping] = onSession;
shapes[frameTypes.pong] = onSession;
shapes[frameTypes.goaway] = onSession;
shapes[frameTypes.control] = onSession;

/** Payload size per type: a fixed size, or -1 for any from 1 up, or -2 for any from 0 up. */
const sizes = new Int8Array(firstIgnoredType).fill(-1);
sizes[frameTypes.data] = -2;
sizes[frameTypes.reset] = fixedPayloadBytes.reset;
sizes[frameTypes.credit] = fixedPayloadBytes.credit;
sizes[frameTypes.ping] = fixedPayloadBytes.ping;
sizes[frameTypes.pong] = fixedPayloadBytes.pong;
sizes[frameTypes.goaway] = fixedPayloadBytes.goaway;

/**
 * Gives every frame of `message` to `sink`. Frames before a violation have been delivered when it is thrown
 * (E_PROTOCOL). The sink must ignore what follows once it has closed its session.
 */
export function decodeFrames(message: Buffer, sink: FrameSink): void {
  const total = message.length;
  if (total === 0) throw violation("empty_message");
  let at = 0;
  while (at < total) {
    const start = at + headerBytes;
    if (start > total) throw violation("frame_truncated");
    const length = (byteAt(message, at) << 16) | (byteAt(message, at + 1) << 8) | byteAt(message, at + 2);
    const type = byteAt(message, at + 3);
    const flags = byteAt(message, at + 4);
    const stream = readU32(message, at + 5);
    if (length > maxFramePayload) throw violation("frame_too_large");
    const end = start + length;
    if (end > total) throw violation("frame_truncated");
    if (type < firstIgnoredType) checkShape(type, flags, stream, length);
    sink.onFrame(type, flags, stream, message, start, end);
    at = end;
  }
}

/** The big-endian number in four bytes of a payload whose size was checked. */
export function readU32(message: Buffer, at: number): number {
  return (
    ((byteAt(message, at) << 24) |
      (byteAt(message, at + 1) << 16) |
      (byteAt(message, at + 2) << 8) |
      byteAt(message, at + 3)) >>>
    0
  );
}

/** One byte of a payload whose size was checked. */
export function byteAt(message: Buffer, at: number): number {
  return message[at] ?? 0;
}

function checkShape(type: number, flags: number, stream: number, length: number): void {
  const shape = shapes[type] ?? 0;
  if (shape === 0) throw violation("frame_type");
  if ((shape & onStream) !== 0) {
    if (stream === 0 || stream > maxStreamId) throw violation("frame_stream");
  } else if (stream !== 0) throw violation("frame_stream");
  if (flags > frameFlags.end) throw violation("frame_flags");
  if (flags === frameFlags.end) {
    if ((shape & endAllowed) === 0) throw violation("frame_flags");
  } else if ((shape & endRequired) !== 0) throw violation("frame_flags");
  const size = sizes[type] ?? 0;
  if (size >= 0) {
    if (length !== size) throw violation("frame_length");
  } else if (length === 0) {
    // Empty DATA is only good for its END: without one it would cost work and need no credit.
    if (size === -1 || flags !== frameFlags.end) throw violation("frame_length");
  } else if (type === frameTypes.control && length > maxControlBytes) throw violation("frame_too_large");
}
