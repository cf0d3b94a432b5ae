// Every seed is a module that loads into an unchanged process and does what its header says: each is run through the same
// exercise, and what the ledgers read afterwards is compared with what a healthy run reads.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ResourceKind } from "../../../src/internals.ts";
import type { Readings } from "./exercise.ts";

const folder = new URL("../../../bench/zoo/", import.meta.url);
const exercise = fileURLToPath(new URL("./exercise.js", import.meta.url));

async function read(seed: string, sessions = 8): Promise<Readings> {
  const args = ["--import", seed, exercise, seed, String(sessions)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  return JSON.parse(stdout) as Readings;
}

const healthyModule = fileURLToPath(new URL("./healthy.js", import.meta.url));
/** What there is of anything in a process without a seed. */
const healthy: Promise<Readings> = read(healthyModule);

const excess = ({ kinds }: Readings, kind: ResourceKind): number => (kinds[kind].held ?? 0) - kinds[kind].live;

/** What must be seen of each seed, beside that it says that it struck. */
const evidence: Readonly<Record<string, (readings: Readings, sound: Readings) => boolean>> = {
  "abort-not-propagated": ({ clientLive }) => (clientLive["local_socket"] ?? 0) > 0,
  "abort-signal-any": ({ kinds, seeded }) => kinds.exchange.uncollected === seeded,
  "drop-during-setup": ({ kinds, probes, seeded }) =>
    kinds.tunnel.live === seeded && kinds.tunnel.held === 0 && (probes["names.live"] ?? 0) > 0,
  "error-path-one-percent": ({ kinds, seeded }) => seeded === 1 && kinds.session.uncollected === 1,
  "interval-per-reconnect": ({ handles, seeded }) => (handles["Timeout"] ?? 0) >= seeded,
  "key-mismatch": ({ kinds, probes, seeded }) =>
    probes["names.live"] === seeded && kinds.tunnel.live === 0 && kinds.tunnel.uncollected === seeded,
  "label-per-tunnel": ({ seriesWithNames }) => seriesWithNames === 8,
  "listener-per-reconnect": ({ warningListeners, seeded }) => warningListeners > seeded,
  // The standing client was asked four times. Objects come and go by one or two.
  "listener-per-request": ({ censusWithin }, sound) =>
    (censusWithin.listeners["WebSocket:message"] ?? 0) >= (sound.censusWithin.listeners["WebSocket:message"] ?? 0) + 4,
  "never-settling-await": ({ operations, kinds, seeded }) =>
    operations["session_cleanup"]?.abandoned === seeded && kinds.session.held === seeded,
  "no-502-on-client-death": ({ kinds, seeded }) => kinds.exchange.live === seeded && kinds.exchange.held === 0,
  "no-ping-timeout": ({ kinds, seeded }) => kinds.session.live === seeded,
  "old-close-deletes-new": ({ afterTakeOver }) => afterTakeOver === 404,
  "one-direction-closed": ({ kinds, seeded }) => kinds.pipe.live === seeded && kinds.pipe.held === seeded,
  "pending-map-no-finally": ({ kinds, seeded }) => kinds.exchange.uncollected === seeded,
  "pipe-without-destroy": ({ handles, seeded }) => (handles["TCPSocketWrap"] ?? 0) >= 2 * seeded,
  "race-with-long-lived-promise": ({ census, seeded }, sound) =>
    (census.objects["Promise"] ?? 0) >= (sound.census.objects["Promise"] ?? 0) + seeded / 2,
  "registry-never-deleted": (readings) => excess(readings, "session") === readings.seeded,
  "replace-waits-forever": ({ kinds }) => kinds.session.uncollected > 0,
  "second-map-forgotten": ({ kinds, seeded }) => kinds.stream.uncollected === seeded,
  "slab-pin": ({ census, seeded }, sound) =>
    (census.objects["Buffer"] ?? 0) >= (sound.census.objects["Buffer"] ?? 0) + seeded / 2,
  "slot-8-bytes": ({ census, seeded }, sound) =>
    (census.containers["Array of number"] ?? 0) === (sound.census.containers["Array of number"] ?? 0) + seeded,
  "span-not-ended": ({ kinds, seeded }) => kinds.span.live === seeded,
  "timer-per-request": ({ handles, kinds, seeded }) =>
    (handles["Timeout"] ?? 0) > seeded && kinds.exchange.uncollected === seeded,
  // The target's own body takes 67 MB.
  "unbounded-send": ({ arrayBuffers }) => arrayBuffers > 68_500_000,
  "waiting-queue-unbounded": ({ kinds, seeded }) => kinds.exchange.uncollected === seeded,
};

const seeds = readdirSync(folder)
  .filter((file) => file.endsWith(".js") && !["patch.js", "run-zoo.js", "expectations.js"].includes(file))
  .map((file) => file.slice(0, -".js".length));

test("every seed has its evidence, and the zoo is complete", () => {
  assert.deepEqual(seeds.toSorted(), Object.keys(evidence).toSorted());
  assert.equal(seeds.length, 26);
});

test("a healthy process reads zero in every ledger after the exercise", async () => {
  const { kinds, probes, handles, seeded, afterTakeOver, clientLive } = await healthy;
  for (const [kind, { live, held, uncollected, collectedUnclosed }] of Object.entries(kinds)) {
    if (kind === "deadline") continue; // The two roles' own clocks run on.
    assert.deepEqual({ kind, live, held, uncollected, collectedUnclosed }, { ...zero, kind });
  }
  assert.equal(probes["names.live"], 0);
  assert.equal(probes["never.unrouted_tunnels"], 0);
  assert.equal(handles["Timeout"], 1);
  assert.equal(afterTakeOver, 200);
  assert.equal(clientLive["local_socket"], 0);
  assert.equal(seeded, 0);
});

/** The first strikes once in a hundred sessions, and of the other's array only a larger one is looked at. */
const manySessions: ReadonlySet<string> = new Set(["error-path-one-percent", "slot-8-bytes"]);

const zero = { live: 0, held: 0, uncollected: 0, collectedUnclosed: 0 };

test("each seed leaks as it says", { concurrency: 2 }, async (t) => {
  const each = async (seed: string): Promise<void> => {
    const readings = await read(fileURLToPath(new URL(`${seed}.js`, folder)), manySessions.has(seed) ? 104 : 8);
    assert.ok(readings.seeded > 0, "it never struck");
    assert.ok(evidence[seed]?.(readings, await healthy), JSON.stringify(readings, undefined, 1));
  };
  await Promise.all(seeds.map((seed) => t.test(seed, () => each(seed))));
});

test("what is no leak leaves nothing in the ledgers", { concurrency: 2 }, async (t) => {
  const each = async (seed: string): Promise<void> => {
    const { kinds, seeded } = await read(fileURLToPath(new URL(`clean/${seed}.js`, folder)));
    assert.ok(seeded > 0, "it never ran");
    // The download goes on, over one of each.
    const standing = seed === "slow-download" ? 1 : 0;
    for (const kind of ["session", "tunnel", "exchange", "stream"] as const) {
      assert.deepEqual([kind, kinds[kind].live, kinds[kind].uncollected], [kind, standing, 0]);
    }
  };
  // The others hold something for half a minute, or take as long.
  const quick = ["cache-to-cap", "jit-and-inline-caches", "ring-still-filling", "slow-download"];
  await Promise.all(quick.map((seed) => t.test(seed, () => each(seed))));
});
