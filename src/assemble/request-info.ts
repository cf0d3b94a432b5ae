// What public events tell of a finished exchange.

import type { ExchangeOutcome, ExchangeView } from "../lifecycle/events.ts";

/** A finished request. */
export interface RequestInfo {
  readonly method: string;
  /** Path and query as the visitor sent them. */
  readonly path: string;
  /** The response status; 0 if there was none. */
  readonly status: number;
  readonly outcome: ExchangeOutcome;
  /** From the end of the request head to the end of the response, in milliseconds. */
  readonly ms: number;
  readonly tunnel: string;
  /** 32 lower-case hex digits, if OpenTelemetry has recorded it. */
  readonly traceId: string | undefined;
  /** Of this role's span: 16 lower-case hex digits. */
  readonly spanId: string | undefined;
}

/** Reads the facts off the exchange; to be called when it ends. */
export function requestInfo(exchange: ExchangeView, outcome: ExchangeOutcome): RequestInfo {
  const trace = exchange.trace?.sampled === true ? exchange.trace : undefined;
  return {
    method: exchange.method,
    path: exchange.target,
    status: exchange.status,
    outcome,
    ms: exchange.endedAtMs - exchange.openedAtMs,
    tunnel: exchange.tunnelName,
    traceId: trace?.traceId,
    spanId: trace?.spanId,
  };
}
