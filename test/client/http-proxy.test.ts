// Which proxy is taken for which server, and what of it is shown.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CaissonError } from "../../src/lifecycle/errors.ts";
import { proxyFor, proxySettingsOf } from "../../src/client/http-proxy.ts";

const proxy = "http://proxy.test:3128";

test("the environment: lower case wins, HTTP_PROXY in capitals is not believed, empty means none", () => {
  assert.deepEqual(proxySettingsOf({ HTTPS_PROXY: "a", https_proxy: "b", NO_PROXY: "c" }), { https: "b", no: "c" });
  assert.deepEqual(proxySettingsOf({ HTTPS_PROXY: "a", https_proxy: "", HTTP_PROXY: "x" }), {});
  assert.deepEqual(proxySettingsOf({ all_proxy: "a" }), { https: "a", http: "a" });
});

const cases: readonly [server: string, no: string, proxied: boolean][] = [
  ["wss://tunnel.test", "", true],
  ["ws://tunnel.test", "", false],
  ["wss://localhost:1", "", false],
  ["wss://127.0.0.1:1", "", false],
  ["wss://[::1]:1", "", false],
  ["wss://tunnel.test", "*", false],
  ["wss://tunnel.test", "other.test, tunnel.test", false],
  ["wss://a.tunnel.test", "tunnel.test", false],
  ["wss://a.tunnel.test", ".tunnel.test", false],
  ["wss://a.tunnel.test", "*.tunnel.test", false],
  ["wss://nottunnel.test", "tunnel.test", true],
  ["wss://tunnel.test", "tunnel.test:443", false],
  ["wss://tunnel.test:8443", "tunnel.test:443", true],
  ["wss://10.1.2.3", "10.0.0.0/8", false],
  ["wss://11.1.2.3", "10.0.0.0/8", true],
  ["wss://10.1.2.3", "10.0.0.0/99", true],
  ["wss://10.1.2.3", "10.1.2.3", false],
  ["wss://[2001:db8::1]", "2001:db8::/32", false],
  ["wss://[2001:db8::1]", "[2001:db8::1]:443", false],
];

for (const [server, no, proxied] of cases) {
  test(`${server} with NO_PROXY=${no} is reached ${proxied ? "through the proxy" : "directly"}`, () => {
    assert.equal(proxyFor(server, { https: proxy, no }) !== undefined, proxied);
  });
}

test("credentials are sent and never shown", () => {
  const found = proxyFor("wss://tunnel.test", { https: "http://us%40er:p%ss@proxy.test:3128" });
  assert.equal(found?.text, proxy);
  assert.equal(found?.authorization, `Basic ${Buffer.from("us@er:p%ss").toString("base64")}`);
  assert.deepEqual([found?.host, found?.port, found?.tls], ["proxy.test", 3128, false]);
  assert.equal(proxyFor("wss://tunnel.test", { https: "proxy.test" })?.port, 80);
  for (const bad of ["socks5://proxy.test", "http://", "http://user:secret@"]) {
    assert.throws(
      () => proxyFor("wss://tunnel.test", { https: bad }),
      (error) => error instanceof CaissonError && error.code === "E_USAGE" && !error.message.includes("secret"),
    );
  }
});
