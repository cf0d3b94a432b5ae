// What the gate must say of each seed: in which ledger it finds it, and what it names. This table is the only place that
// knows the seeds by name; the gate and the product know none.

import type { LedgerName } from "../gate/verdict/finding.ts";

/** One finding that names the leak. */
export interface Named {
  readonly ledger: LedgerName | readonly LedgerName[];
  /** Matches the finding's subject. */
  readonly subject: RegExp;
}

/** One seed and what it must come to. */
export interface Expectation {
  readonly seed: string;
  readonly into: "server" | "client";
  /** The scenarios that make it strike, for the short form; the full form carries out all of them. */
  readonly scenarios: readonly string[];
  /** Clients to measure with in the short form, where its usual number is too small. */
  readonly clients?: number;
  /** Flags of the server, where the gate's own do not suit the seed. */
  readonly serverFlags?: readonly string[];
  /** One of these must be found. Empty: nothing may be. */
  readonly named: readonly Named[];
}

const session: Named = { ledger: ["held", "live", "alive"], subject: /^(?:client )?session$/u };
const tunnel: Named = { ledger: ["live", "alive"], subject: /^tunnel$/u };
const exchange: Named = { ledger: ["live", "alive"], subject: /^exchange$/u };
const names: Named = { ledger: "probe", subject: /^names\.live$/u };
const heap: Named = { ledger: "heap", subject: /./u };

/** Every row of "must be found". */
export const seeds: readonly Expectation[] = [
  {
    seed: "registry-never-deleted",
    into: "server",
    scenarios: ["clean"],
    named: [session],
  },
  {
    seed: "listener-per-request",
    into: "server",
    scenarios: ["requests"],
    named: [{ ledger: "listeners", subject: /^WebSocket:message$/u }],
  },
  {
    seed: "timer-per-request",
    into: "server",
    scenarios: ["clean"],
    named: [{ ledger: "handles", subject: /^Timeout$/u }, exchange],
  },
  {
    seed: "old-close-deletes-new",
    into: "server",
    scenarios: ["take-over", "clean"],
    named: [{ ledger: "probe", subject: /unrouted/u }],
  },
  {
    seed: "replace-waits-forever",
    into: "server",
    scenarios: ["take-over", "clean"],
    named: [session, { ledger: "operations", subject: /./u }],
  },
  { seed: "drop-during-setup", into: "server", scenarios: ["killed", "requests", "clean"], named: [tunnel, names] },
  { seed: "no-ping-timeout", into: "server", scenarios: ["half-open", "clean"], named: [session] },
  { seed: "key-mismatch", into: "server", scenarios: ["clean"], named: [names, tunnel] },
  {
    seed: "second-map-forgotten",
    into: "server",
    scenarios: ["aborts", "dying-targets", "clean"],
    named: [{ ledger: "alive", subject: /^stream$/u }],
  },
  { seed: "pending-map-no-finally", into: "server", scenarios: ["dying-targets", "clean"], named: [exchange] },
  { seed: "no-502-on-client-death", into: "server", scenarios: ["killed", "clean"], named: [exchange] },
  { seed: "waiting-queue-unbounded", into: "server", scenarios: ["killed", "clean"], named: [exchange] },
  {
    seed: "abort-not-propagated",
    into: "client",
    scenarios: ["aborts", "clean"],
    named: [{ ledger: ["live", "held", "fds", "handles"], subject: /local_socket|socket|TCPSocketWrap/u }],
  },
  {
    seed: "one-direction-closed",
    into: "server",
    scenarios: ["web-sockets", "clean"],
    named: [
      { ledger: "live", subject: /^pipe$/u },
      { ledger: ["fds", "handles"], subject: /socket/iu },
    ],
  },
  {
    seed: "listener-per-reconnect",
    into: "client",
    scenarios: ["storm", "clean"],
    named: [{ ledger: "listeners", subject: /^client process:warning$/u }],
  },
  {
    seed: "interval-per-reconnect",
    into: "client",
    scenarios: ["storm", "clean"],
    named: [{ ledger: "handles", subject: /^client Timeout$/u }],
  },
  {
    seed: "abort-signal-any",
    into: "server",
    scenarios: ["clean"],
    named: [exchange, { ledger: "listeners", subject: /AbortSignal/u }, { ledger: "objects", subject: /AbortSignal/u }],
  },
  {
    seed: "race-with-long-lived-promise",
    into: "server",
    scenarios: ["clean"],
    named: [heap, { ledger: "objects", subject: /Promise/u }],
  },
  {
    seed: "unbounded-send",
    into: "server",
    scenarios: ["aborts", "slow-readers", "clean"],
    named: [
      { ledger: "external", subject: /arrayBuffers|external/u },
      { ledger: "probe", subject: /buffered/u },
      { ledger: "alive", subject: /^stream$/u },
    ],
  },
  {
    seed: "slab-pin",
    into: "server",
    scenarios: ["clean"],
    named: [
      { ledger: "external", subject: /arrayBuffers|external/u },
      { ledger: "objects", subject: /Buffer/u },
    ],
  },
  {
    seed: "pipe-without-destroy",
    into: "server",
    scenarios: ["clean"],
    named: [{ ledger: ["fds", "handles"], subject: /socket/iu }],
  },
  { seed: "label-per-tunnel", into: "server", scenarios: ["clean"], named: [{ ledger: "series", subject: /./u }] },
  {
    seed: "span-not-ended",
    into: "server",
    scenarios: ["aborts", "clean"],
    named: [{ ledger: "live", subject: /^span$/u }],
  },
  {
    seed: "never-settling-await",
    into: "server",
    scenarios: ["clean"],
    named: [{ ledger: "operations", subject: /abandoned/u }, session],
  },
  {
    seed: "error-path-one-percent",
    into: "server",
    scenarios: ["clean"],
    clients: 2_000,
    named: [{ ledger: "alive", subject: /^session$/u }],
  },
  {
    seed: "slot-8-bytes",
    into: "server",
    scenarios: ["clean"],
    clients: 2_500,
    named: [heap, { ledger: "probe", subject: /^Array of number$/u }],
  },
];

/**
 * The gate's server pings every second, so that dead peers are noticed soon. 10,000 clients would then say 20,000 things a
 * second, which is more than a server can answer, and pings of 10,000 clients are nothing that has to be noticed soon.
 */
const rarePings: readonly string[] = ["--ping-every", "20s", "--dead-after", "60s"];

/** Every row of "must not be reported". */
export const healthy: readonly Expectation[] = [
  "jit-and-inline-caches",
  "cache-to-cap",
  "pool-to-ceiling",
  "close-timers",
  "idle-sessions",
  "burst-high-rss",
  "slow-download",
  "reconnect-every-second",
  "snapshot-memory",
  "ring-still-filling",
].map((seed) => ({
  seed: `clean/${seed}`,
  into: "server",
  scenarios: ["requests", "clean"],
  clients: 3_000,
  named: [],
  ...(seed === "idle-sessions" && { serverFlags: rarePings }),
}));
