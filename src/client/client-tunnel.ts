// A tunnel on one session, as the client holds it: its public name, and where its streams are led.
// A claim is what the user asked for and outlives sessions; a tunnel is what a server granted, and ends with its session.

import type { TunnelView } from "../lifecycle/events.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { Registered, TunnelKind } from "../wire/control.ts";
import type { ClientLimits } from "./limits.ts";
import type { LocalPool } from "./local-pool.ts";
import type { ClientObserver } from "./observer.ts";
import { OriginRewrite } from "./origin-rewrite.ts";
import type { Target } from "./target.ts";

/** One tunnel that the user asked for. The same on every server and after every reconnect. */
export interface TunnelClaim {
  /** Its id in every session, 1 and up. */
  readonly id: number;
  readonly kind: TunnelKind;
  /** The name asked for; undefined for a random one. */
  readonly name: string | undefined;
  /** The public port asked for (TCP); undefined for any. */
  readonly port: number | undefined;
  /** The connections to its target; exchanged when it is to lead elsewhere. */
  pool: LocalPool;
  /** False while the checks of its target fail: then its streams are refused. */
  inService: boolean;
}

/** What all parts of one client share. */
export interface ClientContext {
  readonly runtime: Runtime;
  readonly limits: ClientLimits;
  readonly observer: ClientObserver;
  /** What it says of itself to servers: optional abilities of the protocol. */
  readonly features: readonly string[];
}

/** One granted tunnel. */
export class ClientTunnel implements TunnelView {
  readonly kind = "tunnel";
  readonly openedAtMs: number = performance.now();
  readonly claim: TunnelClaim;
  readonly granted: Registered;
  readonly context: ClientContext;
  /** Exchanges and pipes carried so far. */
  requests = 0;
  /** Bytes towards the target, and from it, of those that have ended. */
  bytesIn = 0;
  bytesOut = 0;
  /** Made with the first exchange of a target whose Host is rewritten, and again when the target was exchanged. */
  #rewrite: OriginRewrite | undefined;

  constructor(claim: TunnelClaim, granted: Registered, context: ClientContext) {
    this.claim = claim;
    this.granted = granted;
    this.context = context;
  }

  /** Counts what an exchange or a pipe has carried; it has ended. */
  carried(what: { readonly bytesIn: number; readonly bytesOut: number }): void {
    this.bytesIn += what.bytesIn;
    this.bytesOut += what.bytesOut;
  }

  /** The public name. */
  get name(): string {
    return this.granted.name;
  }

  /** The public URL. */
  get url(): string {
    return this.granted.url;
  }

  /** The connections to its target. */
  get pool(): LocalPool {
    return this.claim.pool;
  }

  /** How responses of this target are changed; undefined if they are not, as for nearly every target. */
  rewriteFor(target: Target): OriginRewrite | undefined {
    if (target.hostHeader === undefined) return undefined;
    if (this.#rewrite?.target !== target) this.#rewrite = OriginRewrite.of(target, this.url);
    return this.#rewrite;
  }
}
