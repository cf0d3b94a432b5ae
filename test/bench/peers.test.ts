// bench:peers in a form of seconds, with peers that are always there: one that answers, one that is missing, one that does
// not start. The real ones are found by their adapters, or not, and say so.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { quickPlan } from "../../bench/contest/speeds.ts";
import { oneNginx } from "../../bench/contestants/nginx.ts";
import { divisionsOf, peers } from "../../bench/peers.ts";
import { allPeers } from "../../bench/peers/all-peers.ts";
import type { Peer } from "../../bench/peers/peer.ts";
import { divisionsOf as throughputDivisions } from "../../bench/throughput.ts";
import { loopbackOnly } from "../../bench/peers/loopback-only.ts";
import { carrying, missingOf, sought, soughtIn } from "../../bench/peers/peer.ts";
import { needsBenchPrograms } from "../support/bench-programs.ts";

function peer(name: string, changes: Partial<Peer> = {}): Peer {
  return { ...oneNginx, name, proxies: "HTTP", version: () => "1.2.3", ...changes };
}

test(
  "peers: those that stand are measured, the others are named",
  { ...needsBenchPrograms(), timeout: 300_000 },
  async () => {
    const field = [
      peer("standing"),
      peer("missing", { missing: "is not installed" }),
      peer("failing", { start: () => Promise.reject(new Error("does not start")) }),
    ];
    const report = await peers({ plan: { ...quickPlan, mebibytes: 2 }, quick: false, peers: field });
    const present = ["Caisson", "Caisson TCP", "standing"];
    for (const samples of Object.values(report.found).flatMap((division) => Object.values(division))) {
      assert.deepEqual(Object.keys(samples).toSorted(), present);
    }
    assert.deepEqual(
      new Set(report.absences.map(({ contestant, why }) => `${contestant} ${why}`)),
      new Set(["missing is not installed", "failing does not start"]),
    );
    assert.match(
      report.markdown,
      /^- missing: not run, is not installed \(requests; small uploads; transfers; first byte; WebSocket\)$/mu,
    );
    assert.match(report.markdown, /^\| standing +\| \d/mu);
    assert.equal(report.programs["standing"], "1.2.3");
    assert.deepEqual(
      report.goals.map(({ against, bound }) => [against, bound]),
      [
        ["standing", { atLeast: 2 }],
        ["failing", { atLeast: 2 }],
      ],
    );
  },
);

test("peers do what throughput measures, but for its division of TCP streams", () => {
  const names = (divisions: ReturnType<typeof divisionsOf>): readonly string[] =>
    divisions.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)).toSorted();
  const others = throughputDivisions(quickPlan, [1, 16, 64, 256]).filter(({ title }) => title !== "TCP");
  assert.deepEqual(names(divisionsOf(quickPlan, [])), names(others));
});

test("what an adapter looks for is there, or it says where it looked", () => {
  assert.equal(missingOf(sought("PEER_NOTHING", "sh")), undefined);
  assert.match(
    missingOf(sought("PEER_NOTHING", "no-such-program")) ?? "",
    /no-such-program on PATH or in PEER_NOTHING/u,
  );
  assert.match(missingOf(soughtIn("PEER_NOTHING", "file")) ?? "", /PEER_NOTHING is not set/u);
  assert.equal(new Set(allPeers.map(({ name }) => name)).size, 7);
  for (const { missing, version } of allPeers) if (missing === undefined) assert.ok(version() ?? "unknown");
});

test("a peer takes no part where bodies are larger than those that it carries", () => {
  const small = peer("small", { mostBodyBytes: 100 });
  assert.equal(carrying(small, 100), small);
  assert.match(carrying(small, 101).missing ?? "", /at most 100 bytes/u);
  assert.equal(carrying({ ...small, missing: "is not installed" }, 101).missing, "is not installed");
  const any = peer("any");
  assert.equal(carrying(any, 2 ** 40), any);
});

test("a peer in Node listens on 127.0.0.1, however it was told to listen", () => {
  const script = `
    const net = require("node:net");
    const http = require("node:http");
    const heard = [];
    const tell = (server) => () => {
      heard.push(server.address().address);
      server.close();
      if (heard.length === 7) console.log([...new Set(heard)].join());
    };
    const start = (make, ...words) => {
      const server = make();
      server.listen(...words, tell(server));
    };
    start(net.createServer);
    start(net.createServer, 0);
    start(http.createServer, 0, undefined, 100);
    start(http.createServer, 0, 100);
    start(net.createServer, 0, "127.0.0.1");
    start(net.createServer, { port: 0 });
    start(net.createServer, { port: 0, host: undefined });
  `;
  assert.equal(
    execFileSync(process.execPath, [...loopbackOnly, "-e", script], { encoding: "utf8" }).trim(),
    "127.0.0.1",
  );
});
