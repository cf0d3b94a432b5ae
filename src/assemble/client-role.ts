// A client, as its observers see it: what it holds and carries, read from the client itself when somebody asks.

import type { TunnelRow } from "../admin/subject.ts";
import type { TunnelClient } from "../client/tunnel-client.ts";
import type { Side } from "../lifecycle/events.ts";
import type { Inventory } from "../lifecycle/resource.ts";
import { bufferedProbe } from "../mux/session-tally.ts";
import type { ObservedRole } from "./observed-role.ts";
import { announcePause } from "./pause-notice.ts";

/** Reads a TunnelClient. */
export class ClientRole implements ObservedRole {
  readonly role = "client";
  readonly #client: () => TunnelClient;

  /** `client` is asked for when something is read: it is made after its observers. */
  constructor(client: () => TunnelClient) {
    this.#client = client;
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
          requests: tunnel.requests,
          bytesIn: tunnel.bytesIn,
          bytesOut: tunnel.bytesOut,
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

  bufferedBytes({ probes }: Inventory): Partial<Record<Side, number>> {
    return { session: probes[bufferedProbe] ?? 0 };
  }

  announcePause(expectedMs: number): Promise<void> {
    const sessions = this.#client()
      .sessions()
      .map(({ session }) => session);
    return announcePause(sessions, expectedMs);
  }
}
