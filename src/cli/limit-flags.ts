// Every duration and limit of the library that has a flag: one table per role, from flag to library key. Defaults are
// shown from here and never passed on, so the library's own stay the only ones in force; a test compares the two.

import type { ConnectLimits } from "../assemble/connect.ts";
import type { ServeLimits } from "../assemble/serve.ts";
import { CaissonError } from "../lifecycle/errors.ts";

/** What a value counts: milliseconds, bytes or things. */
export type LimitUnit = "duration" | "bytes" | "count";

/**
 * One flag. `flag` is without its dashes; `key` is the library's; `standard` is the library's default for the help, in
 * its own unit (undefined when it is computed at start, or unlimited); `least` is the least value that makes sense,
 * 1 if it is absent.
 */
export type LimitFlag<Key extends string = string> = readonly [
  flag: string,
  key: Key,
  unit: LimitUnit,
  standard: number | undefined,
  help: string,
  least?: number,
];

type SessionKey = keyof ConnectLimits & keyof ServeLimits;

/** What both ends of a session have. */
const sessionFlags: readonly LimitFlag<SessionKey>[] = [
  ["ping-every", "pingMs", "duration", 10_000, "time between two pings, +- 20 %", 100],
  ["dead-after", "deadAfterMs", "duration", 25_000, "a peer silent for this long is dead", 300],
  ["probe-timeout", "probeMs", "duration", 3_000, "answer to a ping after a stall of this process", 100],
  ["hello-timeout", "helloMs", "duration", 10_000, "the peer's first message after the login"],
  ["ws-close-timeout", "closeTimeoutMs", "duration", 30_000, "closing handshake of a session's WebSocket"],
  ["reset-timeout", "resetAnswerMs", "duration", 30_000, "answer to the cut of a stream"],
  ["max-streams", "maxStreams", "count", 1024, "requests at once in one session"],
  ["max-window", "maxWindowBytes", "bytes", 8_388_608, "largest window of one stream", 65_536],
  ["session-growth", "sessionGrowthBytes", "bytes", 16_777_216, "growth of all windows of a session", 0],
  ["total-growth", "roleGrowthBytes", "bytes", 536_870_912, "growth of all windows, and unread bytes, in all", 0],
  ["stall-after", "stallMs", "duration", 10_000, "a reader that takes nothing for this long loses its growth"],
  ["min-unsent", "minUnsentBytes", "bytes", 65_536, "unsent bytes of a session that are always allowed"],
  ["max-unsent", "maxUnsentBytes", "bytes", 1_048_576, "unsent bytes of a session at most"],
  ["unsent-time", "unsentMs", "duration", 20, "between the two: so much time of the delivered rate"],
  ["max-control-queue", "maxControlQueueBytes", "bytes", 16_777_216, "unsent control bytes that end a session"],
  ["max-dead-bytes", "deadBytes", "bytes", 33_554_432, "bytes for dead streams in the flood window"],
  ["max-pings", "pings", "count", 200, "pings of the peer in the flood window"],
  ["max-control-bytes", "controlBytes", "bytes", 16_777_216, "control messages of the peer in the flood window"],
  ["flood-window", "floodWindowMs", "duration", 10_000, "the window of the three limits above"],
];

