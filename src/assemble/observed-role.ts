// What an observatory reads of the role that it watches. Server and client each answer in a file of their own.

import type { TunnelRow } from "../admin/subject.ts";
import type { Side } from "../lifecycle/events.ts";
import type { Inventory } from "../lifecycle/resource.ts";

/** A running role, as its observers see it. Everything is read from the real containers when asked. */
export interface ObservedRole {
  readonly role: "server" | "client";
  inventory(): Inventory;
  /** Why it should get no traffic now, in words; undefined if it should. */
  unreadiness(): string | undefined;
  tunnels(): readonly TunnelRow[];
  tunnelTypes(): Readonly<Record<"http" | "tcp" | "tls", number>>;
  /** Closes a tunnel by the operator's wish; false if there is none of that name. */
  closeTunnel(name: string): boolean;
  /** Until the first of its certificates expires, in seconds; undefined if it has none. */
  certificateExpirySeconds(): number | undefined;
  /** Bytes that wait in memory, by the side that is to take them; for sessions as `inventory`, just read, tells. */
  bufferedBytes(inventory: Inventory): Partial<Record<Side, number>>;
  /** Tells all peers that this process will stand still for about so long; resolves when the notices have left. */
  announcePause(expectedMs: number): Promise<void>;
}
