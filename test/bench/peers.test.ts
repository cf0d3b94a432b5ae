// bench:peers in a form of seconds, with peers that are always there: one that answers, one that is missing, one that does
// not start. The real ones are found by their adapters, or not, and say so.

import assert from "node:assert/strict";
import { test } from "node:test";
import { oneNginx } from "../../bench/contestants/nginx.ts";
import { peers, quickPlan } from "../../bench/peers.ts";
import { allPeers } from "../../bench/peers/all-peers.ts";
import type { Peer } from "../../bench/peers/peer.ts";
import { missingOf, sought, soughtIn } from "../../bench/peers/peer.ts";
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
    assert.match(report.markdown, /^- missing: not run, is not installed \(requests; transfers\)$/mu);
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
