// The list of what came and went last.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Resource, ResourceKind } from "../../src/lifecycle/resource.ts";
import { Arrivals, keptArrivals } from "../../src/observe/arrivals.ts";

function resource(kind: ResourceKind, facts: object = {}): Resource {
  return { kind, openedAtMs: performance.now() - 1_500, ...facts };
}

describe("arrivals", () => {
  it("tell of tunnels by name and of sessions by peer, the newest first", () => {
    const arrivals = new Arrivals();
    arrivals.opened(resource("session", { peer: "10.0.0.7" }));
    arrivals.opened(resource("tunnel", { name: "demo" }));
    arrivals.closed(resource("tunnel", { name: "demo" }), "goodbye");
    const [closed, tunnel, session] = arrivals.latest();
    assert.deepEqual([session?.kind, session?.change, session?.name], ["session", "opened", "10.0.0.7"]);
    assert.deepEqual([tunnel?.kind, tunnel?.change, tunnel?.name], ["tunnel", "opened", "demo"]);
    assert.deepEqual([closed?.change, closed?.reason], ["closed", "goodbye"]);
    assert.ok((closed?.openMs ?? 0) >= 1_500);
  });

  it("ignore every other kind", () => {
    const arrivals = new Arrivals();
    arrivals.opened(resource("exchange"));
    arrivals.closed(resource("stream"), "ok");
    assert.equal(arrivals.count, 0);
    assert.deepEqual(arrivals.latest(), []);
  });

  it("keep a fixed number, whatever comes, and cut long names", () => {
    const arrivals = new Arrivals();
    for (let n = 0; n < 10_000; n += 1) arrivals.opened(resource("tunnel", { name: `${n}-${"x".repeat(500)}` }));
    const latest = arrivals.latest();
    assert.equal(arrivals.count, 10_000);
    assert.equal(latest.length, keptArrivals);
    assert.deepEqual(
      latest.map(({ number }) => number),
      Array.from({ length: keptArrivals }, (_, index) => 9_999 - index),
    );
    assert.ok(latest.every(({ name }) => name.length <= 120));
  });
});
