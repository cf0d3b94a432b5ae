// Whether the descriptors of a server suffice for its sessions, its visitors and the ports of TCP tunnels.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { serve } from "../../src/assemble/serve.ts";
import { portShortage, serverLimits } from "../../src/server/limits.ts";

void test("a range of ports that fits is nothing to warn of, one more port is", () => {
  for (const [descriptors, fits] of [
    [1_024, 50],
    [20_060, 1_002],
    [262_144, 13_106],
  ] as const) {
    const limits = serverLimits(descriptors);
    assert.equal(portShortage({ from: 10_000, to: 9_999 + fits }, { descriptors, limits }), undefined);
    assert.match(
      portShortage({ from: 10_000, to: 10_000 + fits }, { descriptors, limits }) ?? "",
      new RegExp(`^the limit of ${descriptors} open files is too low when all ${fits + 1} TCP ports are open: .*raise`),
    );
  }
});

void test("what the sentence says to lower ends the shortage", () => {
  fc.assert(
    fc.property(fc.integer({ min: 256, max: 100_000 }), fc.integer({ min: 1, max: 65_535 }), (descriptors, to) => {
      const range = { from: 1, to };
      const limits = { maxVisitors: 0, maxSessions: Math.max(0, descriptors - 48 - to) };
      const enough = descriptors >= 48 + to;
      assert.equal(portShortage(range, { descriptors, limits }) === undefined, enough);
    }),
  );
});

void test("visitors, sessions and ports together stay within the descriptors, whatever is given", () => {
  const count = fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined });
  fc.assert(
    fc.property(fc.integer({ min: 64, max: 20_000 }), count, count, count, (descriptors, visitors, sessions, ports) => {
      const { maxVisitors, maxSessions, maxTcpPorts } = serverLimits(descriptors, {
        ...(visitors === undefined ? {} : { maxVisitors: visitors }),
        ...(sessions === undefined ? {} : { maxSessions: sessions }),
        ...(ports === undefined ? {} : { maxTcpPorts: ports }),
      });
      const room = Math.max(0, descriptors - 48 - maxVisitors - maxSessions);
      assert.equal(maxTcpPorts, Math.min(ports ?? room, room));
    }),
  );
});

void test("the operator is warned when the server starts, and only where ports are given", async () => {
  const warnings: string[] = [];
  const onWarning = (message: string): void => void warnings.push(message);
  const limits = { maxVisitors: 1_000_000_000 };
  await using without = await serve({ listen: "127.0.0.1:0", limits, onWarning });
  assert.deepEqual([without.admin, warnings], ["", []]);
  await using server = await serve({ listen: "127.0.0.1:0", tcpPorts: "10000-10009", limits, onWarning });
  assert.equal(server.admin, "");
  assert.equal(warnings.length, 1);
  assert.match(warnings.join(), /all 10 TCP ports are open: they, 1000000000 visitors/);
});
