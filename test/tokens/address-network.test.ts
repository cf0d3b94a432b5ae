// Whoever has one IPv6 address has its whole /64; IPv4 addresses stand for themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { networkOf } from "../../src/tokens/address-network.ts";

void test("what addresses count as", () => {
  for (const [address, network] of [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8::ffff:1", "2001:db8:0:0::/64"],
    ["2001:DB8:0:0:9:8:7:6", "2001:db8:0:0::/64"],
    ["2001:0db8:0000:0001::", "2001:db8:0:1::/64"],
    ["2001:db8:1:2:3::4", "2001:db8:1:2::/64"],
    ["2001:db8:1::2:3:4:5", "2001:db8:1:0::/64"],
    ["2001:db8:1:2:3:4:192.0.2.1", "2001:db8:1:2::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["::192.0.2.1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64%eth0"],
    ["", ""],
  ] as const) {
    assert.equal(networkOf(address), network, address);
  }
});

void test("however it is written, an address is in the network of its first 64 bits", () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(
      fc.array(group, { minLength: 8, maxLength: 8 }),
      fc.array(group, { minLength: 4, maxLength: 4 }),
      (groups, other) => {
        const text = (parts: readonly number[]): string => parts.map((part) => part.toString(16)).join(":");
        const short = new URL(`http://[${text(groups)}]/`).hostname.slice(1, -1);
        const expected = `${text(groups.slice(0, 4))}::/64`;
        assert.equal(networkOf(text(groups)), expected);
        assert.equal(networkOf(short), expected);
        assert.equal(networkOf(text([...groups.slice(0, 4), ...other])), expected);
      },
    ),
  );
});
