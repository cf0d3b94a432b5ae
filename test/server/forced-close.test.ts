// A shutdown that is told to hurry does so at whatever it waits for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "../../src/assemble/serve.ts";
import { connect } from "../../src/assemble/connect.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import { RawClient } from "../support/raw-client.ts";
import { RawTarget } from "../support/raw-target.ts";
import { until } from "../support/until.ts";

for (const drainDelayMs of [0, 60_000]) {
  void test(`a second close forces the first, also while it still accepts for ${drainDelayMs} ms`, async () => {
    await using target = await RawTarget.start((socket) => void socket.resume());
    const ledger = new Ledger();
    const server = await serve({ listen: "127.0.0.1:0", drainMs: 60_000, drainDelayMs, subscribers: [ledger] });
    await using tunnel = await connect({ server: server.url.replace("http", "ws"), target: target.port, name: "demo" });
    const visitor = await RawClient.connect(Number(new URL(server.url).port));
    visitor.send("GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n");
    await until(() => target.sockets.size === 1, { what: "a request is in flight" });
    const first = server.close();
    const second = server.close({ force: true });
    const startedMs = performance.now();
    await Promise.all([first, second]);
    assert.ok(performance.now() - startedMs < 10_000);
    assert.deepEqual(ledger.outstanding, {});
    visitor.close();
    await tunnel.close({ force: true });
  });
}
