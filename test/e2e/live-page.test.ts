// The live page in a real browser: signing in, what it shows, a leak that appears, a process that goes away.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Page } from "playwright-core";
import type { Resource } from "../../src/lifecycle/resource.ts";
import { QuietEvents } from "../../src/lifecycle/quiet-events.ts";
import { PrivateAdmin } from "../support/admin-reader.ts";
import { TestBrowser } from "../support/browser.ts";
import { needs } from "../support/debian.ts";
import { Rig } from "../support/rig.ts";
import { startCaisson } from "../support/run.ts";
import { until } from "../support/until.ts";

/** Refers to every session for ever: the leak that the page must show. */
class Hoarder extends QuietEvents {
  readonly kept: Resource[] = [];

  override opened(resource: Resource): void {
    if (resource.kind === "session") this.kept.push(resource);
  }
}

const live = (page: Page): Promise<void> => page.getByRole("banner").getByText("live", { exact: true }).waitFor();

test("signs in by the code of its address, shows traffic, and signs out", needs("chromium"), async () => {
  using admin = new PrivateAdmin();
  await using rig = await Rig.start({ serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options } });
  await using browser = await TestBrowser.start();
  const page = await browser.page();
  const address = rig.server.signedInUrl();
  await page.goto(address);
  await live(page);
  assert.equal(new URL(page.url()).hash, "", "the code has left the address");
  await page.getByRole("row", { name: /^demo/u }).waitFor();
  for (let n = 0; n < 5; n += 1) await rig.fetch("/");
  await page.getByRole("row", { name: /^demo http .* 5 /u }).waitFor();
  await page.getByText("No leak in sight").waitFor();
  await page.getByText("session 127.0.0.1 opened").first().waitFor();
  const another = await rig.connectAnother({ name: "another" });
  await page.getByRole("row", { name: /^another/u }).waitFor();
  await another.close();
  await page.getByRole("row", { name: /^another/u }).waitFor({ state: "detached" });
  await page.getByText("tunnel another closed").waitFor();

  // The code works once; the cookie lasts.
  await page.goto("about:blank");
  await page.goto(address);
  await live(page);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Admin token").waitFor();
  await page.reload();
  await page.getByLabel("Admin token").fill("csa_wrong-wrong-wrong-wrong-wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("this is not the admin token").waitFor();
  await page.getByLabel("Admin token").fill(admin.token);
  await page.keyboard.press("Enter");
  await live(page);
  // A browser tells of every 401 by itself: those of the used code, of the lost cookie, and of the wrong token.
  const own = browser.complaints.filter((text) => !text.includes("status of 401"));
  assert.deepEqual(own, []);
});

test("every button states its cost, and collecting and diag do what they say", needs("chromium"), async () => {
  using admin = new PrivateAdmin();
  await using rig = await Rig.start({ serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options } });
  await using browser = await TestBrowser.start();
  const page = await browser.page();
  await page.goto(rig.server.signedInUrl());
  await live(page);
  const cost = async (name: string): Promise<string> => {
    const described = await page.getByRole("button", { name }).getAttribute("aria-describedby");
    return page.locator(`#${described}`).innerText();
  };
  assert.match(await cost("Collect garbage"), /Stops the event loop for about [\d.]+ ms/u);
  assert.match(await cost("Take heap snapshot"), /about [\d.]+ m?s, writes about [\d.,]+ MB and needs up to/u);
  assert.match(await cost("Download diag"), /secrets removed/u);

  await page.getByRole("button", { name: "Collect garbage" }).click();
  await page.getByText(/Collected in .* the heap is at/u).waitFor();

  const archive = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download diag" }).click();
  assert.match((await archive).suggestedFilename(), /^caisson-diag-.*\.tar\.gz$/u);
  assert.deepEqual(browser.complaints, []);
});

