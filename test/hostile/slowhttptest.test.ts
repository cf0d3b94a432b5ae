// The tool that people try slow attacks with (Debian's slowhttptest): its connections are cut within the documented limits,
// and a visitor among them is served as if nothing was.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { test } from "node:test";
import type { ServerLimits } from "../../src/server/limits.ts";
import { findProgram, needs } from "../support/debian.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { Words } from "./words.ts";

const connections = 60;
/** More than the buffers of any system between here and there. */
const large = Buffer.alloc(64 * 1024 * 1024);

/** Reads the whole request before it answers, as an application does. */
const target: RequestListener = (request, response) => {
  request.resume();
  request.once("end", () => response.end(request.url === "/large" ? large : "fine"));
};

/** A running attack. */
interface Attack {
  readonly rig: Rig;
  readonly words: Words;
  /** Whether the tool is still at it. */
  running(): boolean;
}

/** Runs the tool for at most `seconds` with `options` against a server, and `during` beside it. Then all must be over. */
async function underAttack(
  options: { readonly limits: Partial<ServerLimits>; readonly attack: readonly string[]; readonly path?: string },
  during: (attack: Attack) => Promise<void>,
): Promise<void> {
  const words = new Words();
  await using rig = await Rig.start({ target, serve: { limits: options.limits }, serverSubscribers: [words] });
  const url = `${rig.server.url}${options.path ?? "/"}`;
  const common = ["-c", `${connections}`, "-r", "200", "-u", url];
  const tool = spawn(findProgram("slowhttptest") ?? "", [...options.attack, ...common], { stdio: "ignore" });
  const exited = once(tool, "exit");
  try {
    await during({
      rig,
      words,
      running: () => tool.exitCode === null,
    });
  } finally {
    if (tool.exitCode === null) tool.kill("SIGKILL");
    await exited;
  }
  await rig.quiet();
  await until(() => rig.server.inventory().probes["visitors.sockets"] === 0, { what: "no socket is left" });
}

/** A visitor among the attackers, some times over. */
async function servesOthers(rig: Rig): Promise<void> {
  for (let n = 0; n < 10; n += 1) assert.equal((await rig.fetch("/")).body, "fine");
}

void test(
  "slow headers: the deadline of the head is absolute, however steadily they drip",
  needs("slowhttptest"),
  async () => {
    const attack = ["-H", "-i", "1", "-x", "8", "-l", "60"];
    await underAttack({ limits: { headMs: 3_000 }, attack }, async ({ rig, words, running }) => {
      await until(() => rig.serverLedger.live("visitor_socket") > connections / 2, { what: "the attack goes on" });
      await servesOthers(rig);
      await until(() => words.badRequests.length >= connections, { what: "all are refused", timeoutMs: 30_000 });
      assert.deepEqual([...new Set(words.badRequests)], ["head_timeout"]);
      // The visitors' own requests were exchanges; no attacker's has become one.
      assert.ok(rig.clientLedger.accounts.exchange.opened < connections);
      await until(() => !running(), { what: "it has nothing left to drip into", timeoutMs: 30_000 });
    });
  },
);

void test(
  "slow bodies: what falls silent is cut, in the tunnel and at the target as well",
  needs("slowhttptest"),
  async () => {
    const attack = ["-B", "-i", "30", "-s", "8192", "-x", "8", "-l", "60"];
    await underAttack({ limits: { requestIdleMs: 2_000 }, attack }, async ({ rig, words }) => {
      await until(() => rig.serverLedger.live("exchange") > connections / 2, { what: "the attack goes on" });
      await servesOthers(rig);
      await until(() => words.refusals.length >= connections, { what: "all are cut", timeoutMs: 30_000 });
      assert.deepEqual([...new Set(words.refusals)], ["request_idle"]);
      await until(() => rig.targetConnections <= 1, { what: "the target is rid of them" });
    });
  },
);

void test(
  "slow bodies that never fall silent cost a place, and nobody else anything",
  needs("slowhttptest"),
  async () => {
    const attack = ["-B", "-i", "1", "-s", "8192", "-x", "8", "-l", "60"];
    const limits = { requestIdleMs: 20_000, maxVisitorsPerAddress: 30 };
    await underAttack({ limits, attack }, async ({ rig, words }) => {
      await until(() => words.refusals.length >= connections - 30, { what: "one address has only so many places" });
      assert.deepEqual([...new Set(words.refusals)], ["visitors_per_address"]);
      assert.ok(rig.serverLedger.live("visitor_socket") <= 30);
      await until(
        async () => {
          // Another address has places of its own.
          const other = await rig.fetch("/", { localAddress: "127.0.0.2" });
          return other.body === "fine";
        },
        { what: "others are served" },
      );
    });
  },
);

void test(
  "slow reading: an answer that nobody takes is cut, with the transfer behind it",
  needs("slowhttptest"),
  async () => {
    const attack = ["-X", "-n", "1", "-z", "5", "-w", "1", "-y", "2", "-l", "60"];
    const options = { limits: { responseIdleMs: 3_000 }, attack, path: "/large" };
    await underAttack(options, async ({ rig, words, running }) => {
      await until(() => rig.serverLedger.live("exchange") > connections / 2, { what: "the attack goes on" });
      await servesOthers(rig);
      await until(() => words.refusals.length >= connections, { what: "all are cut", timeoutMs: 60_000 });
      assert.ok(running(), "it was not the tool that gave up");
      assert.deepEqual([...new Set(words.refusals)], ["response_idle"]);
    });
  },
);
