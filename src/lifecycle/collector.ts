// Finds V8's own function for collecting garbage, without a start flag. Keeps nothing itself.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * V8's `gc` function, which takes `{ type: "minor" | "major", execution: "sync" | "async" }`; undefined where there is
 * none. Keep it: unless Node was started with `--expose-gc`, each is made with a context of its own, of about 200 KB.
 */
export function exposedCollector(): CallableFunction | undefined {
  if (globalThis.gc) return globalThis.gc;
  setFlagsFromString("--expose-gc");
  // Only contexts that are made while the flag is set have the function; the flag is not left behind.
  const found: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
  setFlagsFromString("--no-expose-gc");
  return typeof found === "function" ? found : undefined;
}
