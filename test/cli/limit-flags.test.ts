import assert from "node:assert/strict";
import { test } from "node:test";
import type { LimitFlag } from "../../src/cli/limit-flags.ts";
import { attributeOf, clientLimitFlags, limitsOf, serveLimitFlags } from "../../src/cli/limit-flags.ts";
import { defaultClientLimits } from "../../src/client/limits.ts";
import { defaultMuxLimits } from "../../src/mux/limits.ts";
import { serverLimits } from "../../src/server/limits.ts";

const tables: readonly [role: string, flags: readonly LimitFlag[], defaults: Readonly<Record<string, unknown>>][] = [
  ["serve", serveLimitFlags, { ...defaultMuxLimits, ...serverLimits(1000) }],
  ["http", clientLimitFlags, { ...defaultMuxLimits, ...defaultClientLimits }],
];

/** Computed at start, or without a limit: the help says so in words. */
const computed = new Set(["maxVisitors", "maxSessions", "maxTcpPorts", "maxWaitingLogins", "maxBodyBytes"]);
/** Lowered by tests only. */
const withoutFlag = new Set(["lastStreamId"]);

for (const [role, flags, defaults] of tables) {
  test(`every limit of ${role} has a flag that shows its real default`, () => {
    for (const [flag, key, , standard] of flags) {
      assert.equal(standard, computed.has(key) ? undefined : defaults[key], `--${flag}`);
    }
    const keys = new Set(flags.map(([, key]) => key));
    assert.deepEqual(
      Object.keys(defaults).filter((key) => !withoutFlag.has(key) && !keys.has(key)),
      [],
    );
  });

  test(`flags of ${role} are unique and named alike`, () => {
    const names = flags.map(([flag]) => flag);
    assert.equal(new Set(names).size, names.length);
    for (const [flag, key, unit] of flags) {
      assert.match(flag, /^[a-z]+(-[a-z]+)*$/);
      assert.equal(key.endsWith("Ms"), unit === "duration", key);
    }
  });
}

test("only what was given is passed on", () => {
  assert.equal(attributeOf("max-visitors-per-address"), "maxVisitorsPerAddress");
  assert.deepEqual(limitsOf(serveLimitFlags, { deadAfter: 3000, listen: "x" }), { deadAfterMs: 3000 });
  assert.deepEqual(limitsOf(serveLimitFlags, {}), {});
});
