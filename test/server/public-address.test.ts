// Where a tunnel whose connections are passed through is said to be reached.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PublicAddress } from "../../src/server/public-address.ts";

const domain = "tunnels.test";

test("the address of a TLS tunnel has the name that visitors must ask for, and the port where it is read", () => {
  const rows: readonly [template: string | undefined, url: string][] = [
    [undefined, "tls://shop.tunnels.test:8443"],
    ["https://{name}.tunnels.test", "tls://shop.tunnels.test:443"],
    ["https://{name}.tunnels.test:444", "tls://shop.tunnels.test:444"],
    // Where TLS does not end at this server, or the name would be another one, only its own address is true.
    ["http://{name}.tunnels.test", "tls://shop.tunnels.test:8443"],
    ["https://{name}.example.com", "tls://shop.tunnels.test:8443"],
  ];
  for (const [template, url] of rows) {
    const address = new PublicAddress({ domain, template });
    address.listensOn("http", { host: "127.0.0.1", port: 8080, door: "everybody" });
    address.listensOn("https", { host: "::", port: 8443, door: "everybody" });
    const direct = { url: "tls://[::1]:8443", host: "shop.tunnels.test" };
    assert.deepEqual(address.passedUrls("shop"), { url, direct }, template);
  }
});

test("clients connect where visitors do, unless they have an address of their own", () => {
  const address = new PublicAddress({ domain, template: undefined });
  address.listensOn("http", { host: "0.0.0.0", port: 8080, door: "visitors" });
  assert.equal(address.clientsUrl, "http://127.0.0.1:8080");
  address.listensOn("http", { host: "0.0.0.0", port: 7000, door: "clients" });
  assert.deepEqual([address.serverUrl, address.clientsUrl], ["http://127.0.0.1:8080", "http://127.0.0.1:7000"]);
  address.listensOn("https", { host: "0.0.0.0", port: 7443, door: "clients" });
  assert.deepEqual([address.clientsUrl, address.tlsUrl], ["https://tunnels.test:7443", undefined]);
});
