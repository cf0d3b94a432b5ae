// What a user may type for a target and for a server, and that every slip is answered with what to type instead.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { checkToken, checkTokenTransport, parseServerAddress } from "../../src/client/server-address.ts";
import type { TargetKind } from "../../src/client/target.ts";
import { isLoopback, parseTarget } from "../../src/client/target.ts";
import { CaissonError } from "../../src/lifecycle/errors.ts";

function fails(code: string, pattern?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof CaissonError);
    assert.equal(error.code, code);
    if (pattern) assert.match(error.message, pattern);
    return true;
  };
}

void test("what means nothing to a target that is not spoken to in HTTP is refused", () => {
  for (const kind of ["tcp", "tls"] as const) {
    for (const options of [{ hostHeader: "rewrite" }, { ca: "-----BEGIN CERTIFICATE-----" }, { insecure: true }]) {
      assert.throws(() => parseTarget(kind, "22", options), fails("E_USAGE", /pass as they are: leave out/));
    }
    assert.equal(parseTarget(kind, "22", { insecure: false }).port, 22);
  }
});

void test("targets that are understood", () => {
  const rows: readonly [
    TargetKind,
    string,
    { text: string; host: string; port: number; tls?: boolean; sni?: string },
  ][] = [
    ["http", "8000", { text: "http://localhost:8000", host: "localhost", port: 8000, sni: "localhost" }],
    ["http", " 8000 ", { text: "http://localhost:8000", host: "localhost", port: 8000, sni: "localhost" }],
    ["http", "127.0.0.1:3000", { text: "http://127.0.0.1:3000", host: "127.0.0.1", port: 3000 }],
    ["http", "app.local:80", { text: "http://app.local:80", host: "app.local", port: 80, sni: "app.local" }],
    ["http", "my_app:80", { text: "http://my_app:80", host: "my_app", port: 80, sni: "my_app" }],
    ["http", "http://app", { text: "http://app:80", host: "app", port: 80, sni: "app" }],
    ["http", "HTTP://app/", { text: "http://app:80", host: "app", port: 80, sni: "app" }],
    ["http", "https://app", { text: "https://app:443", host: "app", port: 443, tls: true, sni: "app" }],
    ["http", "https://[::1]:8443", { text: "https://[::1]:8443", host: "::1", port: 8443, tls: true }],
    ["http", "[fe80::1]:81", { text: "http://[fe80::1]:81", host: "fe80::1", port: 81 }],
    ["tcp", "22", { text: "localhost:22", host: "localhost", port: 22, sni: "localhost" }],
    ["tcp", "db:5432", { text: "db:5432", host: "db", port: 5432, sni: "db" }],
    ["tls", "8443", { text: "localhost:8443", host: "localhost", port: 8443, sni: "localhost" }],
  ];
  for (const [kind, text, expected] of rows) {
    const target = parseTarget(kind, text);
    assert.equal(target.text, expected.text, text);
    assert.equal(target.host, expected.host, text);
    assert.equal(target.port, expected.port, text);
    assert.equal(target.tls, expected.tls ?? false, text);
    assert.equal(target.serverName, expected.sni ?? "", text);
    assert.equal(target.hostHeader, undefined);
  }
});

void test("targets that are refused, each with a hint", () => {
  const rows: readonly [TargetKind, string, RegExp][] = [
    ["http", "", /write 8000/],
    ["http", "0", /1 to 65535/],
    ["http", "70000", /1 to 65535/],
    ["http", "app", /no port: write app:PORT/],
    ["http", "app:", /1 to 65535/],
    ["http", "app:http", /1 to 65535/],
    ["http", "app:80:90", /no (?:address|valid port)/],
    ["http", "::1:8000", /no address/],
    ["http", "[::1", /no address/],
    ["http", "[nonsense]:80", /no address/],
    ["http", "127.0.0.300:80", /no address/],
    ["http", "a b:80", /no address/],
    ["http", "-app:80", /no address/],
    ["http", "http://app:80/path", /has a path/],
    ["http", "app:80?x", /has a path/],
    ["http", "ftp://app:80", /scheme/],
    ["http", "http://u:p@app:80", /no user name/],
    ["tcp", "http://app:80", /scheme/],
    ["tls", "https://app:443", /scheme.*write 8443 or host:port/],
  ];
  for (const [kind, text, hint] of rows) assert.throws(() => parseTarget(kind, text), fails("E_USAGE", hint), text);
});

