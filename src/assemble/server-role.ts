// A server, as its observers see it.

import type { TunnelRow } from "../admin/subject.ts";
import type { Side } from "../lifecycle/events.ts";
import type { Inventory } from "../lifecycle/resource.ts";
import { bufferedProbe } from "../mux/session-tally.ts";
import type { TunnelServer } from "../server/tunnel-server.ts";
import { Tunnel } from "../server/tunnel.ts";
import type { ObservedRole } from "./observed-role.ts";
import { announcePause } from "./pause-notice.ts";

/** Reads a TunnelServer. */
export class ServerRole implements ObservedRole {
  readonly role = "server";
  readonly #server: TunnelServer;
  readonly #readyAtMs: number;

  /** Readiness comes `readyDelayMs` after now. */
  constructor(server: TunnelServer, readyDelayMs: number) {
    this.#server = server;
    this.#readyAtMs = performance.now() + readyDelayMs;
  }

  inventory(): Inventory {
    return this.#server.inventory();
  }

  unreadiness(): string | undefined {
    if (!this.#server.ready) return "the server is shutting down";
    const leftMs = this.#readyAtMs - performance.now();
    return leftMs <= 0 ? undefined : `clients may still be coming back: ready in ${Math.ceil(leftMs / 1000)} s`;
  }

  tunnels(): readonly TunnelRow[] {
    const now = performance.now();
    const rows: TunnelRow[] = [];
    for (const client of this.#server.edge.sessions) {
      for (const tunnel of client.tunnels.values()) {
        const { name, type, requests, bytesIn, bytesOut, streams } = tunnel;
        const { hello, rttMs } = client.session;
        const sinceMs = Math.round(now - tunnel.openedAtMs);
        const clientVersion = hello?.version ?? "";
        rows.push({ name, type, target: "", sinceMs, requests, bytesIn, bytesOut, streams, clientVersion, rttMs });
      }
    }
    return rows;
  }

  tunnelTypes(): Readonly<Record<"http" | "tcp" | "tls", number>> {
    const counts = { http: 0, tcp: 0, tls: 0 };
    for (const { tunnels } of this.#server.edge.sessions) for (const { type } of tunnels.values()) counts[type] += 1;
    return counts;
  }

  closeTunnel(name: string): boolean {
    const tunnel = this.#server.edge.names.find(name);
    if (!(tunnel instanceof Tunnel)) return false;
    tunnel.session.closeTunnel(tunnel);
    return true;
  }

  certificateExpirySeconds(): number | undefined {
    return this.#server.certificateExpirySeconds;
  }

  bufferedBytes({ probes }: Inventory): Partial<Record<Side, number>> {
    return { visitor: this.#server.visitorBytes(), session: probes[bufferedProbe] ?? 0 };
  }

  announcePause(expectedMs: number): Promise<void> {
    return announcePause(
      [...this.#server.edge.sessions].map(({ session }) => session),
      expectedMs,
    );
  }
}
