// What every part of one role shares: whom to tell, the wheel that turns its deadlines, who follows its
// operations, and the memory that bytes pass through.

import { Deadlines } from "./deadlines.ts";
import type { ResourceEvents, TunnelEvents } from "./events.ts";
import type { OperationScope } from "./operation.ts";
import { unfollowedOperations } from "./operation.ts";
import { Scope } from "./scope.ts";
import { TransferMemory } from "./transfer-memory.ts";

/** The shared ground of one role. Made once by assemble/, passed by reference, never changed. */
export interface Runtime {
  readonly events: TunnelEvents;
  /** `events` for streams, which come with every request. */
  readonly streams: ResourceEvents;
  /** The same for exchanges. */
  readonly exchanges: ResourceEvents;
  readonly deadlines: Deadlines;
  readonly operations: OperationScope;
  readonly memory: TransferMemory;
}

/** A runtime that reports to `events`, and whose asynchronous operations are followed by `operations`, if by anyone. */
export function createRuntime(events: TunnelEvents, operations: OperationScope = unfollowedOperations): Runtime {
  return {
    events,
    streams: events.ofKind?.("stream") ?? events,
    exchanges: events.ofKind?.("exchange") ?? events,
    deadlines: new Deadlines({ events }),
    operations,
    memory: new TransferMemory(),
  };
}

/** A scope whose failed releases are reported as faults of `where`. */
export function createScope(runtime: Runtime, where: string): Scope {
  return new Scope((error) => runtime.events.faulted(where, error));
}
