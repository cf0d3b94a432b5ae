// How the private listener is asked for.

import type { AdminAddress } from "../admin/admin-address.ts";
import type { LogControl } from "../admin/subject.ts";
import type { SnapshotNews } from "../leaks/snapshot-entry.ts";
import { CaissonError } from "../lifecycle/errors.ts";
import { parseHostPort } from "./host-port.ts";

/** Where a server's private listener is unless its operator says otherwise, on 127.0.0.1. */
export const defaultAdminPort = 9190;

/** The private listener of a role, and what it is to watch. */
export interface AdminOptions {
  /** `HOST:PORT` (port 0 for any free one) or `unix:PATH`. */
  readonly listen: string;
  /** If the port is taken, listen on any free one. Default false. */
  readonly orAnyPort?: boolean;
  /** Holds the admin token; made with mode 0600 if missing. Without it the token is random and told to `onToken` only. */
  readonly tokenFile?: string;
  /** Further names that a Host field may hold. */
  readonly hosts?: readonly string[];
  /** Where heap snapshots go. Default `$XDG_STATE_HOME/caisson/snapshots/server`, or `.../client`. */
  readonly snapshotFolder?: string;
  /** Take a snapshot on SIGUSR2. Default false: a library leaves signals alone. */
  readonly snapshotOnSignal?: boolean;
  /** Hears of each snapshot that was taken or refused, and of who asked for it. Must not throw. */
  readonly onSnapshot?: (news: SnapshotNews) => void;
  /** Watch the collection of every exchange and stream, not of a sample. Costs about 300 bytes each. Default false. */
  readonly watchAll?: boolean;
  /** Of how many exchanges and streams one is watched. Default 100. */
  readonly sampleOneIn?: number;
  /** Hears the admin token once. */
  readonly onToken?: (token: string) => void;
  /** The log, so that its level can be set and its last lines read. */
  readonly log?: LogControl;
}

/** Reads `HOST:PORT` or `unix:PATH`. Throws E_USAGE. */
export function parseAdminAddress(text: string): AdminAddress {
  if (!text.startsWith("unix:")) return parseHostPort(text, "admin address");
  const path = text.slice("unix:".length);
  if (path === "")
    throw new CaissonError("E_USAGE", 'the admin address "unix:" needs a path, such as unix:/run/caisson.sock');
  return { path };
}
