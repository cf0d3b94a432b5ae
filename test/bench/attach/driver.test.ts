// What counts as a driver, and as the address of an inspector.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { driverIn } from "../../../bench/gate/attach/driver.ts";
import { inspectorUrl } from "../../../bench/gate/attach/inspector-address.ts";

const connect = (): Promise<void> => Promise.resolve();
const disconnect = connect;

test("a driver is a module with its functions, or has one as its default export", () => {
  const driver = { connect, disconnect };
  assert.equal(driverIn(driver), driver);
  assert.equal(driverIn({ default: driver }), driver);
  // Of a CommonJS module Node finds some properties as names, and others not.
  const whole = { connect, disconnect, use: connect };
  assert.equal(driverIn({ connect, disconnect, default: whole }), whole);
  assert.equal(driverIn({ connect, default: whole }), whole);
  const module = { connect, disconnect, default: "something else" };
  assert.equal(driverIn(module), module);
});

for (const [what, module] of [
  ["nothing", {}],
  ["connect alone", { connect }],
  ["something that is no function", { connect, disconnect, use: 1 }],
  ["a default export that is no driver", { default: "driver" }],
] as const) {
  test(`${what} is no driver`, () => {
    assert.throws(() => driverIn(module), /a driver exports the functions connect\(number\) and disconnect\(client\)/);
  });
}

test("a full URL is taken as it is", async () => {
  assert.equal(await inspectorUrl("ws://127.0.0.1:9229/5f1b"), "ws://127.0.0.1:9229/5f1b");
});

test("of an address alone, the first target is asked for", async (t) => {
  const server = createServer((request, response) => {
    assert.equal(request.url, "/json/list");
    response.end(JSON.stringify([{ webSocketDebuggerUrl: "ws://127.0.0.1:1/first" }, { webSocketDebuggerUrl: "no" }]));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  for (const given of [`127.0.0.1:${port}`, `http://127.0.0.1:${port}`, `ws://127.0.0.1:${port}/...`]) {
    assert.equal(await inspectorUrl(given), "ws://127.0.0.1:1/first");
  }
});

test("what is no address is refused, and a silent one named", async () => {
  await assert.rejects(inspectorUrl("nonsense"), { code: "E_USAGE" });
  await assert.rejects(inspectorUrl("https://127.0.0.1:9229"), { code: "E_USAGE" });
  await assert.rejects(inspectorUrl("127.0.0.1:1"), { code: "E_GATE" });
});
