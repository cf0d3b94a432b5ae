// How a peer can break the protocol, as a closed set of words: the label of a metric, and the close reason on the wire.
// A violation is thrown where it is found and ends the session; it is never answered in any other way.

import { CaissonError } from "../lifecycle/errors.ts";
import { goAwayCodes } from "./codes.ts";

/** Every violation, with what it means for people. */
export const violationReasons = {
  empty_message: "a message without a frame",
  text_message: "a text message",
  message_too_large: "a message above 128 KiB",
  fragments: "a message in more than 16 fragments",
  websocket: "broken WebSocket framing",
  frame_truncated: "a frame that its message does not hold whole",
  frame_too_large: "a frame payload above 64 KiB, or a CONTROL above 16 KiB",
  frame_type: "an unknown frame type below 0x80",
  frame_flags: "a flag that the frame type does not have, or one missing that it must have",
  frame_stream: "a stream id where none belongs, or none where one does",
  frame_length: "a payload of a size that the frame type cannot have",
  frame_direction: "a frame type that only the other role, or another kind of stream, may send",
  hello_expected: "another frame before hello",
  hello_repeated: "a second hello",
  protocol_version: "a hello for another protocol",
  bad_control: "a CONTROL payload that is not what its type says",
  bad_open: "an OPEN payload that makes no sense",
  stream_id: "an OPEN whose id is not above all earlier ones",
  stream_unknown: "a frame for a stream that was never opened",
  too_many_streams: "an OPEN above the agreed number of streams",
  data_before_head: "DATA or TRAILERS of a response before its HEAD",
  too_many_heads: "more HEAD frames or bytes than one stream may have",
  frame_after_end: "a frame of a half that had ended",
  window_exceeded: "DATA above the granted credit",
  credit_zero: "a CREDIT of nothing",
  credit_overflow: "a CREDIT that lifts the window above 2^31 - 1",
  pong_unasked: "a PONG for a PING that was never sent",
  ping_flood: "too many PINGs",
  control_flood: "too many CONTROL bytes",
  dead_bytes: "too many bytes for streams that are gone",
  reset_unanswered: "a RESET that was not answered in time",
  not_reading: "16 MiB of control frames that were not read",
} as const;

/** One of {@link violationReasons}. */
export type ViolationReason = keyof typeof violationReasons;

/** The error to throw for a violation: `code` is E_PROTOCOL and `message` is the reason's word, nothing else. */
export function violation(reason: ViolationReason, cause?: unknown): CaissonError {
  return new CaissonError("E_PROTOCOL", reason, { cause, wireCode: goAwayCodes.violation });
}

/** The reason if `error` was made by {@link violation}, else undefined. */
export function violationReasonOf(error: unknown): ViolationReason | undefined {
  if (!(error instanceof CaissonError) || error.code !== "E_PROTOCOL") return undefined;
  return isViolationReason(error.message) ? error.message : undefined;
}

function isViolationReason(word: string): word is ViolationReason {
  return Object.hasOwn(violationReasons, word);
}

/** The WebSocket close code that goes with a violation: 1009 for size, 1008 for everything else. */
export function closeCodeOf(reason: ViolationReason): number {
  return reason === "message_too_large" ? 1009 : 1008;
}
