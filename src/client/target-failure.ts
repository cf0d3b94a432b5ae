// What a failed connection to a target is called: the RESET code for the server, the outcome for observers. Pure.

import { systemCodeOf } from "../lifecycle/errors.ts";
import type { ExchangeOutcome } from "../lifecycle/events.ts";
import type { ResetReason } from "../wire/codes.ts";

/** Why no connection could be made. */
export function connectFailure(error: unknown): "target_refused" | "target_unreachable" {
  return systemCodeOf(error) === "ECONNREFUSED" ? "target_refused" : "target_unreachable";
}

/** How an exchange ended that the client cut with this code. */
export function outcomeOfCut(reason: ResetReason): ExchangeOutcome {
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
export function outcomeOfReset(reason: ResetReason | "session_lost"): ExchangeOutcome {
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
