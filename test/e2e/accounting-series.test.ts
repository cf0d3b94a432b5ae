// What a scrape tells does not depend on how many tunnels there were: real ones come, are used and go, each under a name
// of its own, and the series are those of before.

import assert from "node:assert/strict";
import { test } from "node:test";
import { seriesOf } from "../observe/exposition-text.ts";
import { PrivateAdmin } from "../support/admin-reader.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

const tunnels = 300;
const atOnce = 20;
/** The system's own words, which come and go with what its sockets happen to do. */
const ofTheSystem = /^(?:caisson_tcp_sockets|caisson_descriptors|process_|nodejs_)/u;

/** Of several ways in which things end, chance decides which comes first; they are words of a closed set. */
const ofAnEnd = /[{,]reason="[a-z_]+"/u;

/** So many clients come together; each one's tunnel is visited once, and they go, half of them without a word. */
async function pass(rig: Rig, first: number): Promise<void> {
  const coming = Array.from({ length: atOnce }, (_, at) => rig.connectAnother({ name: `series-${first + at}` }));
  const standing = await Promise.all(coming);
  const asked = standing.map(({ name }) => rig.fetch(`/${name}`, { headers: { host: `${name}.localhost` } }));
  for (const { status } of await Promise.all(asked)) assert.equal(status, 200);
  await Promise.all(standing.map((tunnel, at) => tunnel.close({ force: at % 2 === 0 })));
}

test("300 tunnels come and go, and the scrape has the series and the length of before", async () => {
  using admin = new PrivateAdmin();
  // With samples, a kind is first told of when one of it was watched.
  const options = { ...admin.options, watchAll: true };
  await using rig = await Rig.start({ serve: { listen: "127.0.0.1:0", admin: options } });
  const reader = admin.reader(rig.server);
  const scraped = async (openedTunnels: number): Promise<string> => {
    const over = (): boolean => rig.serverLedger.live("session") === 1 && rig.serverLedger.live("exchange") === 0;
    await until(over, { what: "all but one have gone" });
    assert.equal(rig.serverLedger.accounts.tunnel.opened, openedTunnels);
    // Some are only told when they are known: after a collection, and after the first sample of the descriptors.
    await reader.collect(1);
    await reader.resources();
    return reader.metrics();
  };
  await pass(rig, 0);
  const before = await scraped(1 + atOnce);
  for (let made = atOnce; made < atOnce + tunnels; made += atOnce) await pass(rig, made);
  const after = await scraped(1 + atOnce + tunnels);
  const own = (text: string): string[] =>
    seriesOf(text).filter((series) => !ofTheSystem.test(series) && !ofAnEnd.test(series));
  const known = new Set(own(before));
  const added = own(after).filter((series) => !known.has(series));
  assert.deepEqual(added, [], "series that came with the tunnels");
  assert.doesNotMatch(after, /series-\d/u, "no name of a tunnel");
  // Digits grow, and the system may tell of one state of sockets more.
  assert.ok(after.length < before.length * 1.05, `${before.length} bytes before, ${after.length} after`);
});
