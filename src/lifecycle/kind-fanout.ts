// Openings and closings of one kind, told to several subscribers. Apart from the fanout's own, because the compiler learns
// per function: here it meets the few classes that count streams and exchanges, there every class that listens at all.

import type { ResourceEvents, TunnelEvents } from "./events.ts";
import { noEvents } from "./events.ts";
import type { Hearer } from "./hearers.ts";
import { chainOf } from "./hearers.ts";
import type { Resource, ResourceKind } from "./resource.ts";

/** Who is told of what. */
export interface KindFanoutOptions {
  readonly kind: ResourceKind;
  /** Subscribers that hear of openings of this kind, in the order in which they are told. */
  readonly opened: readonly TunnelEvents[];
  /** The same of closings. */
  readonly closed: readonly TunnelEvents[];
  /** Hears what a subscriber threw; the others are still told. */
  readonly onThrow: (thrower: TunnelEvents, event: "opened" | "closed", error: unknown) => void;
}

/** Tells every hearer of a kind, each isolated from what the others throw. */
export class KindFanout implements ResourceEvents {
  readonly #opened: Hearer<ResourceEvents> | undefined;
  readonly #closed: Hearer<ResourceEvents> | undefined;
  readonly #onThrow: KindFanoutOptions["onThrow"];

  constructor({ kind, opened, closed, onThrow }: KindFanoutOptions) {
    // Asked once, for both.
    const all = new Map(
      [...opened, ...closed].map((subscriber) => [subscriber, subscriber.ofKind?.(kind) ?? subscriber]),
    );
    const hearing = (event: keyof ResourceEvents) => (subscriber: TunnelEvents) => {
      const events = all.get(subscriber);
      return events?.[event] === noEvents[event] ? undefined : events;
    };
    this.#opened = chainOf(opened, hearing("opened"));
    this.#closed = chainOf(closed, hearing("closed"));
    this.#onThrow = onThrow;
  }

  opened(resource: Resource): void {
    for (let hearer = this.#opened; hearer; hearer = hearer.next) {
      try {
        hearer.events.opened(resource);
      } catch (error) {
        this.#onThrow(hearer.subscriber, "opened", error);
      }
    }
  }

  closed(resource: Resource, reason: string): void {
    for (let hearer = this.#closed; hearer; hearer = hearer.next) {
      try {
        hearer.events.closed(resource, reason);
      } catch (error) {
        this.#onThrow(hearer.subscriber, "closed", error);
      }
    }
  }
}
