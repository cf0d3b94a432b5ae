// SIGUSR2: a snapshot of this process, under the same guards as any other. The listener belongs to the given scope.

import { listen } from "../lifecycle/listener.ts";
import type { ListenOptions } from "../lifecycle/listener.ts";
import type { SnapshotResult } from "./snapshot-entry.ts";
import type { SnapshotStore } from "./snapshots.ts";

/** Options of {@link takeOnSignal}. */
export interface SignalOptions extends ListenOptions {
  /** Hears how each snapshot ended, for the log. */
  readonly onResult: (result: SnapshotResult) => void;
}

/**
 * Takes a snapshot on each SIGUSR2 until the scope closes: by heapdump where it is installed, else by V8 itself.
 * Answers false where the system has no such signal.
 */
export function takeOnSignal(store: SnapshotStore, options: SignalOptions): boolean {
  if (process.platform === "win32") return false;
  const onSignal = (): void => {
    const engine = store.engineProblem("heapdump") === undefined ? "heapdump" : "v8";
    void store.take({ engine, trigger: "signal" }).then(options.onResult);
  };
  listen(process, "SIGUSR2", onSignal, { scope: options.scope, events: options.events });
  return true;
}
