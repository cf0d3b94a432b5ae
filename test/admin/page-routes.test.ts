// The live page's own files: what may load them, what they may load, how long they are kept, and how large they are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { AdminClient } from "../../src/admin/admin-client.ts";
import { readPageFiles } from "../../src/admin/page-files.ts";
import { pageRoutes } from "../../src/admin/page-routes.ts";
import { Router } from "../../src/admin/router.ts";
import { errorOf, rawStatus, startAdmin } from "./rig.ts";

/** All of the page's script, compressed, in bytes. */
const scriptBudget = 60 * 1024;

test("the page and its files are served to whoever is not signed in yet", async (t) => {
  const { listener } = await startAdmin(t);
  const anonymous = new AdminClient(listener.address);
  const page = await anonymous.ask("/");
  assert.equal(page.status, 200);
  assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
  assert.equal(page.headers["cache-control"], "no-store");
  assert.equal(page.headers["x-frame-options"], "DENY");
  const html = page.body.toString();
  const links = [...html.matchAll(/(?:src|href)="([^"]+)"/gu)].map(([, link]) => link ?? "");
  assert.equal(links.length, 3);
  for (const link of links) {
    assert.match(link, /^\/page\/[a-z]+-[0-9a-f]{12}\.(?:js|css|svg)$/u);
    const file = await anonymous.ask(link);
    assert.equal(file.status, 200, link);
    assert.match(String(file.headers["cache-control"]), /immutable/u);
    assert.equal(file.headers["x-content-type-options"], "nosniff");
    assert.equal(file.headers["cross-origin-resource-policy"], "same-origin");
  }
});

test("its policy lets nothing in from outside, and nothing inline", async (t) => {
  const { ask } = await startAdmin(t);
  const page = await ask("/");
  const policy = String(page.headers["content-security-policy"]);
  for (const part of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"]) {
    assert.ok(policy.includes(part), part);
  }
  assert.doesNotMatch(policy, /unsafe|data:|blob:|https?:|\*/u);
  const html = page.body.toString();
  assert.doesNotMatch(html, /<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/u);
  assert.doesNotMatch(html, /https?:\/\//u);
});

test("all of its script fits the budget, and asks no other host", async () => {
  const files = await readPageFiles();
  const scripts = [...files].filter(([name]) => name.endsWith(".js"));
  assert.ok(scripts.length >= 1);
  let bytes = 0;
  for (const [name, { bytes: script }] of scripts) {
    bytes += gzipSync(script, { level: 9 }).length;
    const hosts = script.toString().match(/(?:https?|wss?):\/\/(?!www\.w3\.org\/)[\w.]+/gu) ?? [];
    assert.deepEqual(hosts, [], name);
  }
  assert.ok(bytes <= scriptBudget, `${bytes} bytes of script`);
});

test("the licences of what is bundled are there", async () => {
  const licences = (await readPageFiles()).get("licences.txt")?.bytes.toString() ?? "";
  for (const name of ["preact", "uplot", "@preact/signals"]) assert.ok(licences.includes(name), name);
});

test("no other file can be had", async (t) => {
  const { ask, port } = await startAdmin(t);
  for (const path of ["/page/", "/page/index.html", "/page/x.js", "/page/..%2f..%2fpackage.json", "/page/%2e%2e"]) {
    assert.equal(errorOf(await ask(path)), "not_found", path);
  }
  // Paths are taken as they are: this one is nobody's, so it needs the token.
  assert.equal(await rawStatus(port, ["GET /page/../../../package.json HTTP/1.1", "Host: localhost"]), 401);
});

test("browsers are served compressed files", async (t) => {
  const { port } = await startAdmin(t);
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { "Accept-Encoding": "gzip" } });
  assert.equal(response.headers.get("content-encoding"), "gzip");
  assert.match(await response.text(), /<!doctype html>/iu);
});

test("the files are read once, and again after a failure", async () => {
  let reads = 0;
  const read = async (): ReturnType<typeof readPageFiles> => {
    reads += 1;
    if (reads === 1) throw new Error("a disk");
    return new Map();
  };
  const handler = new Router(pageRoutes(read)).find("GET", "/")?.handler;
  const request = { headers: {}, params: {} } as Parameters<NonNullable<typeof handler>>[0];
  await assert.rejects(async () => handler?.(request), /a disk/u);
  assert.equal((await handler?.(request))?.status, 501);
  assert.equal((await handler?.(request))?.status, 501);
  assert.equal(reads, 2);
});

test("other hosts and other sites get neither the page nor its data", async (t) => {
  const { port } = await startAdmin(t);
  const rebound = ["Host: evil.example", `Host: evil.example:${port}`, "Host: 127.0.0.1.evil.example"];
  for (const path of ["/", "/api/live", "/page/x.js"]) {
    for (const host of rebound) assert.equal(await rawStatus(port, [`GET ${path} HTTP/1.1`, host]), 403, host);
    const cross = ["Host: localhost", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"];
    assert.equal(await rawStatus(port, [`GET ${path} HTTP/1.1`, ...cross]), 403);
    assert.equal(
      await rawStatus(port, [`GET ${path} HTTP/1.1`, "Host: localhost", "Origin: http://evil.example"]),
      403,
    );
    assert.equal(await rawStatus(port, [`GET ${path} HTTP/1.1`, "Host: localhost", "X-Forwarded-For: 10.0.0.1"]), 403);
  }
});
