// Loads the observers only where somebody wants them: they are most of the code, and a client starts without them.

import type { MuxLimits } from "../mux/limits.ts";
import { defaultMuxLimits } from "../mux/limits.ts";
import type { AdminOptions } from "./admin-options.ts";
import type { Observatory } from "./observatory.ts";

/** What a role's options say about being observed. */
export interface ObserveOptions {
  readonly admin?: string | AdminOptions;
  readonly limits?: Partial<MuxLimits>;
}

/** The observers of a role that is to be observed; undefined if it is not. */
export async function observe({ admin, limits }: ObserveOptions): Promise<Observatory | undefined> {
  if (admin === undefined) return undefined;
  const loaded = await import("./observatory.ts");
  const closeTimeoutMs = limits?.closeTimeoutMs ?? defaultMuxLimits.closeTimeoutMs;
  return new loaded.Observatory({ admin: typeof admin === "string" ? { listen: admin } : admin, closeTimeoutMs });
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
