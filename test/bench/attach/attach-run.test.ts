// The gate on processes that know nothing of Caisson: the sample server with the leak of the story, and the one without.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { AttachOptions, AttachResult } from "../../../bench/gate/attach/attach-run.ts";
import { attachRun } from "../../../bench/gate/attach/attach-run.ts";
import { startCaisson } from "../../support/run.ts";

const pathOf = (file: string): string => fileURLToPath(new URL(`../../../bench/samples/${file}.js`, import.meta.url));

/** Runs the gate on a sample, with few clients: what is counted is exact however short the run is. */
async function gate(sample: "leaky" | "fixed", changes: Partial<AttachOptions> = {}): Promise<AttachResult> {
  await using server = startCaisson([], { script: pathOf(sample), nodeFlags: ["--inspect=127.0.0.1:0"] });
  const [, url = ""] = (await server.line(/^listening on /)).split(" on ");
  const [inspector = ""] = /ws:\/\/\S+/.exec(await server.complaint(/ws:\/\/\S+\n/)) ?? [];
  // The driver's process inherits it.
  process.env["SAMPLE_URL"] = url;
  return await attachRun({
    attach: inspector,
    driver: pathOf("driver"),
    clients: 40,
    patience: 250,
    restMs: 1_000,
    ...changes,
  });
}

test("it finds, in the open, what grows in the leaky sample", async () => {
  const { verdict, node, mode, samples } = await gate("leaky");
  assert.equal(verdict.outcome, "leak");
  const [first] = verdict.findings;
  assert.equal(first?.ledger, "probe");
  assert.equal(first?.subject, "TunnelProxy.connections");
  assert.equal(first?.perConnection, 1);
  const classes = new Set(verdict.findings.filter(({ ledger }) => ledger === "objects").map(({ subject }) => subject));
  for (const name of ["ClientConnection", "WebSocket", "Socket"]) assert.ok(classes.has(name), name);
  assert.equal(node, process.version);
  assert.equal(mode, "jit");
  // It closes its sockets: only memory of them stays.
  assert.ok(!verdict.findings.some(({ ledger }) => ledger === "fds" || ledger === "handles"));
  // Each client's request was answered, too.
  assert.equal(samples.at(-1)?.requests, samples.at(-1)?.connections);
});

test("it is green on the fixed sample", async () => {
  const { verdict } = await gate("fixed");
  assert.deepEqual(verdict.findings, []);
  assert.deepEqual(verdict.doubts, []);
  assert.equal(verdict.outcome, "clean");
  assert.ok(verdict.connections >= 320, `${verdict.connections} connections`);
});

test("what grows for less than its patience is undecided, however few rounds there are", async () => {
  const { verdict } = await gate("leaky", { rounds: 8, patience: 100_000 });
  assert.equal(verdict.outcome, "undecided");
  assert.ok(verdict.doubts.some(({ subject }) => subject === "TunnelProxy.connections"));
});

test("a file that is no driver fails the run", async () => {
  await assert.rejects(gate("fixed", { driver: pathOf("client-connection") }), {
    code: "E_GATE",
    message: /a driver exports/,
  });
});
