// The count of visitors' sockets, against a model: whatever comes, goes and is handed over, in any order.

import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { serverLimits } from "../../src/server/limits.ts";
import { TrustedProxies } from "../../src/server/trusted-proxies.ts";
import { VisitorQuota } from "../../src/server/visitor-quota.ts";

function quotaOf(limits: { readonly maxVisitors: number; readonly maxVisitorsPerAddress: number }): VisitorQuota {
  return new VisitorQuota({
    limits: { ...serverLimits(1_024), ...limits },
    trusted: new TrustedProxies(["10.0.0.0/8", "2001:db8:0:1::1"]),
  });
}

void test("never more than allowed, whatever comes and goes in whatever order", () => {
  const addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "10.1.2.3", "2001:db8:0:1::1", "2001:db8:0:1:2::3"];
  // The last but one and the last are neighbours; one of them is trusted.
  const trusted = new Set(["10.1.2.3", "2001:db8:0:1::1"]);
  const steps = fc.array(
    fc.record({ address: fc.constantFrom(...addresses), act: fc.constantFrom("come", "close", "release") }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, (sequence) => {
      const quota = quotaOf({ maxVisitors: 10, maxVisitorsPerAddress: 3 });
      const open = new Map<string, Socket[]>(addresses.map((address) => [address, []]));
      const total = (): number => [...open.values()].reduce((sum, { length }) => sum + length, 0);
      for (const { address, act } of sequence) {
        const mine = open.get(address) ?? [];
        if (act === "come") {
          const socket = new Socket();
          const crowded = mine.length >= 3 && !trusted.has(address);
          const expected = crowded ? "visitors_per_address" : total() >= 10 ? "visitors" : undefined;
          assert.equal(quota.admit(socket, address), expected);
          if (expected === undefined) mine.push(socket);
        } else {
          const socket = mine.shift();
          if (!socket) continue;
          if (act === "close") socket.emit("close");
          else quota.release(socket);
          // Both may happen to one socket: it counts once all the same.
          quota.release(socket);
          socket.emit("close");
        }
        assert.equal(quota.sockets, total());
        assert.equal(quota.addresses, [...open.values()].filter(({ length }) => length > 0).length);
      }
    }),
  );
});

void test("the addresses of one IPv6 network share their places, also where they are told later", () => {
  const quota = quotaOf({ maxVisitors: 10, maxVisitorsPerAddress: 2 });
  const first = new Socket();
  assert.equal(quota.admit(first, "2001:db8::1"), undefined);
  assert.equal(quota.admit(new Socket(), "2001:db8::ffff:2"), undefined);
  assert.equal(quota.admit(new Socket(), "2001:db8:0:0:3::"), "visitors_per_address");
  const proxied = new Socket();
  assert.equal(quota.admit(proxied, "10.0.0.1"), undefined);
  assert.equal(quota.move(proxied, "2001:db8::4"), "visitors_per_address");
  assert.equal(quota.move(proxied, "2001:db8:0:1::4"), undefined);
  assert.equal(quota.addresses, 2);
  quota.release(first);
  assert.equal(quota.admit(new Socket(), "2001:db8:0:0:3::"), undefined);
});
