// Asks V8 for a major collection without a start flag. Owns nothing and keeps nothing between calls.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { CaissonError } from "../lifecycle/errors.ts";

/**
 * Collects all garbage from an empty stack, so that nothing is kept by a frame that happens to run. Resolves after the
 * finalisation callbacks were given a turn of the event loop. Rejects with E_INTERNAL where V8 has no such function.
 */
export async function forceMajorGc(): Promise<void> {
  const done: unknown = Reflect.apply(collector(), undefined, [{ type: "major", execution: "async" }]);
  await done;
  // One turn for the callbacks, one for the entries that performance observers get.
  await nextTurn();
  await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function collector(): CallableFunction {
  if (globalThis.gc) return globalThis.gc;
  setFlagsFromString("--expose-gc");
  // Only contexts that are made while the flag is set have the function; the flag is not left behind.
  const found: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  if (typeof found !== "function") throw new CaissonError("E_INTERNAL", "this Node cannot force a garbage collection");
  return found;
}
