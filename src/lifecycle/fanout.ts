// Several subscribers as one. Built once, when a role is assembled. A subscriber that throws is isolated: the others
// still hear the event, the core goes on, and `faulted` tells the remaining subscribers of it. What comes with every
// exchange is passed on only to those that do something with it.

import type {
  Direction,
  ExchangeOutcome,
  ExchangeView,
  PipeOpening,
  RefusalReason,
  RefusedRequest,
  ResourceEvents,
  SessionView,
  Side,
  TraceContext,
  TunnelEvents,
} from "./events.ts";
import { noEvents } from "./events.ts";
import type { Hearer } from "./hearers.ts";
import { chainOf } from "./hearers.ts";
import { KindFanout } from "./kind-fanout.ts";
import { QuietEvents } from "./quiet-events.ts";
import type { Resource, ResourceKind } from "./resource.ts";
import { isStanding } from "./resource.ts";

/**
 * Calls every subscriber in the given order. The first one that answers `exchangeStarted` gives the trace. With no
 * subscriber it is {@link noEvents}; even a single one is wrapped, because it may throw.
 */
export function fanout(...subscribers: readonly TunnelEvents[]): TunnelEvents {
  return subscribers.length === 0 ? noEvents : new Fanout(subscribers);
}

type HotEvent = "opened" | "closed" | "bytes" | "exchangeStarted" | "exchangeEnded";

class Fanout implements TunnelEvents {
  readonly #subscribers: readonly TunnelEvents[];
  // Asked for once: an empty method costs as much to call as one that counts.
  readonly #opened: Hearers;
  readonly #closed: Hearers;
  readonly #bytes: Hearer | undefined;
  readonly #exchangeStarted: Hearer | undefined;
  readonly #exchangeEnded: Hearer | undefined;

  constructor(subscribers: readonly TunnelEvents[]) {
    const hearers = (event: HotEvent): readonly TunnelEvents[] =>
      subscribers.filter((subscriber) => hears(subscriber, event));
    this.#subscribers = subscribers;
    this.#opened = byStanding(hearers("opened"));
    this.#closed = byStanding(hearers("closed"));
    this.#bytes = chainOf(hearers("bytes"), itself);
    this.#exchangeStarted = chainOf(hearers("exchangeStarted"), itself);
    this.#exchangeEnded = chainOf(hearers("exchangeEnded"), itself);
  }

  opened(resource: Resource): void {
    for (const subscriber of isStanding(resource.kind) ? this.#opened.all : this.#opened.ofEverything) {
      try {
        subscriber.opened(resource);
      } catch (error) {
        this.#isolate(subscriber, "opened", error);
      }
    }
  }

  closed(resource: Resource, reason: string): void {
    for (const subscriber of isStanding(resource.kind) ? this.#closed.all : this.#closed.ofEverything) {
      try {
        subscriber.closed(resource, reason);
      } catch (error) {
        this.#isolate(subscriber, "closed", error);
      }
    }
  }

  ofKind(kind: ResourceKind): ResourceEvents {
    const hearersOf = ({ all, ofEverything }: Hearers): readonly TunnelEvents[] =>
      isStanding(kind) ? all : ofEverything;
    return new KindFanout({
      kind,
      opened: hearersOf(this.#opened),
      closed: hearersOf(this.#closed),
      onThrow: (thrower, event, error) => this.#isolate(thrower, event, error),
    });
  }

  bytes(direction: Direction, count: number): void {
    for (let hearer = this.#bytes; hearer; hearer = hearer.next) {
      try {
        hearer.events.bytes(direction, count);
      } catch (error) {
        this.#isolate(hearer.subscriber, "bytes", error);
      }
    }
  }

  exchangeStarted(exchange: ExchangeView): TraceContext | undefined {
    let trace: TraceContext | undefined;
    for (let hearer = this.#exchangeStarted; hearer; hearer = hearer.next) {
      try {
        const answer = hearer.events.exchangeStarted(exchange);
        trace ??= answer;
      } catch (error) {
        this.#isolate(hearer.subscriber, "exchangeStarted", error);
      }
    }
    return trace;
  }

  exchangeEnded(exchange: ExchangeView, outcome: ExchangeOutcome): void {
    for (let hearer = this.#exchangeEnded; hearer; hearer = hearer.next) {
      try {
        hearer.events.exchangeEnded(exchange, outcome);
      } catch (error) {
        this.#isolate(hearer.subscriber, "exchangeEnded", error);
      }
    }
  }

  pipeOpening(opening: PipeOpening): TraceContext | undefined {
    let trace: TraceContext | undefined;
    this.#each("pipeOpening", (subscriber) => {
      const answer = subscriber.pipeOpening(opening);
      trace ??= answer;
    });
    return trace;
  }

  requestRefused(request: RefusedRequest): void {
    this.#each("requestRefused", (subscriber) => subscriber.requestRefused(request));
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

/** Who hears of openings or closings. */
interface Hearers {
  readonly all: readonly TunnelEvents[];
  /** Those that want to hear not only of what is rare. */
  readonly ofEverything: readonly TunnelEvents[];
}

function byStanding(all: readonly TunnelEvents[]): Hearers {
  return { all, ofEverything: all.filter(({ hearsStandingOnly }) => hearsStandingOnly !== true) };
}

/** Whether a subscriber's method is its own, and not one of those that do nothing. */
function hears(subscriber: TunnelEvents, event: HotEvent): boolean {
  return subscriber[event] !== noEvents[event] && subscriber[event] !== QuietEvents.prototype[event];
}

function itself(subscriber: TunnelEvents): TunnelEvents {
  return subscriber;
}

function tell(subscriber: TunnelEvents, where: string, error: unknown): void {
  try {
    subscriber.faulted(where, error);
  } catch {
    // A subscriber that throws while it is told of a fault has nobody left to be reported to.
  }
}
