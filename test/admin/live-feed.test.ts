// The stream that live pages read: one reading per second for all of them, none when nobody looks, and bounds for pages
// that are many, deaf, or no longer signed in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { maxPages } from "../../src/admin/live-feed.ts";
import { maxTunnelRows, shownTunnels } from "../../src/admin/live-meter.ts";
import { LiveReader } from "./live-reader.ts";
import { closeOf, errorOf, eventually, jsonOf, openDeaf, startAdmin, token, tunnelRow } from "./rig.ts";

const withToken = { Authorization: `Bearer ${token}` };

test("a page is told everything at once, and then what changes", async (t) => {
  const { port, role, listener } = await startAdmin(t);
  const page = await LiveReader.open(port, withToken);
  assert.equal(page.status, 200);
  assert.match(page.headers["content-type"] ?? "", /^text\/event-stream/u);
  assert.equal(page.headers["cache-control"], "no-store");
  await eventually("the first frame came", () => page.frames.length === 1);
  const [first] = page.frames;
  assert.equal(first?.about?.role, "server");
  assert.deepEqual(first?.now.tunnels, { total: 1, rows: role.rows });
  assert.deepEqual(first?.arrivals, []);
  assert.ok(first?.heap);
  const tunnel = { kind: "tunnel", openedAtMs: 0, name: "new" } as const;
  role.arrivals.opened(tunnel);
  await eventually("two more came", () => page.frames.length >= 3);
  const [, second, third] = page.frames;
  assert.equal(second?.about, undefined);
  assert.equal(second?.arrivals?.[0]?.name, "new");
  assert.equal(third?.arrivals, undefined);
  page.close();
  await eventually("it is gone", () => listener.load.pages === 0 && listener.load.connections === 0);
});

test("all pages share a reading per second, and without a page nothing is read", async (t) => {
  const { port, role, listener } = await startAdmin(t);
  const pages = await Promise.all(Array.from({ length: maxPages }, () => LiveReader.open(port, withToken)));
  await eventually("each was told twice", () => pages.every(({ frames }) => frames.length >= 2));
  assert.ok(role.resourceReads <= 4, `${role.resourceReads} readings`);
  const stamps = new Set(pages.map(({ frames }) => frames[1]?.now.atMs));
  assert.equal(stamps.size, 1, "the same reading");
  for (const page of pages) page.close();
  await eventually("all are gone", () => listener.load.pages === 0);
  const reads = role.resourceReads;
  await new Promise((resolve) => {
    setTimeout(resolve, 1_500);
  });
  assert.equal(role.resourceReads, reads);
});

test("a hundred pages at once: so many are told, the rest wait, and others are served", async (t) => {
  const { port, listener, ask } = await startAdmin(t);
  const opened = await Promise.allSettled(Array.from({ length: 100 }, () => LiveReader.open(port, withToken)));
  // Connections have a bound of their own: what is beyond it is cut.
  const pages = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const told = pages.filter(({ status }) => status === 200);
  const refused = pages.filter(({ status }) => status === 503);
  assert.ok(told.length <= maxPages && told.length > 0, `${told.length} are told`);
  assert.equal(told.length + refused.length, pages.length);
  assert.ok(listener.load.pages <= maxPages && listener.load.connections <= 64);
  await eventually("the refusals say why", () => refused.every(({ text }) => text.includes("too_many_pages")));
  assert.ok(refused.every(({ headers }) => Number(headers["retry-after"]) > 0));
  assert.equal((await ask("/livez")).status, 200);
  for (const page of pages) page.close();
  await eventually("all are gone", () => listener.load.connections === 0);
  const again = await LiveReader.open(port, withToken);
  assert.equal(again.status, 200);
  again.close();
});

test("a page that never reads gets no further frames and is cut; the others go on", async (t) => {
  const { port, role, listener } = await startAdmin(t, { stallMs: 1_500 });
  // More than what kernels buffer.
  role.rows.push(...Array.from({ length: 50 }, () => ({ ...tunnelRow("large"), target: "x".repeat(400_000) })));
  const deaf = await openDeaf(port);
  deaf.write(`GET /api/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  await eventually("it is told", () => listener.load.pages === 1);
  await eventually("it was cut", () => listener.load.pages === 0, 30_000);
  role.rows.length = 0;
  const page = await LiveReader.open(port, withToken);
  await eventually("another one is told", () => page.frames.length >= 2);
  page.close();
  deaf.destroy();
  await closeOf(deaf);
});

test("a page ends when its sign-in does", async (t) => {
  const { port, ask, listener } = await startAdmin(t);
  const login = await ask("/login", { method: "POST", body: { token } });
  const cookie = (login.headers["set-cookie"]?.[0] ?? "").split(";")[0] ?? "";
  const page = await LiveReader.open(port, { Cookie: cookie });
  await eventually("it is told", () => page.frames.length >= 1);
  const origin = `http://127.0.0.1:${port}`;
  const { status } = await fetch(`${origin}/logout`, { method: "POST", headers: { Cookie: cookie, Origin: origin } });
  assert.equal(status, 204);
  await eventually("it has ended", () => page.ended && listener.load.pages === 0);
  assert.equal((await LiveReader.open(port, { Cookie: cookie })).status, 401);
});

test("the listener's end is the pages' end, at once", async (t) => {
  const { port, listener } = await startAdmin(t);
  const page = await LiveReader.open(port, withToken);
  await eventually("it is told", () => page.frames.length >= 1);
  const startedAtMs = performance.now();
  await listener.close();
  assert.ok(performance.now() - startedAtMs < 900, "it did not wait to be forced");
  await eventually("the page knows", () => page.ended);
});

test("a reading that throws ends the pages, and is told of once", async (t) => {
  const { port, role, faults } = await startAdmin(t);
  const page = await LiveReader.open(port, withToken);
  await eventually("it is told", () => page.frames.length >= 1);
  const fault = new Error("a reading");
  Object.assign(role, {
    resources: () => {
      throw fault;
    },
  });
  await eventually("it has ended", () => page.ended);
  assert.deepEqual(faults, [fault]);
});

test("HEAD asks for nothing live, and POST is refused", async (t) => {
  const { ask, role } = await startAdmin(t);
  const head = await ask("/api/live", { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(role.resourceReads, 0);
  assert.equal((await ask("/api/live", { method: "POST" })).status, 405);
});

test("of thousands of tunnels a page is told the busy ones and the newest", () => {
  const rows = Array.from({ length: 10_000 }, (_, n) => ({ ...tunnelRow(`t${n}`), streams: n === 5 ? 1 : 0 }));
  const shown = shownTunnels(rows);
  assert.equal(shown.total, 10_000);
  assert.equal(shown.rows.length, maxTunnelRows);
  assert.deepEqual(
    shown.rows.slice(0, 3).map(({ name }) => name),
    ["t5", "t9999", "t9998"],
  );
});

test("the archive for a bug report is collected here too, one at a time, without the token", async (t) => {
  const { ask } = await startAdmin(t);
  const [first, second] = await Promise.all([
    ask("/debug/diag", { method: "POST" }),
    ask("/debug/diag", { method: "POST" }),
  ]);
  const [reply, other] = first.status === 200 ? [first, second] : [second, first];
  assert.equal(reply.status, 200);
  assert.match(String(reply.headers["content-disposition"]), /caisson-diag-\d+T\d+Z\.tar\.gz/u);
  assert.ok(other.status === 200 || errorOf(other) === "busy");
  assert.ok(reply.body.length > 500);
  assert.equal(reply.body.includes(token), false);
  assert.ok(jsonOf(await ask("/debug/resources")));
});