test("a heap snapshot is taken, fetched and deleted", needs("chromium"), async () => {
  using admin = new PrivateAdmin();
  // A process of its own: the heap of this one is large, and so would be its standstill.
  const { tokenFile = "" } = admin.withTokenFile();
  const where = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--admin-token-file", tokenFile];
  await using server = startCaisson(["serve", "--json", ...where]);
  await using browser = await TestBrowser.start();
  const page = await browser.page();
  await page.goto(String((await server.event("listening"))["admin"]));
  await page.getByLabel("Admin token").fill(readFileSync(tokenFile, "utf8").trim());
  await page.keyboard.press("Enter");
  await live(page);
  await page.getByText("None is kept.").waitFor();
  await page.getByRole("button", { name: "Take heap snapshot" }).click();
  const patient = { timeout: 120_000 };
  await page.getByText(/Snapshot taken: [\d.]+ MB/u).waitFor(patient);

  const file = page.waitForEvent("download", patient);
  await page.getByRole("link", { name: /^Download the snapshot of/u }).click();
  const download = await file;
  assert.match(download.suggestedFilename(), /\.heapsnapshot$/u);
  assert.ok((await download.createReadStream()).readable);

  await page.getByRole("button", { name: /^Delete the snapshot of/u }).click();
  await page.getByRole("button", { name: /^Really delete/u }).click();
  await page.getByText("None is kept.").waitFor();
  await live(page);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
});

test("a seeded leak appears: a closed session that something refers to", needs("chromium"), async () => {
  using admin = new PrivateAdmin();
  const hoarder = new Hoarder();
  await using rig = await Rig.start({
    serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options, limits: { closeTimeoutMs: 200 } },
    serverSubscribers: [hoarder],
  });
  await using browser = await TestBrowser.start();
  const page = await browser.page();
  await page.goto(rig.server.signedInUrl());
  await page.getByText("No leak in sight").waitFor();
  const leaky = await rig.connectAnother({ name: "leaky" });
  await leaky.close();
  const verdict = page.getByText("1 closed session: something still refers to it");
  // It is retained once it is older than the grace and has survived four collections.
  while (!(await verdict.isVisible())) {
    await page.getByRole("button", { name: "Collect garbage" }).click();
    await page.waitForTimeout(500);
  }
  await page.getByText("Something leaks.").waitFor();
  await page.getByRole("row", { name: /^session#\d+ session/u }).waitFor();
  assert.equal(hoarder.kept.length, 2);
  assert.deepEqual(browser.complaints, []);
});

test("a lost connection is told of, and comes back by itself", needs("chromium"), async () => {
  using admin = new PrivateAdmin();
  await using rig = await Rig.start({ serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options } });
  await using browser = await TestBrowser.start();
  const page = await browser.page();
  await page.goto(rig.server.signedInUrl());
  await live(page);
  await page.route("**/api/live", (route) => route.abort());
  // The stream that runs is not a new request: only a reload meets the fault.
  await page.reload();
  await page
    .getByRole("banner")
    .getByText(/does not answer; next attempt at/u)
    .waitFor();
  await page.unroute("**/api/live");
  await live(page);
});

test("a client's private listener has the page too", needs("chromium"), async () => {
  using admin = new PrivateAdmin();
  await using rig = await Rig.start({ connect: { admin: admin.options } });
  await using browser = await TestBrowser.start();
  const page = await browser.page();
  await page.goto(rig.tunnel.admin);
  await page.getByLabel("Admin token").fill(admin.token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await live(page);
  await page.getByRole("heading", { name: "Caisson client" }).waitFor();
  await page.getByRole("row", { name: /^demo http http:/u }).waitFor();
});

test("fits a phone and a desk, and is used by keyboard", needs("chromium"), async () => {
  using admin = new PrivateAdmin();
  await using rig = await Rig.start({ serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options } });
  await using browser = await TestBrowser.start();
  const page = await browser.page();
  await page.goto(rig.server.signedInUrl());
  await live(page);
  for (const width of [1600, 1000, 380]) {
    await page.setViewportSize({ width, height: 900 });
    // Charts follow the width of their panels in a later frame. Asked from here: the page's policy forbids an `eval`
    // inside of it, which is what the browser library's own waiting does from its second look on.
    await until(() => page.evaluate<boolean>("document.documentElement.scrollWidth <= window.innerWidth"), {
      what: `the page fits ${width} pixels`,
    });
  }
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate("document.activeElement.textContent.trim()"), "Skip to the figures");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate("document.activeElement.id"), "content");
  const nameless = await page.evaluate(`[...document.querySelectorAll("button, a, select, input")].filter(
    (one) => (one.ariaLabel ?? one.closest("label")?.textContent ?? one.textContent).trim() === "",
  ).length`);
  assert.equal(nameless, 0);
  const bare = await page.evaluate(
    `[...document.querySelectorAll("table")].filter((table) => table.caption === null).length`,
  );
  assert.equal(bare, 0);
  assert.equal(await page.getByRole("main").count(), 1);
  assert.equal(await page.getByRole("banner").count(), 1);
  assert.deepEqual(browser.complaints, []);
});
