// The limits of the public side, with the defaults that docs/limits.md explains. All of them are options of serve().
// Pure: it computes and words, and opens nothing.

import type { PortRange } from "../tokens/name-pattern.ts";

/** What visitors, logins and shutdown may take. Times in milliseconds, sizes in bytes. */
export interface ServerLimits {
  /** From accept to the first request: PROXY header, ClientHello and TLS handshake together. Default 10 s. */
  readonly arrivalMs: number;
  /** How many connections may be on that way at once. Default 1,024. */
  readonly maxArrivals: number;
  /** How many certificates are kept ready for handshakes. Default 1,000. */
  readonly maxTlsContexts: number;
  /** How often certificate files are looked at. Default 5 s. */
  readonly certificatePollMs: number;
  /** From the first byte of a request head to its end; also how long a new connection may stay silent. Default 15 s. */
  readonly headMs: number;
  /** How long a visitor's connection may idle between requests. Default 75 s. */
  readonly keepAliveMs: number;
  /** The longest pause inside a request body. Default 60 s. */
  readonly requestIdleMs: number;
  /** The longest pause inside a response, whoever causes it. Default 300 s. */
  readonly responseIdleMs: number;
  /** The longest silence of a pipe (an upgraded WebSocket, a TCP connection), both ways. Default 1 h. */
  readonly pipeIdleMs: number;
  /** How long a closing visitor connection still reads what the visitor is sending. Default 2 s. */
  readonly lingerMs: number;
  /** The largest request body, or Infinity. Default Infinity. */
  readonly maxBodyBytes: number;
  /** How much of the next requests is read ahead while one is being answered. Default 64 KiB. */
  readonly readAheadBytes: number;
  /** How long a vanished client's names are kept. Default 60 s. */
  readonly nameHoldMs: number;
  /** How many names are kept for vanished clients; beyond that, a name is free at once. Default 50,000. */
  readonly maxHeldNames: number;
  /** How long a visitor's request waits for a vanished client. Default 5 s. */
  readonly nameWaitMs: number;
  /** How many requests may wait for one held name. Default 100. */
  readonly maxNameWaiters: number;
  /** How long a request waits for a place in a full session. Default 1 s. */
  readonly roomWaitMs: number;
  /** How many requests may wait for places in one session. Default 1,024. */
  readonly maxRoomWaiters: number;
  /** How many visitor connections in all; by default 40 % of the descriptors that can be used. */
  readonly maxVisitors: number;
  /** How many visitor connections from one address that is no trusted proxy. Default 256. */
  readonly maxVisitorsPerAddress: number;
  /** How many sessions; by default 55 % of the descriptors that can be used. */
  readonly maxSessions: number;
  /** How many ports of TCP tunnels are open at once; by default, and at most, what visitors and sessions leave of the descriptors. */
  readonly maxTcpPorts: number;
  /** How many logins may wait for their turn; by default 10 % of the descriptors that can be used, at most 1,024. */
  readonly maxWaitingLogins: number;
  /** How long a login may wait for its turn, of the 10 s that clients wait for an answer. Default 5 s. */
  readonly loginWaitMs: number;
  /** How many tunnels one session may hold, or all sessions of a token that has no number of its own. Default 10. */
  readonly maxTunnelsPerSession: number;
  /** How many sessions one token may have at once. Default 10. */
  readonly maxSessionsPerToken: number;
  /** How long whoever presents no valid token waits for the answer. Default 300 ms. */
  readonly authDelayMs: number;
  /** How many requests one address may abort in {@link abortWindowMs} before it gets 503. Default 200. */
  readonly maxAborts: number;
  /** Default 10 s. */
  readonly abortWindowMs: number;
  /** Above this share of its memory, in percent, the server opens no new streams. Default 85. */
  readonly busyMemoryPercent: number;
  /** Above this share of its memory, in percent, the server lets no new clients in. Default 92. */
  readonly fullMemoryPercent: number;
  /** When the event loop is later than this most of the time, no new streams are opened; or Infinity. Default 200 ms. */
  readonly maxLoopDelayMs: number;
  /** From the end of the upgrade request to the peer's hello. Default 10 s. */
  readonly handshakeMs: number;
}

/** Descriptors that are never counted on: those of Node itself, listeners, files, and the private listener. */
const reservedDescriptors = 48;

/** The defaults, and what was given instead. `descriptors` is the process's limit of open files. */
export function serverLimits(descriptors: number, given: Partial<ServerLimits> = {}): ServerLimits {
  const limits = { ...standardLimits(descriptors), ...given };
  const left = Math.max(0, descriptors - reservedDescriptors - limits.maxVisitors - limits.maxSessions);
  return { ...limits, maxTcpPorts: Math.min(limits.maxTcpPorts, left) };
}

function standardLimits(descriptors: number): ServerLimits {
  const usable = Math.max(0, descriptors - reservedDescriptors);
  return {
    arrivalMs: 10_000,
    maxArrivals: 1_024,
    maxTlsContexts: 1_000,
    certificatePollMs: 5_000,
    headMs: 15_000,
    keepAliveMs: 75_000,
    requestIdleMs: 60_000,
    responseIdleMs: 300_000,
    pipeIdleMs: 3_600_000,
    lingerMs: 2_000,
    maxBodyBytes: Number.POSITIVE_INFINITY,
    readAheadBytes: 64 * 1024,
    nameHoldMs: 60_000,
    maxHeldNames: 50_000,
    nameWaitMs: 5_000,
    maxNameWaiters: 100,
    roomWaitMs: 1_000,
    maxRoomWaiters: 1_024,
    maxVisitors: Math.floor(usable * 0.4),
    maxVisitorsPerAddress: 256,
    maxSessions: Math.floor(usable * 0.55),
    maxTcpPorts: Number.POSITIVE_INFINITY,
    maxWaitingLogins: Math.min(1_024, Math.floor(usable * 0.1)),
    loginWaitMs: 5_000,
    maxTunnelsPerSession: 10,
    maxSessionsPerToken: 10,
    authDelayMs: 300,
    maxAborts: 200,
    abortWindowMs: 10_000,
    busyMemoryPercent: 85,
    fullMemoryPercent: 92,
    maxLoopDelayMs: 200,
    handshakeMs: 10_000,
  };
}

/**
 * Why the descriptors do not suffice when visitors, sessions and the ports of TCP tunnels are all there at once, as a
 * sentence for operators; undefined if they do.
 */
export function portShortage(
  range: PortRange,
  ground: { readonly descriptors: number; readonly limits: Pick<ServerLimits, "maxVisitors" | "maxSessions"> },
): string | undefined {
  const { descriptors, limits } = ground;
  const ports = range.to - range.from + 1;
  const needed = ports + limits.maxVisitors + limits.maxSessions + reservedDescriptors;
  if (needed <= descriptors) return undefined;
  return (
    `the limit of ${descriptors} open files is too low when all ${ports} TCP ports are open: they, ${limits.maxVisitors} visitors, ` +
    `${limits.maxSessions} sessions and this process itself take ${needed}; raise the limit (ulimit -n, LimitNOFILE=), or ` +
    "lower --max-visitors and --max-sessions, or give fewer --tcp-ports"
  );
}