void test("the private listeners of this machine are no targets", () => {
  const options = { forbiddenPorts: [9190] };
  for (const text of [
    "9190",
    "localhost:9190",
    "127.0.0.1:9190",
    "127.1.2.3:9190",
    "[::1]:9190",
    "0.0.0.0:9190",
    "x.localhost:9190",
  ]) {
    assert.throws(() => parseTarget("http", text, options), fails("E_USAGE", /admin/), text);
    assert.throws(() => parseTarget("tcp", text, options), fails("E_USAGE", /admin/), text);
  }
  assert.equal(parseTarget("http", "192.0.2.1:9190", options).port, 9190);
  assert.equal(parseTarget("http", "9191", options).port, 9191);
});

void test("the Host that a target sees", () => {
  const host = (text: string, hostHeader: string) => parseTarget("http", text, { hostHeader }).hostHeader?.toString();
  assert.equal(host("8000", "rewrite"), "localhost:8000");
  assert.equal(host("http://app", "rewrite"), "app");
  assert.equal(host("http://app:443", "rewrite"), "app:443");
  assert.equal(host("https://app", "rewrite"), "app");
  assert.equal(host("https://[::1]:8443", "rewrite"), "[::1]:8443");
  assert.equal(host("8000", "shop.test"), "shop.test");
  assert.equal(host("8000", "shop.test:81"), "shop.test:81");
  for (const value of ["", "a b", "a\r\nX: 1", "a/b", "u@h"]) {
    assert.throws(() => parseTarget("http", "8000", { hostHeader: value }), fails("E_USAGE", /Host field/), value);
  }
});

void test("certificate authorities are PEM or nothing", () => {
  const pem = "-----BEGIN CERTIFICATE-----\n...";
  assert.equal(parseTarget("http", "https://app", { ca: pem }).ca, pem);
  for (const ca of ["", "DER bytes", Buffer.alloc(10), [], [pem, "no"]]) {
    assert.throws(() => parseTarget("http", "https://app", { ca }), fails("E_USAGE", /PEM/));
  }
});

void test("whatever is typed is understood or refused with E_USAGE", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.domain(), fc.ipV6(), fc.ipV4()), (text) => {
      try {
        const { port, host } = parseTarget("http", text);
        assert.ok(port >= 1 && port <= 65_535 && host !== "");
      } catch (error) {
        assert.ok(error instanceof CaissonError && error.code === "E_USAGE", String(error));
      }
    }),
  );
});

void test("loopback by name and by address", () => {
  for (const host of ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"])
    assert.ok(isLoopback(host), host);
  for (const host of ["localhost.example.com", "128.0.0.1", "127.0.0.1.example.com", "::2", "10.0.0.1", ""]) {
    assert.ok(!isLoopback(host), host);
  }
});

void test("servers that are understood", () => {
  const rows: readonly [string, string, boolean, boolean][] = [
    ["ws://127.0.0.1:8080", "ws://127.0.0.1:8080/_caisson/connect", false, true],
    ["http://localhost:8080/", "ws://localhost:8080/_caisson/connect", false, true],
    ["wss://tunnel.example.com", "wss://tunnel.example.com/_caisson/connect", true, false],
    ["https://tunnel.example.com:8443/base/", "wss://tunnel.example.com:8443/base/_caisson/connect", true, false],
    ["ws://[::1]:8080", "ws://[::1]:8080/_caisson/connect", false, true],
  ];
  for (const [text, connectUrl, secure, loopback] of rows) {
    const server = parseServerAddress(text);
    assert.equal(server.connectUrl, connectUrl);
    assert.equal(server.secure, secure);
    assert.equal(server.loopback, loopback);
  }
});

void test("servers that are refused, each with a hint", () => {
  for (const text of [
    "",
    "tunnel.example.com",
    "tunnel.example.com:8080",
    "ftp://x",
    "ws://",
    "wss://x/?a=b",
    "wss://x/#a",
  ]) {
    assert.throws(() => parseServerAddress(text), fails("E_USAGE", /wss:\/\/tunnel/), text);
  }
  assert.throws(() => parseServerAddress("wss://secret@x"), fails("E_USAGE", /CAISSON_TOKEN/));
});

void test("a token crosses no network in the clear unless that was asked for", () => {
  const check = (text: string, plaintext: boolean) => checkTokenTransport(parseServerAddress(text), plaintext);
  assert.throws(() => check("ws://192.0.2.1:8080", false), fails("E_USAGE", /--plaintext/));
  assert.throws(() => check("ws://localhost.example.com", false), fails("E_USAGE"));
  check("ws://192.0.2.1:8080", true);
  check("ws://127.0.0.1:8080", false);
  check("wss://192.0.2.1", false);
});

void test("what is no token is refused without being repeated", () => {
  checkToken("csn_0123abc");
  for (const token of ["", "a b", "a\nb", "ä"]) {
    assert.throws(
      () => checkToken(token),
      (error) => fails("E_AUTH")(error) && (token === "" || !String(error).includes(token)),
    );
  }
});
