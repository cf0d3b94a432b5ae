// Loads the observers only where somebody wants them: they are most of the code, and a client starts without them.

import type { TunnelEvents } from "../lifecycle/events.ts";
import type { MuxLimits } from "../mux/limits.ts";
import { defaultMuxLimits } from "../mux/limits.ts";
import type { Tracing } from "../observe/tracing.ts";
import type { AdminOptions } from "./admin-options.ts";
import type { Observatory } from "./observatory.ts";
import type { TracingChoice } from "./tracing-options.ts";

/** What a role's options say about being observed. */
export interface ObserveOptions {
  readonly admin?: string | AdminOptions;
  readonly limits?: Partial<MuxLimits>;
  readonly tracing?: boolean | TracingChoice;
}

/** The observers of a role that is to be observed; undefined if it is not. */
export async function observe(
  { admin, limits, tracing }: ObserveOptions,
  spans: Tracing | undefined,
): Promise<Observatory | undefined> {
  if (admin === undefined) return undefined;
  const loaded = await import("./observatory.ts");
  const closeTimeoutMs = limits?.closeTimeoutMs ?? defaultMuxLimits.closeTimeoutMs;
  return new loaded.Observatory({
    admin: typeof admin === "string" ? { listen: admin } : admin,
    closeTimeoutMs,
    spans,
    spanExports: typeof tracing === "object" ? tracing.exports : undefined,
  });
}

/** What watches a role; each may be absent. */
export interface Observers {
  readonly observatory: Observatory | undefined;
  readonly tracing: Tracing | undefined;
}

/** Those of them that hear the role's events. */
export function subscribersOf({ observatory, tracing }: Observers): readonly TunnelEvents[] {
  return [...(tracing ? [tracing] : []), ...(observatory?.subscribers ?? [])];
}

/** Makes the role around its observers; if that fails, they are let go of. Throws what `make` throws. */
export async function orLetGo<Role>(observatory: Observatory | undefined, make: () => Role): Promise<Role> {
  try {
    return make();
  } catch (error) {
    await observatory?.close();
    throw error;
  }
}
