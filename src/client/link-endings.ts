// What the end of a session or the refusal of a name means for the client: which are final, under which error code, and
// in which words. Pure.

import { CaissonError } from "../lifecycle/errors.ts";
import type { SessionCloseReason } from "../mux/handlers.ts";
import type { Refused } from "../wire/control.ts";
import type { TunnelClaim } from "./client-tunnel.ts";

/** The error of an end after which a client does not come back; undefined for all others. */
export function endOf(reason: string, server: string): CaissonError | undefined {
  switch (reason) {
    case "replaced":
      return new CaissonError("E_REPLACED", `another client has taken the name over at ${server}`);
    case "closed_by_operator":
      return new CaissonError("E_CLOSED", `the operator of ${server} has closed the tunnel`);
    case "revoked":
      return new CaissonError("E_AUTH", `${server} has revoked the token, or it has expired`);
    case "not_allowed":
      return new CaissonError("E_AUTH", `the token may not use this name or port at ${server} any more`);
    default:
      return undefined;
  }
}

/** Why a session was lost, for people. */
export function lossText(reason: SessionCloseReason, server: string): string {
  switch (reason) {
    case "shutdown":
      return `${server} is shutting down`;
    case "overloaded":
      return `${server} is overloaded`;
    case "dead":
      return `${server} has gone silent`;
    case "handshake_timeout":
      return `${server} accepted the connection but did not answer in time`;
    case "violation":
      return `${server} and this client did not understand each other: their versions may not fit`;
    case "transport_closed":
    case "transport_error":
      return `the connection to ${server} was lost`;
    case "goodbye":
    case "replaced":
    case "superseded":
    case "closed_by_operator":
    case "revoked":
    case "ids_exhausted":
    case "drained":
      return `${server} ended the session (${reason})`;
    default:
      return reason satisfies never;
  }
}

/** Why a claim cannot be had, so that the client ends. */
export function refusalError(refused: Refused, claim: TunnelClaim, server: string): CaissonError {
  const message = `${server} refused ${wishOf(claim)}: ${printable(refused.message)}`;
  switch (refused.code) {
    case "name_taken":
    case "port_taken":
      return new CaissonError("E_NAME_TAKEN", message);
    case "name_invalid":
    case "name_reserved":
    case "port_invalid":
      return new CaissonError("E_USAGE", message);
    case "not_allowed":
      return new CaissonError("E_AUTH", message);
    case "tcp_off":
    case "tls_off":
    case "too_many":
    case "shutting_down":
      return new CaissonError("E_REFUSED", message);
    default:
      return refused.code satisfies never;
  }
}

function wishOf({ kind, name, port }: TunnelClaim): string {
  if (kind !== "tcp") return name === undefined ? "a tunnel" : `the name ${name}`;
  return `a TCP tunnel${name === undefined ? "" : ` named ${name}`}${port === undefined ? "" : ` on port ${port}`}`;
}

/** What a server wrote, without bytes that a terminal acts upon. */
function printable(text: string): string {
  return text.slice(0, 300).replace(/[^\x20-\x7e]+/g, " ");
}
