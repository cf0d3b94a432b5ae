// The observers of an observed role as one subscriber, which passes each event to those that want it and no further: per
// exchange this is called a dozen times, and a fanout over all would cost twice as much as the observers themselves.

import type { Ledger } from "../leaks/ledger.ts";
import type { CollectionWatcher } from "../leaks/watcher.ts";
import type {
  Direction,
  ExchangeOutcome,
  ExchangeView,
  RefusalReason,
  ResourceEvents,
  SessionView,
  Side,
} from "../lifecycle/events.ts";
import { QuietEvents } from "../lifecycle/quiet-events.ts";
import type { Resource, ResourceKind } from "../lifecycle/resource.ts";
import { isStanding } from "../lifecycle/resource.ts";
import type { Arrivals } from "../observe/arrivals.ts";
import type { Metrics } from "../observe/metrics.ts";
import { KindObservers } from "./kind-observers.ts";

/** What is told. */
export interface RoleObserversOptions {
  readonly ledger: Ledger;
  readonly watcher: CollectionWatcher;
  readonly metrics: Metrics;
  readonly arrivals: Arrivals;
}

/** Tells the ledger, the watcher and the arrivals of resources, and the metrics of everything else. */
export class RoleObservers extends QuietEvents {
  readonly #ledger: Ledger;
  readonly #watcher: CollectionWatcher;
  readonly #metrics: Metrics;
  readonly #arrivals: Arrivals;

  constructor({ ledger, watcher, metrics, arrivals }: RoleObserversOptions) {
    super();
    this.#ledger = ledger;
    this.#watcher = watcher;
    this.#metrics = metrics;
    this.#arrivals = arrivals;
  }

  ofKind(kind: ResourceKind): ResourceEvents {
    return isStanding(kind) ? this : new KindObservers(this.#ledger.accounts[kind], this.#watcher.ofKind(kind));
  }

  override opened(resource: Resource): void {
    this.#ledger.opened(resource);
    this.#watcher.opened(resource);
    if (isStanding(resource.kind)) this.#arrivals.opened(resource);
  }

  override closed(resource: Resource, reason: string): void {
    this.#ledger.closed(resource, reason);
    this.#watcher.closed(resource);
    if (!isStanding(resource.kind)) return;
    this.#metrics.closed(resource, reason);
    this.#arrivals.closed(resource, reason);
  }

  override bytes(direction: Direction, count: number): void {
    this.#metrics.bytes(direction, count);
  }

  override exchangeEnded(exchange: ExchangeView, outcome: ExchangeOutcome): void {
    this.#metrics.exchangeEnded(exchange, outcome);
  }

  override sessionConnected(result: string): void {
    this.#metrics.sessionConnected(result);
  }

  override heartbeat(session: SessionView, rttMs: number): void {
    this.#metrics.heartbeat(session, rttMs);
  }

  override paused(side: Side): void {
    this.#metrics.paused(side);
  }

  override refused(reason: RefusalReason): void {
    this.#metrics.refused(reason);
  }

  override badRequest(reason: string): void {
    this.#metrics.badRequest(reason);
  }

  override violated(session: SessionView, reason: string): void {
    this.#metrics.violated(session, reason);
  }

  override faulted(where: string): void {
    this.#metrics.faulted(where);
  }
}
