// Tells observers of a request that the server answers by itself, before there is an exchange: why, and what it was told.

import type { GatewayError, RefusedHead, TunnelEvents } from "../lifecycle/events.ts";
import type { VisitorOrigin } from "./forwarding.ts";

/** What is told. */
export interface Refusal {
  readonly answer: { readonly status: number; readonly error: GatewayError | undefined };
  /** From a closed set of words. */
  readonly reason: string;
  readonly origin: VisitorOrigin;
  /** If it is a request that could be read. */
  readonly head?: RefusedHead;
}

/** Counts the refusal, and tells of the request once. */
export function reportRefusal(events: TunnelEvents, { answer, reason, origin, head }: Refusal): void {
  const { status, error } = answer;
  if (error === "bad_request") events.badRequest(reason);
  else events.refused(reason);
  const { address: visitorAddress, scheme, trusted } = origin;
  events.requestRefused({ status, error, reason, visitorAddress, secure: scheme === "https", trusted, head });
}
