// A session's claim on one public name. It counts what it carried; who may reach it is decided by the name table.

import type { TunnelKind } from "../wire/control.ts";
import type { TunnelView } from "../lifecycle/events.ts";
import type { ClientSession } from "./client-session.ts";

/** What a tunnel is made of. */
export interface TunnelOptions {
  /** The client's number for it. */
  readonly id: number;
  readonly type: TunnelKind;
  readonly name: string;
  readonly url: string;
  readonly direct: { readonly url: string; readonly host: string };
  readonly session: ClientSession;
}

/** One open tunnel. Made and released only by {@link ClientSession}. */
export class Tunnel implements TunnelView {
  readonly kind = "tunnel";
  readonly openedAtMs: number = performance.now();
  readonly id: number;
  readonly type: TunnelKind;
  readonly name: string;
  readonly url: string;
  readonly direct: { readonly url: string; readonly host: string };
  readonly session: ClientSession;
  /** Exchanges and pipes carried so far, and those open now. */
  requests = 0;
  streams = 0;
  /** Body bytes towards the target, and from it. */
  bytesIn = 0;
  bytesOut = 0;

  constructor(options: TunnelOptions) {
    this.id = options.id;
    this.type = options.type;
    this.name = options.name;
    this.url = options.url;
    this.direct = options.direct;
    this.session = options.session;
  }
}
