// Several subscribers as one. Built once, when a role is assembled. A subscriber that throws is isolated: the others
// still hear the event, the core goes on, and `faulted` tells the remaining subscribers of it.

import type {
  Direction,
  ExchangeOutcome,
  ExchangeView,
  RefusalReason,
  SessionView,
  Side,
  TraceContext,
  TunnelEvents,
} from "./events.ts";
import { noEvents } from "./events.ts";
import type { Resource } from "./resource.ts";

/**
 * Calls every subscriber in the given order. The first one that answers `exchangeStarted` gives the trace. With no
 * subscriber it is {@link noEvents}; even a single one is wrapped, because it may throw.
 */
export function fanout(...subscribers: readonly TunnelEvents[]): TunnelEvents {
  return subscribers.length === 0 ? noEvents : new Fanout(subscribers);
}

class Fanout implements TunnelEvents {
  readonly #subscribers: readonly TunnelEvents[];

  constructor(subscribers: readonly TunnelEvents[]) {
    this.#subscribers = subscribers;
  }

  opened(resource: Resource): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber.opened(resource);
      } catch (error) {
        this.#isolate(subscriber, "opened", error);
      }
    }
  }

  closed(resource: Resource, reason: string): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber.closed(resource, reason);
      } catch (error) {
        this.#isolate(subscriber, "closed", error);
      }
    }
  }

  bytes(direction: Direction, count: number): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber.bytes(direction, count);
      } catch (error) {
        this.#isolate(subscriber, "bytes", error);
      }
    }
  }

  exchangeStarted(exchange: ExchangeView): TraceContext | undefined {
    let trace: TraceContext | undefined;
    for (const subscriber of this.#subscribers) {
      try {
        const answer = subscriber.exchangeStarted(exchange);
        trace ??= answer;
      } catch (error) {
        this.#isolate(subscriber, "exchangeStarted", error);
      }
    }
    return trace;
  }

  exchangeEnded(exchange: ExchangeView, outcome: ExchangeOutcome): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber.exchangeEnded(exchange, outcome);
      } catch (error) {
        this.#isolate(subscriber, "exchangeEnded", error);
      }
    }
  }

  sessionConnected(result: string, session: SessionView | undefined): void {
    this.#each("sessionConnected", (subscriber) => subscriber.sessionConnected(result, session));
  }

  heartbeat(session: SessionView, rttMs: number): void {
    this.#each("heartbeat", (subscriber) => subscriber.heartbeat(session, rttMs));
  }

  paused(side: Side): void {
    this.#each("paused", (subscriber) => subscriber.paused(side));
  }

  refused(reason: RefusalReason): void {
    this.#each("refused", (subscriber) => subscriber.refused(reason));
  }

  badRequest(reason: string): void {
    this.#each("badRequest", (subscriber) => subscriber.badRequest(reason));
  }

  violated(session: SessionView, reason: string): void {
    this.#each("violated", (subscriber) => subscriber.violated(session, reason));
  }

  faulted(where: string, error: unknown): void {
    for (const subscriber of this.#subscribers) tell(subscriber, where, error);
  }

  /** For events that are rare enough to pay for a closure. */
  #each(event: string, call: (subscriber: TunnelEvents) => void): void {
    for (const subscriber of this.#subscribers) {
      try {
        call(subscriber);
      } catch (error) {
        this.#isolate(subscriber, event, error);
      }
    }
  }

  #isolate(thrower: TunnelEvents, event: string, error: unknown): void {
    for (const subscriber of this.#subscribers) {
      if (subscriber !== thrower) tell(subscriber, `subscriber.${event}`, error);
    }
  }
}

function tell(subscriber: TunnelEvents, where: string, error: unknown): void {
  try {
    subscriber.faulted(where, error);
  } catch {
    // A subscriber that throws while it is told of a fault has nobody left to be reported to.
  }
}
