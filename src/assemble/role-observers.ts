// The observers of an observed role as one subscriber, which passes each event to those that want it and no further: per
// exchange this is called a dozen times, and a fanout over all would cost twice as much as the observers themselves.

import type { Ledger } from "../leaks/ledger.ts";
import type { CollectionWatcher } from "../leaks/watcher.ts";
import type {
  Direction,
  ExchangeOutcome,
  ExchangeView,
  RefusalReason,
  SessionView,
  Side,
  TraceContext,
  TunnelEvents,
} from "../lifecycle/events.ts";
import type { Resource } from "../lifecycle/resource.ts";
import { isStanding } from "../lifecycle/resource.ts";
import type { Arrivals } from "../observe/arrivals.ts";
import type { Metrics } from "../observe/metrics.ts";

/** What is told. */
export interface RoleObserversOptions {
  readonly ledger: Ledger;
  readonly watcher: CollectionWatcher;
  readonly metrics: Metrics;
  readonly arrivals: Arrivals;
}

/** Tells the ledger, the watcher and the arrivals of resources, and the metrics of everything else. */
export class RoleObservers implements TunnelEvents {
  readonly #ledger: Ledger;
  readonly #watcher: CollectionWatcher;
  readonly #metrics: Metrics;
  readonly #arrivals: Arrivals;

  constructor({ ledger, watcher, metrics, arrivals }: RoleObserversOptions) {
    this.#ledger = ledger;
    this.#watcher = watcher;
    this.#metrics = metrics;
    this.#arrivals = arrivals;
  }

  opened(resource: Resource): void {
    // Read once: resources are of many shapes, so every read of a field is a search.
    const { kind } = resource;
    this.#ledger.countOpened(kind, resource.openedAtMs);
    this.#watcher.watch(kind, resource);
    if (isStanding(kind)) this.#arrivals.opened(resource);
  }

  closed(resource: Resource, reason: string): void {
    const { kind } = resource;
    this.#ledger.countClosed(kind, resource.openedAtMs, reason);
    this.#watcher.expectCollection(kind, resource);
    if (!isStanding(kind)) return;
    this.#metrics.closed(resource, reason);
    this.#arrivals.closed(resource, reason);
  }

  bytes(direction: Direction, count: number): void {
    this.#metrics.bytes(direction, count);
  }

  exchangeStarted(): TraceContext | undefined {
    return undefined;
  }

  exchangeEnded(exchange: ExchangeView, outcome: ExchangeOutcome): void {
    this.#metrics.exchangeEnded(exchange, outcome);
  }

  sessionConnected(result: string): void {
    this.#metrics.sessionConnected(result);
  }

  heartbeat(session: SessionView, rttMs: number): void {
    this.#metrics.heartbeat(session, rttMs);
  }

  paused(side: Side): void {
    this.#metrics.paused(side);
  }

  refused(reason: RefusalReason): void {
    this.#metrics.refused(reason);
  }

  badRequest(reason: string): void {
    this.#metrics.badRequest(reason);
  }

  violated(session: SessionView, reason: string): void {
    this.#metrics.violated(session, reason);
  }

  faulted(where: string): void {
    this.#metrics.faulted(where);
  }
}
