// The last sessions and tunnels that came and went, in words, for whoever opens the live page later. It keeps texts and
// numbers, never a resource, and always the same small number of them.

import type { Resource } from "../lifecycle/resource.ts";

/** One coming or going. */
export interface Arrival {
  /** Grows by one with each. */
  readonly number: number;
  /** Wall-clock time, in milliseconds since 1970. */
  readonly atMs: number;
  readonly kind: "session" | "tunnel";
  readonly change: "opened" | "closed";
  /** The tunnel's name, or the session's peer. */
  readonly name: string;
  /** Why it was closed; empty for openings. */
  readonly reason: string;
  /** How long it was open, in milliseconds; 0 for openings. */
  readonly openMs: number;
}

/** How many are kept. */
export const keptArrivals = 40;
const maxNameLength = 120;

/** Remembers the last {@link keptArrivals}. */
export class Arrivals {
  readonly #ring: Arrival[] = [];
  #count = 0;

  /** How many there were, ever. */
  get count(): number {
    return this.#count;
  }

  /** A resource was opened; anything but a session or a tunnel is ignored. */
  opened(resource: Resource): void {
    if (resource.kind === "session" || resource.kind === "tunnel") this.#add(resource, resource.kind);
  }

  /** A resource was closed. */
  closed(resource: Resource, reason: string): void {
    if (resource.kind === "session" || resource.kind === "tunnel") this.#add(resource, resource.kind, reason);
  }

  /** The last ones, the newest first. */
  latest(): Arrival[] {
    const start = this.#count % keptArrivals;
    return [...this.#ring.slice(start), ...this.#ring.slice(0, start)].toReversed();
  }

  #add(resource: Resource, kind: Arrival["kind"], reason?: string): void {
    this.#ring[this.#count % keptArrivals] = {
      number: this.#count,
      atMs: Date.now(),
      kind,
      change: reason === undefined ? "opened" : "closed",
      name: nameOf(resource),
      reason: reason ?? "",
      openMs: reason === undefined ? 0 : Math.max(0, performance.now() - resource.openedAtMs),
    };
    this.#count += 1;
  }
}

/** What tunnels and sessions are called: by their public name, and by their peer. */
function nameOf(resource: Resource): string {
  const name: unknown = "name" in resource ? resource.name : "peer" in resource ? resource.peer : undefined;
  return typeof name === "string" ? name.slice(0, maxNameLength) : "";
}
