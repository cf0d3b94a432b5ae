// A live page that stays open: ten thousand clients come and go, and hours of frames pass by, and neither the browser nor
// the process holds more than before.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../src/assemble/connect.ts";
import type { LiveFrame } from "../../src/admin/live-frame.ts";
import { resourceKinds } from "../../src/lifecycle/resource.ts";
import { frameAt, kindWith } from "../page/frames.ts";
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
  await until(() => openSockets() === sockets, {
    what: "only the page's own socket is open",
    detail: () => ({ sockets, now: openSockets() }),
    timeoutMs: 30_000,
  });
  await until(() => process.getActiveResourcesInfo().length <= handles + 2, { what: "no handle was left" });
  assert.deepEqual(browser.complaints, []);
  await page.close();
});

test("five hours of frames leave a page as heavy as five minutes do", needs("chromium"), async () => {
  using admin = new PrivateAdmin();
  await using rig = await Rig.start({ serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options } });
  await using browser = await TestBrowser.start();
  const page = await browser.page();
  let second = 0;
  const weights: number[] = [];
  await page.route("**/api/live", async (route) => {
    // Each stream begins where the last one was cut, so that the page sees one long day with reconnects in it.
    const count = second === 0 ? 600 : 2_000;
    const body = Array.from({ length: count }, () => `data: ${JSON.stringify(frame((second += 1)))}\n\n`).join("");
    await route.fulfill({ status: 200, contentType: "text/event-stream", body });
  });
  await page.goto(rig.server.signedInUrl());
  const reached = async (): Promise<void> => {
    const opened = new RegExp(`^session ${second.toLocaleString("en")} `, "u");
    await page.getByRole("row", { name: opened }).waitFor({ timeout: 30_000 });
    weights.push((await browser.weigh(page)).heapBytes);
  };
  while (second < 18_000) {
    const from = second;
    await until(() => second > from, { what: "the page comes back", timeoutMs: 30_000 });
    await reached();
    await page.getByRole("button", { name: "Connect now" }).click();
  }
  const [first = 0] = weights;
  const last = weights.at(-1) ?? Infinity;
  assert.ok(last - first < heapRoomBytes, `the heap went ${weights.join(", ")}`);
  await page.close();
});

function frame(second: number): LiveFrame {
  const now = frameAt(Date.UTC(2026, 0, 1) + second * 1_000, second % 97);
  const kinds = Object.fromEntries(
    resourceKinds.map((kind) => [kind, kindWith({ opened: second, closed: second - 2, live: 2, held: 2 })]),
  );
  const arrivals = Array.from({ length: 40 }, (_, n) => ({
    number: second * 40 - n,
    atMs: now.atMs,
    kind: "session" as const,
    change: "closed" as const,
    name: `10.0.${second % 256}.${n}`,
    reason: "goodbye",
    openMs: 5,
  }));
  const instance = {
    role: "server",
    version: "0.1.0",
    node: "v20",
    pid: 1,
    instance: "one",
    snapshots: false,
  } as const;
  const heap = { points: [[0, second] as const], bytesPerHour: 1, slopePoints: 9, slopeMs: 99_000 };
  return { now: { ...now, kinds }, about: instance, heap, arrivals };
}
