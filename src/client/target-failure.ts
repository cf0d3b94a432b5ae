// What a failed connection to a target is called: the RESET code for the server, the outcome for observers. Pure.

import { systemCodeOf } from "../lifecycle/errors.ts";
import type { PipeFailure } from "../lifecycle/events.ts";
import type { ResetReason } from "../wire/codes.ts";

/** Why no connection could be made. */
export function connectFailure(error: unknown): "target_refused" | "target_unreachable" {
  return systemCodeOf(error) === "ECONNREFUSED" ? "target_refused" : "target_unreachable";
}

/** How an exchange (or the opening of a pipe) ended that the client cut with this code. */
export function outcomeOfCut(reason: ResetReason): PipeFailure["outcome"] {
  switch (reason) {
    case "cancelled":
      return "visitor_abort";
    case "idle":
      return "target_timeout";
    default:
      return reason;
  }
}

/** How an exchange ended that the server cut, or whose session was lost. */
export function outcomeOfReset(reason: ResetReason | "session_lost"): PipeFailure["outcome"] {
  switch (reason) {
    case "session_lost":
      return "client_lost";
    case "overloaded":
    case "internal":
    case "bad_target_response":
      return reason;
    default:
      // Whatever else the server calls it, it gave up on behalf of its visitor.
      return "visitor_abort";
  }
}
