// A client, as its observers see it. What its tunnels carried is counted here, from events: one row per standing tunnel.

import type { TunnelRow } from "../admin/subject.ts";
import { ClientTunnel } from "../client/client-tunnel.ts";
import type { TunnelClient } from "../client/tunnel-client.ts";
import type { ExchangeView, Side } from "../lifecycle/events.ts";
import { QuietEvents } from "../lifecycle/quiet-events.ts";
import type { Inventory, Resource } from "../lifecycle/resource.ts";
import type { ObservedRole } from "./observed-role.ts";
import { announcePause } from "./pause-notice.ts";

interface Carried {
  requests: number;
  bytesIn: number;
  bytesOut: number;
}

const nothing: Carried = { requests: 0, bytesIn: 0, bytesOut: 0 };

/** Reads a TunnelClient. To be subscribed to its events as well. */
export class ClientRole extends QuietEvents implements ObservedRole {
  readonly role = "client";
  readonly #client: () => TunnelClient;
  /** By the name of a standing tunnel. */
  readonly #carried: Map<string, Carried> = new Map();

  /** `client` is asked for when something is read: it is made after its subscribers. */
  constructor(client: () => TunnelClient) {
    super();
    this.#client = client;
  }

  override exchangeEnded(exchange: ExchangeView): void {
    let carried = this.#carried.get(exchange.tunnelName);
    if (!carried) {
      carried = { ...nothing };
      this.#carried.set(exchange.tunnelName, carried);
    }
    carried.requests += 1;
    carried.bytesIn += exchange.bytesIn;
    carried.bytesOut += exchange.bytesOut;
  }

  override closed(resource: Resource): void {
    if (resource.kind === "tunnel" && resource instanceof ClientTunnel) this.#carried.delete(resource.name);
  }

  inventory(): Inventory {
    return this.#client().inventory();
  }

  unreadiness(): string | undefined {
    return this.#client().connected ? undefined : "no server is connected";
  }

  tunnels(): readonly TunnelRow[] {
    const now = performance.now();
    const rows: TunnelRow[] = [];
    for (const { session, tunnels } of this.#client().sessions()) {
      for (const tunnel of tunnels.values()) {
        rows.push({
          name: tunnel.name,
          type: tunnel.claim.kind,
          target: tunnel.pool.target.text,
          sinceMs: Math.round(now - tunnel.openedAtMs),
          ...(this.#carried.get(tunnel.name) ?? nothing),
          streams: session.streamCount,
          clientVersion: "",
          rttMs: session.rttMs,
        });
      }
    }
    return rows;
  }

  tunnelTypes(): Readonly<Record<"http" | "tcp" | "tls", number>> {
    const counts = { http: 0, tcp: 0, tls: 0 };
    for (const { tunnels } of this.#client().sessions())
      for (const { claim } of tunnels.values()) counts[claim.kind] += 1;
    return counts;
  }

  closeTunnel(): boolean {
    return false; // A client's tunnels end with the client; the server's operator closes single ones.
  }

  certificateExpirySeconds(): undefined {
    return undefined; // A client shows no certificate.
  }

  bufferedBytes(): Partial<Record<Side, number>> {
    let session = 0;
    for (const link of this.#client().sessions()) session += link.session.bufferedBytes;
    return { session };
  }

  announcePause(expectedMs: number): Promise<void> {
    const sessions = this.#client()
      .sessions()
      .map(({ session }) => session);
    return announcePause(sessions, expectedMs);
  }
}
