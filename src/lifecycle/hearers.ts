// Who is told of an event, in their order. A chain and no array: what comes with every request is told by walking it, and
// an iterator that may throw on its way costs more than most of those who listen.

import type { ResourceEvents, TunnelEvents } from "./events.ts";

/** One who is told, and those after it. */
export interface Hearer<Events extends ResourceEvents = TunnelEvents> {
  readonly events: Events;
  /** Whose events these are: itself, or who hears in its stead. */
  readonly subscriber: TunnelEvents;
  readonly next: Hearer<Events> | undefined;
}

/** Chains all for whom `eventsOf` answers anything, in the given order; undefined if there is none. */
export function chainOf<Events extends ResourceEvents>(
  subscribers: readonly TunnelEvents[],
  eventsOf: (subscriber: TunnelEvents) => Events | undefined,
): Hearer<Events> | undefined {
  let chain: Hearer<Events> | undefined;
  for (const subscriber of subscribers.toReversed()) {
    const events = eventsOf(subscriber);
    if (events) chain = { events, subscriber, next: chain };
  }
  return chain;
}
