// The connection to an inspector: a process that ends is noticed, although Node waits for whoever is connected.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Inspector } from "../../../bench/gate/readings/inspector.ts";
import { startCaisson } from "../../support/run.ts";

for (const [how, code] of [
  ["throw new Error('on purpose')", 1],
  ["process.exit(3)", 3],
] as const) {
  test(`a process that ends by ${how} is told as ended, and can end`, async () => {
    const flags = [
      "--inspect=127.0.0.1:0",
      "--eval",
      `process.once("SIGUSR2", () => { ${how}; }); setInterval(() => {}, 1e6); console.log("ready");`,
    ];
    await using running = startCaisson([], { script: "--", nodeFlags: flags });
    const [url = ""] = /ws:\/\/\S+/.exec(await running.complaint(/ws:\/\/\S+\n/)) ?? [];
    await running.line(/^ready$/);
    const inspector = await Inspector.connect(url);
    assert.equal(await inspector.evaluate("6 * 7"), 42);
    const waiting = inspector.evaluate("new Promise(() => {})");
    running.kill("SIGUSR2");
    await assert.rejects(waiting, { code: "E_GATE", message: "the measured process has ended" });
    assert.equal(inspector.isLost, true);
    assert.equal((await running.exited).code, code);
    await inspector.close();
  });
}
