// What the parts of the public side share. Made once by TunnelServer and passed by reference.

import type { ResponseHeadReader } from "../http1/head-reader.ts";
import type { RequestHead } from "../http1/head.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { GrowthBudget } from "../mux/growth-budget.ts";
import type { MuxLimits } from "../mux/limits.ts";
import type { AbortGuard } from "./abort-guard.ts";
import type { ClientSession } from "./client-session.ts";
import type { ServerLimits } from "./limits.ts";
import type { NameTable } from "./name-table.ts";
import type { ResumeKeys } from "./names.ts";
import type { OverloadGuard } from "./overload.ts";
import type { PortTable } from "./port-table.ts";
import type { PublicAddress } from "./public-address.ts";
import type { TokenGate } from "./token-gate.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

/** The shared ground of one server. */
export interface Edge {
  readonly runtime: Runtime;
  readonly limits: ServerLimits;
  readonly muxLimits: MuxLimits;
  readonly version: string;
  readonly instance: string;
  /** What this server tells its clients that it can do. */
  readonly features: readonly string[];
  readonly names: NameTable;
  readonly resumeKeys: ResumeKeys;
  readonly sessions: Set<ClientSession>;
  /** Who may log in; undefined where anybody may. */
  readonly tokens: TokenGate | undefined;
  readonly budget: GrowthBudget;
  readonly aborts: AbortGuard;
  readonly overload: OverloadGuard;
  readonly trusted: TrustedProxies;
  readonly address: PublicAddress;
  /** The tunnel for hosts that are nobody's, if one was chosen. */
  readonly catchAll: string | undefined;
  /** The public ports; undefined if there are none. */
  readonly ports: PortTable | undefined;
  /** Requests over plain HTTP are sent to HTTPS. */
  readonly redirectHttps: boolean;
  /** How this server calls itself in Via. */
  readonly viaName: string;
  /** Filled and read within one call by the readers of all visitors, so that an idle connection owns no tables. */
  readonly requestHead: RequestHead;
  /** Reads the response heads of all exchanges: they arrive whole, so that one reader serves them in turn. */
  readonly responses: ResponseHeadReader;
  /** False from the start of a shutdown on. */
  accepting: boolean;
}
