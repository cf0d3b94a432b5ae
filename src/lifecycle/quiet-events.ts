// A subscriber that hears everything and does nothing: the base of observers that care for a few events only.

import type {
  Direction,
  ExchangeOutcome,
  ExchangeView,
  PipeOpening,
  RefusalReason,
  RefusedRequest,
  SessionView,
  Side,
  TraceContext,
  TunnelEvents,
} from "./events.ts";
import type { Resource } from "./resource.ts";

/** Extend it and override what matters. */
export class QuietEvents implements TunnelEvents {
  opened(_resource: Resource): void {}
  closed(_resource: Resource, _reason: string): void {}
  bytes(_direction: Direction, _count: number): void {}
  exchangeStarted(_exchange: ExchangeView): TraceContext | undefined {
    return undefined;
  }
  exchangeEnded(_exchange: ExchangeView, _outcome: ExchangeOutcome): void {}
  pipeOpening(_opening: PipeOpening): TraceContext | undefined {
    return undefined;
  }
  requestRefused(_request: RefusedRequest): void {}
  sessionConnected(_result: string, _session: SessionView | undefined): void {}
  heartbeat(_session: SessionView, _rttMs: number): void {}
  paused(_side: Side): void {}
  refused(_reason: RefusalReason): void {}
  badRequest(_reason: string): void {}
  violated(_session: SessionView, _reason: string): void {}
  faulted(_where: string, _error: unknown): void {}
}