/** Flags of `caisson serve`. */
export const serveLimitFlags: readonly LimitFlag<keyof ServeLimits>[] = [
  ["arrival-timeout", "arrivalMs", "duration", 10_000, "PROXY header and TLS handshake must be complete in this time"],
  ["max-arrivals", "maxArrivals", "count", 1_024, "connections on that way at once"],
  ["max-tls-contexts", "maxTlsContexts", "count", 1_000, "certificates kept ready"],
  ["tls-reload", "certificatePollMs", "duration", 5_000, "how often certificate files are looked at", 100],
  ["head-timeout", "headMs", "duration", 15_000, "a request head must be complete in this time"],
  ["keep-alive", "keepAliveMs", "duration", 75_000, "how long a visitor's idle connection is kept"],
  ["request-idle", "requestIdleMs", "duration", 60_000, "longest pause in a request body"],
  ["response-idle", "responseIdleMs", "duration", 300_000, "longest pause in a response"],
  ["pipe-idle", "pipeIdleMs", "duration", 3_600_000, "longest silence of a WebSocket"],
  ["linger", "lingerMs", "duration", 2_000, "how long a closing visitor connection is still read", 0],
  ["max-body", "maxBodyBytes", "bytes", undefined, "largest request body", 0],
  ["read-ahead", "readAheadBytes", "bytes", 65_536, "pipelined requests kept while one is answered"],
  ["name-hold", "nameHoldMs", "duration", 60_000, "how long a vanished client's name is kept", 0],
  ["max-held-names", "maxHeldNames", "count", 50_000, "names kept for vanished clients", 0],
  ["name-wait", "nameWaitMs", "duration", 5_000, "how long a request waits for a vanished client", 0],
  ["max-name-waiters", "maxNameWaiters", "count", 100, "requests that wait for one vanished client", 0],
  ["stream-wait", "roomWaitMs", "duration", 1_000, "how long a request waits for room in a session", 0],
  ["max-stream-waiters", "maxRoomWaiters", "count", 1_024, "requests that wait for room in one session", 0],
  ["max-visitors", "maxVisitors", "count", undefined, "visitor connections in all (40 % of the descriptors)"],
  ["max-visitors-per-address", "maxVisitorsPerAddress", "count", 256, "visitor connections from one address"],
  ["max-sessions", "maxSessions", "count", undefined, "clients in all (55 % of the descriptors)"],
  ["max-tcp-ports", "maxTcpPorts", "count", undefined, "open ports of TCP tunnels (what is left of the descriptors)"],
  ["max-waiting-logins", "maxWaitingLogins", "count", undefined, "clients that wait for their login at once"],
  ["login-wait", "loginWaitMs", "duration", 5_000, "how long a client waits for its login"],
  ["max-tunnels", "maxTunnelsPerSession", "count", 10, "tunnels of one client, or of one token"],
  ["max-sessions-per-token", "maxSessionsPerToken", "count", 10, "clients with the same token"],
  ["auth-delay", "authDelayMs", "duration", 300, "how long the answer to a wrong token takes", 0],
  ["max-aborts", "maxAborts", "count", 200, "requests one address may abort in the abort window"],
  ["abort-window", "abortWindowMs", "duration", 10_000, "the window of --max-aborts"],
  ["busy-memory", "busyMemoryPercent", "count", 85, "percent of the memory above which requests get 503"],
  ["full-memory", "fullMemoryPercent", "count", 92, "percent of the memory above which no client is let in"],
  ["max-loop-delay", "maxLoopDelayMs", "duration", 200, "event loop later than this most of the time: 503", 50],
  ["handshake-timeout", "handshakeMs", "duration", 10_000, "a client's login must be complete in this time"],
  ...sessionFlags,
];

/** Flags of `caisson http`. */
export const clientLimitFlags: readonly LimitFlag<keyof ConnectLimits>[] = [
  ["response-timeout", "responseHeadMs", "duration", 60_000, "the target's response must begin in this time"],
  ["target-connect-timeout", "connectMs", "duration", 5_000, "reaching the target"],
  ["response-idle", "bodyIdleMs", "duration", 300_000, "longest pause in a response body"],
  ["request-idle", "requestBodyIdleMs", "duration", 60_000, "longest pause in a request body"],
  ["pipe-idle", "pipeIdleMs", "duration", 3_600_000, "longest silence of a WebSocket"],
  ["pool-idle", "poolIdleMs", "duration", 4_000, "how long an idle connection to the target is kept", 0],
  ["pool-fresh", "freshIdleMs", "duration", 1_000, "one idle for less also serves what cannot be repeated", 0],
  ["pool-size", "poolSize", "count", 1024, "idle connections kept to the target", 0],
  ["max-discard", "discardBytes", "bytes", 1_048_576, "request bytes dropped after an early response", 0],
  ["dial-timeout", "dialMs", "duration", 10_000, "one attempt to reach the server"],
  [
    "first-connect-timeout",
    "firstConnectMs",
    "duration",
    30_000,
    "give up when the first connect fails for so long",
    0,
  ],
  ["stable-after", "stableMs", "duration", 30_000, "a session this old resets the reconnect delay"],
  ["drain", "drainMs", "duration", 30_000, "requests in flight may finish for so long at the end", 0],
  ...sessionFlags,
];

/** The values of the flags that were given, under their library keys. `values` maps commander's attribute names to numbers. */
export function limitsOf<Key extends string>(
  table: readonly LimitFlag<Key>[],
  values: Readonly<Record<string, unknown>>,
): Partial<Record<Key, number>> {
  const limits: Partial<Record<Key, number>> = {};
  for (const [flag, key] of table) {
    const value = values[attributeOf(flag)];
    if (value === undefined) continue;
    if (typeof value !== "number") throw new CaissonError("E_INTERNAL", `--${flag} was not read as a number`);
    limits[key] = value;
  }
  return limits;
}

/** The name under which commander keeps the value of a flag. */
export function attributeOf(flag: string): string {
  return flag.replaceAll(/-([a-z])/gu, (_, letter: string) => letter.toUpperCase());
}
