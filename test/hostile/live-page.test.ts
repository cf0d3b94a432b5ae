// Attacks on the private listener from inside a browser in which its operator is signed in: a name that was rebound to its
// address, and pages of other origins that ask, post and frame.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { CDPSession } from "playwright-core";
import { PrivateAdmin } from "../support/admin-reader.ts";
import { TestBrowser } from "../support/browser.ts";
import { needs } from "../support/debian.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";

/** A page of another origin: every path is an empty document. */
class EvilSite {
  readonly #server = createServer((request, response) => {
    request.resume();
    response.setHeader("Content-Type", "text/html").end("<!doctype html><title>evil</title>");
  });

  async start(): Promise<number> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** The statuses of what a page's attempts were answered with, below whatever the browser then hides from its scripts. */
class Wire {
  // By the browser's number of a request: of its URL and its status, either may be told first.
  readonly #urls = new Map<string, string>();
  readonly #codes = new Map<string, number>();

  async follow(session: CDPSession): Promise<void> {
    session.on("Network.requestWillBeSent", ({ requestId, request }) => this.#urls.set(requestId, request.url));
    session.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) => {
      this.#codes.set(requestId, statusCode);
    });
    await session.send("Network.enable");
  }

  /** Does what makes the browser ask for a URL; answers the status. */
  async statusOf(url: string, attempt: () => Promise<unknown>): Promise<number> {
    this.#urls.clear();
    this.#codes.clear();
    await attempt();
    await until(() => this.#statusOf(url) !== undefined, { what: `${url} was answered` });
    return this.#statusOf(url) ?? 0;
  }

  #statusOf(url: string): number | undefined {
    for (const [id, asked] of this.#urls) if (asked === url && this.#codes.has(id)) return this.#codes.get(id);
    return undefined;
  }
}

test("a signed-in browser is of no use to other pages", needs("chromium"), async () => {
  using admin = new PrivateAdmin();
  await using rig = await Rig.start({ serve: { listen: "127.0.0.1:0", catchAll: "demo", admin: admin.options } });
  await using evil = new EvilSite();
  const evilPort = await evil.start();
  await using browser = await TestBrowser.start({ hosts: ["rebound.example", "evil.example"] });
  const page = await browser.page();
  await page.goto(rig.server.signedInUrl());
  await page.getByText("No leak in sight").waitFor();
  const { port } = new URL(rig.server.admin);
  const wire = new Wire();
  await wire.follow(await browser.context.newCDPSession(page));
  const collections = (await admin.reader(rig.server).resources()).majorGcs;

  // The name of an attacker that now resolves to this address.
  for (const path of ["/", "/api/live", "/api/tunnels", "/debug/resources", "/metrics"]) {
    const rebound = await page.goto(`http://rebound.example:${port}${path}`);
    assert.equal(rebound?.status(), 403, path);
  }

  // Another port of the same host is the same site, so that the browser sends the cookie; evil.example is another one.
  for (const origin of [`http://127.0.0.1:${evilPort}`, `http://evil.example:${evilPort}`]) {
    await page.goto(origin);
    for (const [method, path] of [
      ["POST", "/debug/gc"],
      ["POST", "/debug/diag"],
      ["POST", "/debug/heap/snapshots"],
      ["POST", "/login"],
      ["POST", "/logout"],
      ["GET", "/api/live"],
      ["GET", "/api/tunnels"],
      ["GET", "/page/x.js"],
    ] as const) {
      const url = `http://127.0.0.1:${port}${path}`;
      const options = JSON.stringify({ method, mode: "no-cors", credentials: "include" });
      const script = `void fetch(${JSON.stringify(url)}, ${options}).catch(() => 0)`;
      const status = await wire.statusOf(url, () => page.evaluate(script));
      assert.equal(status, 403, `${method} ${path} from ${origin}`);
    }
    const action = `http://127.0.0.1:${port}/debug/gc`;
    const form = `Object.assign(document.body.appendChild(document.createElement("form")),
      { method: "POST", action: ${JSON.stringify(action)} }).submit()`;
    assert.equal(await wire.statusOf(action, () => page.evaluate(form)), 403, `a form of ${origin}`);
    // The form takes the page along; the next visit must not cross it.
    await page.waitForURL(action);
  }

  // A frame of another page shows nothing.
  await page.goto(`http://evil.example:${evilPort}`);
  const source = `http://127.0.0.1:${port}/`;
  const frame = `document.body.appendChild(document.createElement("iframe")).src = ${JSON.stringify(source)}`;
  assert.equal(await wire.statusOf(source, () => page.evaluate(frame)), 403);

  // Nothing of it was done, and the operator is still signed in.
  const reader = admin.reader(rig.server);
  assert.deepEqual(await reader.json("/debug/heap/snapshots"), []);
  const [cookie] = await browser.context.cookies(rig.server.admin);
  assert.ok(cookie?.httpOnly === true && cookie.sameSite === "Strict");
  const headers = { Cookie: `${cookie.name}=${cookie.value}` };
  assert.equal((await fetch(`${rig.server.admin}/api/tunnels`, { headers })).status, 200);
  // A change with the cookie but without an Origin is forged.
  assert.equal((await fetch(`${rig.server.admin}/debug/gc`, { method: "POST", headers })).status, 403);
  assert.ok((await reader.resources()).majorGcs - collections < 20);
  await page.close();
});
