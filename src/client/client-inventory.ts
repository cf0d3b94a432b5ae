// What a client holds, read from its containers at the moment of asking. It keeps nothing, and counts nothing up or down.

import type { Deadlines } from "../lifecycle/deadlines.ts";
import type { Inventory } from "../lifecycle/resource.ts";
import { SessionTally } from "../mux/session-tally.ts";
import { ExchangeForwarder } from "./exchange-forwarder.ts";
import type { LocalPool } from "./local-pool.ts";
import type { LinkSession } from "./link-session.ts";

/** What a link to a server holds. */
export interface LinkHoldings {
  readonly sessions: ReadonlySet<LinkSession>;
  readonly dialing: boolean;
}

/** Where a client holds its resources. */
export interface ClientContainers {
  readonly links: Iterable<LinkHoldings>;
  readonly pools: Iterable<LocalPool>;
  readonly deadlines: Deadlines;
}

/** The sizes of all of them. */
export function inventoryOf(containers: ClientContainers): Inventory {
  const { links, pools, deadlines } = containers;
  let linked = 0;
  let sessions = 0;
  let tunnels = 0;
  let streams = 0;
  let dialing = 0;
  const tally = new SessionTally();
  for (const link of links) {
    linked += 1;
    if (link.dialing) dialing += 1;
    for (const { session, tunnels: standing } of link.sessions) {
      sessions += 1;
      tunnels += standing.size;
      streams += session.streamCount;
      tally.add(session);
    }
  }
  let connections = 0;
  let idle = 0;
  let exchanges = 0;
  let pipes = 0;
  let contexts = 0;
  for (const pool of pools) {
    connections += pool.live.size;
    idle += pool.idle;
    contexts += pool.tlsContexts;
    for (const connection of pool.live) {
      if (connection.user instanceof ExchangeForwarder) exchanges += 1;
      if (connection.pipe) pipes += 1;
    }
  }
  return {
    held: {
      session: sessions,
      session_socket: sessions,
      tunnel: tunnels,
      stream: streams,
      exchange: exchanges,
      pipe: pipes,
      local_socket: connections,
      tls_context: contexts,
      deadline: deadlines.size,
    },
    probes: {
      ...tally.probes,
      "client.links": linked,
      "client.dialing": dialing,
      "client.pool.idle": idle,
      "client.gap_listeners": deadlines.gapListeners,
    },
  };
}
