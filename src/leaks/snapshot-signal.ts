// SIGUSR2: a snapshot of this process, under the same guards as any other. The listener belongs to the given scope.

import { listen } from "../lifecycle/listener.ts";
import type { ListenOptions } from "../lifecycle/listener.ts";
import type { SnapshotStore } from "./snapshots.ts";

/**
 * Takes a snapshot on each SIGUSR2 until the scope closes: by heapdump where it is installed, else by V8 itself.
 * The store tells how each ended. Answers false where the system has no such signal.
 */
export function takeOnSignal(store: SnapshotStore, options: ListenOptions): boolean {
  if (process.platform === "win32") return false;
  const onSignal = (): void => {
    const engine = store.engineProblem("heapdump") === undefined ? "heapdump" : "v8";
    void store.take({ engine, trigger: "signal" });
  };
  listen(process, "SIGUSR2", onSignal, options);
  return true;
}
