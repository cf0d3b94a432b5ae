// Listeners on emitters that live longer than whoever listens: the leak that most servers share.
// Each is a resource of its own, counted, and removed by the scope that owns it.

import type { EventEmitter } from "node:events";
import type { TunnelEvents } from "./events.ts";
import type { Resource } from "./resource.ts";
import type { Scope } from "./scope.ts";

/** One listener on a longer-lived emitter or AbortSignal. */
export class Listener implements Resource {
  readonly kind = "listener";
  readonly openedAtMs: number = performance.now();
}

/** Where a listener goes and who owns it. */
export interface ListenOptions {
  readonly scope: Scope;
  readonly events: TunnelEvents;
}

/** Adds `listener` to `emitter` until the scope closes. */
export function listen(
  emitter: EventEmitter,
  event: string | symbol,
  listener: Parameters<EventEmitter["on"]>[1],
  options: ListenOptions,
): void {
  const resource = new Listener();
  emitter.on(event, listener);
  options.events.opened(resource);
  options.scope.own(resource, (_, reason) => {
    emitter.off(event, listener);
    options.events.closed(resource, reason);
  });
}

/** Calls `onAbort` when `signal` aborts, or at once if it has; removed when the scope closes. */
export function listenForAbort(signal: AbortSignal, onAbort: () => void, options: ListenOptions): void {
  if (signal.aborted) {
    onAbort();
    return;
  }
  const resource = new Listener();
  signal.addEventListener("abort", onAbort, { once: true });
  options.events.opened(resource);
  options.scope.own(resource, (_, reason) => {
    signal.removeEventListener("abort", onAbort);
    options.events.closed(resource, reason);
  });
}

/** How many listeners an emitter has, for all of its events. */
export function listenersOf(emitter: EventEmitter): number {
  return emitter.eventNames().reduce((sum, event) => sum + emitter.listenerCount(event), 0);
}

/** Hears an error whose close says all that matters: one that nobody hears ends the process. */
export function ignoreError(): void {}
