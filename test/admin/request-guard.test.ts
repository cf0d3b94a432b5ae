// Who may be who: Host, Origin, fetch metadata and the traces of proxies.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bareAddress, isLoopbackPeer, refusalOf } from "../../src/admin/request-guard.ts";

const allowed = new Set(["admin.example.com"]);

function refusal(fields: Record<string, string | string[]>, method: string = "GET"): string | undefined {
  const lists = Object.entries(fields).map(([name, value]) => [name, typeof value === "string" ? [value] : value]);
  return refusalOf({ method, fields: Object.fromEntries(lists), localAddress: "::ffff:10.1.2.3" }, allowed);
}

for (const host of [
  "localhost",
  "localhost:9190",
  "LOCALHOST:1",
  "localhost.:9190",
  "127.0.0.1",
  "127.0.0.1:9190",
  "127.8.9.1:80",
  "[::1]:9190",
  "[::1]",
  "10.1.2.3:9190",
  "admin.example.com",
  "Admin.Example.com:443",
]) {
  test(`Host ${host} is our own`, () => assert.equal(refusal({ host }), undefined));
}

for (const host of [
  "",
  "evil.example",
  "evil.example:9190",
  "localhost.evil.example",
  "demo.localhost",
  "127.0.0.1.evil.example",
  "127.0.0.1@evil.example",
  "evil.example#localhost",
  "user@localhost",
  "localhost:99999999",
  "localhost:x",
  "localhost, evil",
  "10.1.2.4",
  "0.0.0.0",
  "[::2]",
  "::1",
  "0x7f.1",
  "2130706433",
  "127.1",
  " localhost",
]) {
  test(`Host "${host}" is refused`, () => assert.ok(refusal({ host })));
}

test("Host must be there, and once", () => {
  assert.ok(refusal({}));
  assert.ok(refusal({ host: ["localhost", "localhost"] }));
  assert.ok(refusal({ host: ["localhost", "evil.example"] }));
});

for (const name of [
  "via",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded",
  "caisson-error",
  "caisson-x",
]) {
  test(`${name} is refused`, () =>
    assert.match(refusal({ host: "localhost", [name]: "x" }) ?? "", new RegExp(name, "u")));
}

test("origins", () => {
  const host = "localhost:9190";
  assert.equal(refusal({ host, origin: "http://localhost:9190" }, "POST"), undefined);
  assert.equal(refusal({ host, origin: "https://LOCALHOST:9190" }, "POST"), undefined);
  for (const origin of [
    "null",
    "",
    "http://localhost",
    "http://localhost:8080",
    "http://evil.example",
    "http://localhost:9190.evil",
  ]) {
    for (const method of ["GET", "POST", "DELETE"]) assert.ok(refusal({ host, origin }, method), origin);
  }
  assert.ok(refusal({ host, origin: ["http://localhost:9190", "http://evil.example"] }));
});

test("fetch metadata", () => {
  const page = { host: "localhost:9190" };
  assert.equal(refusal({ ...page, "sec-fetch-site": "same-origin" }, "POST"), undefined);
  assert.equal(refusal({ ...page, "sec-fetch-site": "none" }), undefined);
  for (const site of ["cross-site", "same-site"]) {
    const link = { ...page, "sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    assert.equal(refusal(link), undefined);
    assert.ok(refusal(link, "POST"));
    assert.ok(refusal({ ...link, "sec-fetch-dest": "iframe" }));
    assert.ok(refusal({ ...page, "sec-fetch-site": site, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }));
  }
});

test("peers", () => {
  for (const local of [undefined, "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
    assert.ok(isLoopbackPeer(local));
  for (const other of ["10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "128.0.0.1", ""]) assert.ok(!isLoopbackPeer(other));
  assert.equal(bareAddress("::FFFF:10.0.0.1"), "10.0.0.1");
  assert.equal(bareAddress("2001:DB8::1"), "2001:db8::1");
});
