// A live page that stays open while ten thousand clients come and go: neither the browser nor the process holds more than
// before.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/assemble/connect.ts";
import { PrivateAdmin } from "../support/admin-reader.ts";
import { TestBrowser } from "../support/browser.ts";
import { needs } from "../support/debian.ts";
import { openSockets } from "../support/open-files.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

const clients = 10_000;
const atOnce = 24;
/** Room for what a browser compiles and caches meanwhile. */
const heapRoomBytes = 1_500_000;
const nodeRoom = 200;
const listenerRoom = 10;

test("ten thousand clients come and go before an open page", needs("chromium"), async () => {
  using admin = new PrivateAdmin();
  await using rig = await Rig.start({ serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options } });
  await using browser = await TestBrowser.start();
  const page = await browser.page();
  await page.goto(rig.server.signedInUrl());
  await page.getByText("No leak in sight").waitFor();
  const server = rig.server.url.replace("http", "ws");
  const churn = async (count: number): Promise<void> => {
    let begun = 0;
    const one = async (): Promise<void> => {
      while (begun < count) {
        begun += 1;
        const tunnel = await connect({ server, target: 1 });
        await tunnel.close({ force: true });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, one));
  };
  const sessions = async (count: string): Promise<void> => {
    await page.getByRole("row", { name: new RegExp(`^session ${count}`, "u") }).waitFor({ timeout: 30_000 });
    await page.getByRole("row", { name: /^demo/u }).waitFor();
  };
  // The list of comings and goings fills up first.
  await churn(200);
  await sessions("201 200 1 1");
  const before = await browser.weigh(page);
  const sockets = openSockets();
  const handles = process.getActiveResourcesInfo().length;

  await churn(clients);
  await sessions("10,201 10,200 1 1");
  const after = await browser.weigh(page);
  const heapGrowth = after.heapBytes - before.heapBytes;
  assert.ok(heapGrowth < heapRoomBytes, `the browser's heap grew by ${heapGrowth} bytes`);
  assert.ok(after.nodes - before.nodes < nodeRoom, `${before.nodes} nodes became ${after.nodes}`);
  assert.ok(after.listeners - before.listeners < listenerRoom, `${before.listeners} listeners, now ${after.listeners}`);
  await until(() => (openSockets() ?? 0) <= (sockets ?? 0), {
    what: "no socket was left",
    detail: () => ({ sockets, now: openSockets() }),
    timeoutMs: 30_000,
  });
  await until(() => process.getActiveResourcesInfo().length <= handles + 2, { what: "no handle was left" });
  assert.deepEqual(browser.complaints, []);
  await page.close();
});
