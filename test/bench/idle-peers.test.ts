// Peers in bench:idle, without any that is installed: their clients are programs that wait, and the server's word is ours.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { Program } from "../../bench/harness/program.ts";
import { idle, idlePlans } from "../../bench/idle.ts";
import { allIdle } from "../../bench/idle/all-idle.ts";
import type { IdleContestant } from "../../bench/idle/contestant.ts";
import { frpName } from "../../bench/idle/frp.ts";
import { collectedInGo, IdlePeer } from "../../bench/idle/idle-peer.ts";
import { listenersOf } from "../../bench/idle/listeners.ts";
import { portOf } from "../../bench/gate/network/port-of.ts";

function waiting(): Program {
  return new Program({ title: "waiting", file: process.execPath, args: ["-e", "setInterval(() => undefined, 1000)"] });
}

/** A server that says that all its clients stand, until they are to go. */
function contestant(name: string, seen: number[]): IdleContestant {
  return {
    name,
    tunnelsPerSession: 1,
    mostTunnels: 4,
    missing: undefined,
    start: () => {
      const server = waiting();
      let standing = 0;
      let asked = 0;
      const peer = new IdlePeer({
        server,
        *clients(tunnels) {
          seen.push(tunnels);
          asked = tunnels;
          yield waiting();
        },
        // Not at once, and gone when it is asked again.
        standing: () => {
          standing = standing === asked ? 0 : Math.min(asked, standing + 1);
          return Promise.resolve(standing);
        },
        collectGarbage: () => Promise.resolve(1_000),
        release: () => server[Symbol.asyncDispose](),
      });
      return Promise.resolve(peer);
    },
  };
}

test(
  "idle: a peer is measured with as many tunnels as it can have, one that is missing is not",
  { timeout: 60_000 },
  async () => {
    const seen: number[] = [];
    const absent: IdleContestant = { ...contestant("absent", seen), missing: "is not installed" };
    // The report is about ours, so there must be one of that name.
    const plan = { ...idlePlans.quick, tunnels: 8, warm: 2, calm: 10 };
    const report = await idle(plan, [contestant("caisson", seen), absent]);
    assert.deepEqual(seen, [1, 4], "the same share of them comes and goes before");
    assert.deepEqual(
      report.rows.map(([name, tunnels]) => [name, tunnels]),
      [["caisson", "4"]],
    );
    assert.deepEqual(
      report.checks.map(({ notShown }) => notShown),
      ["4 tunnels stood, fewer than 5000"],
    );
  },
);

test("idle: a goal beside frp is judged by the side with fewer tunnels", { timeout: 60_000 }, async () => {
  const plan = { ...idlePlans.quick, tunnels: 6_000, warm: 2, calm: 10 };
  const ours: IdleContestant = { ...contestant("caisson", []), mostTunnels: 6_000 };
  const crowd = { ...ours, start: quickly };
  const report = await idle(plan, [crowd, contestant(frpName, [])]);
  assert.deepEqual(
    report.checks.map(({ notShown }) => notShown),
    [undefined, "4 tunnels stood, fewer than 5000"],
  );
});

/** A server whose clients stand as soon as they are asked for. */
function quickly(): ReturnType<IdleContestant["start"]> {
  const server = waiting();
  return Promise.resolve({
    pid: server.pid,
    gather: () => Promise.resolve(),
    disperse: () => Promise.resolve(),
    collectGarbage: () => Promise.resolve(1_000),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  });
}

test("idle: what is known is told apart by its name, and says why it is missing", () => {
  assert.equal(new Set(allIdle.map(({ name }) => name)).size, allIdle.length);
  for (const { missing } of allIdle) assert.ok(missing === undefined || /PATH/u.test(missing));
});

test("what a process listens on is counted, and nothing else", { skip: process.platform !== "linux" }, async () => {
  const before = listenersOf(process.pid);
  const servers = [createServer(), createServer()];
  for (const server of servers) await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const client = connect(portOf(servers[0] ?? createServer()), "127.0.0.1");
  await once(client, "connect");
  assert.equal(listenersOf(process.pid), before + 2);
  client.destroy();
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }
  assert.equal(listenersOf(process.pid), before);
});

test("a server in Go is told to collect, and tells its heap", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("heap profile\n# runtime.MemStats\n# Alloc = 7\n# HeapAlloc = 5372224\n# HeapSys = 9\n");
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  try {
    assert.equal(await collectedInGo(`http://127.0.0.1:${portOf(server)}`), 5_372_224);
    assert.deepEqual(asked, ["/debug/pprof/heap?gc=1&debug=1"]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
