// What a session is made of, and the states it goes through.

import type { Runtime } from "../lifecycle/runtime.ts";
import type { GrowthBudget } from "./growth-budget.ts";
import type { SessionHandler } from "./handlers.ts";
import type { MuxLimits } from "./limits.ts";
import type { Transport } from "./transport.ts";

/** What a session is made of. */
export interface SessionOptions {
  readonly role: "server" | "client";
  /** Open, and handed over: the session closes it. */
  readonly transport: Transport;
  readonly runtime: Runtime;
  readonly handler: SessionHandler;
  /** The peer's address, or the server's URL on the client; for people. */
  readonly peer: string;
  readonly hello: {
    /** This package's version. */
    readonly version: string;
    /** Random per process, 1 to 64 characters of `[A-Za-z0-9_-]`. */
    readonly instance: string;
    /** How many streams the peer may have open at once; also the limit of a server's own. */
    readonly maxStreams: number;
    /** Optional abilities; default none. */
    readonly features?: readonly string[];
  };
  readonly limits?: Partial<MuxLimits>;
  /** The role's account of window growth, shared by its sessions; without one, the session has its own. */
  readonly budget?: GrowthBudget;
}

/**
 * `greeting` until the peer's hello, then `ready`; `draining` once either side has said GOAWAY: streams go on, no new ones.
 * `closed` from the moment at which no frame flows any more; onClosed follows when the transport is gone.
 */
export type SessionState = "greeting" | "ready" | "draining" | "closed";
