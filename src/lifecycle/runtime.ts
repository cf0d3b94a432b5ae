// What every part of one role shares: whom to tell, and the wheel that turns its deadlines.

import { Deadlines } from "./deadlines.ts";
import type { TunnelEvents } from "./events.ts";
import { Scope } from "./scope.ts";

/** The shared ground of one role. Made once by assemble/, passed by reference, never changed. */
export interface Runtime {
  readonly events: TunnelEvents;
  readonly deadlines: Deadlines;
}

/** A runtime that reports to `events`. */
export function createRuntime(events: TunnelEvents): Runtime {
  return { events, deadlines: new Deadlines({ events }) };
}

/** A scope whose failed releases are reported as faults of `where`. */
export function createScope(runtime: Runtime, where: string): Scope {
  return new Scope((error) => runtime.events.faulted(where, error));
}
