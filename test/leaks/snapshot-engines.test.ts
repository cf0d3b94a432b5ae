// The real engines, on the heap of this test's own process and of a child.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import type { SnapshotEngineName, SnapshotNews } from "../../src/leaks/snapshot-entry.ts";
import { snapshotGround } from "../../src/leaks/snapshot-ground.ts";
import { takeOnSignal } from "../../src/leaks/snapshot-signal.ts";
import { createRuntime, createScope } from "../../src/lifecycle/runtime.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import { roomyGround, snapshotRig } from "./snapshot-rig.ts";
import { until } from "./sample.ts";

/** A string that only this test's heap holds. */
const canary = ["canary", "of", "the", "snapshot", "test"].join("-");

/** Skips where heapdump was not built, unless under CI. */
function heapdumpSkip(): { readonly skip?: string } {
  const found = snapshotGround.engine("heapdump");
  if (!("missing" in found)) return {};
  if ((process.env["CI"] ?? "") !== "") throw new Error(`under CI heapdump must be there: ${found.missing}`);
  return { skip: found.missing };
}

async function provesItself(t: Parameters<typeof snapshotRig>[0], engine: SnapshotEngineName): Promise<void> {
  const { store, files, folder } = await snapshotRig(t);
  const notices: number[] = [];
  const result = await store.take({ engine, trigger: "program" });
  assert.ok(result.ok, JSON.stringify(result));
  const { entry } = result;
  assert.equal(entry.engine, engine);
  assert.ok(entry.bytes > 1_000_000 && (entry.stallMs ?? 0) > 0 && (entry.heapUsed ?? 0) > 1_000_000);
  assert.deepEqual(await files(), [`${entry.id}.heapsnapshot`]);
  const parsed: unknown = JSON.parse(await readFile(`${folder}/${entry.id}.heapsnapshot`, "utf8"));
  assert.ok(typeof parsed === "object" && parsed !== null && "strings" in parsed && Array.isArray(parsed.strings));
  assert.ok(parsed.strings.includes(canary));
  assert.deepEqual(notices, []);
}

test("V8 writes a whole snapshot", (t) => provesItself(t, "v8"));

test("heapdump writes a whole snapshot, and its own signal handler is not there", heapdumpSkip(), async (t) => {
  const listeners = process.listenerCount("SIGUSR2");
  await provesItself(t, "heapdump");
  assert.equal(process.listenerCount("SIGUSR2"), listeners);
  assert.equal(process.env["NODE_HEAPDUMP_OPTIONS"], undefined);
});

test("without heapdump the answer says how to get it", async (t) => {
  const missing = "the heapdump package is not installed";
  const ground = roomyGround({ engine: (name) => (name === "v8" ? snapshotGround.engine(name) : { missing }) });
  const { store } = await snapshotRig(t, { ground });
  assert.equal(store.engineProblem("heapdump"), missing);
  assert.equal(store.engineProblem("v8"), undefined);
  const result = await store.take({ engine: "heapdump", trigger: "api" });
  assert.deepEqual(result, { ok: false, refusal: { code: "engine", message: missing } });
});

const signals = process.platform === "win32" ? { skip: "Windows has no SIGUSR2" } : {};

test("SIGUSR2 takes one under the same guards, until the scope closes", signals, async (t) => {
  const results: SnapshotNews[] = [];
  const { store } = await snapshotRig(t, { onResult: (news) => results.push(news) });
  // Newer test runners have Node write a report on this signal; that is not what is tested here.
  const others = process.listeners("SIGUSR2");
  for (const other of others) process.off("SIGUSR2", other);
  t.after(() => {
    for (const other of others) process.on("SIGUSR2", other);
  });
  const ledger = new Ledger();
  const runtime = createRuntime(ledger);
  const scope = createScope(runtime, "test");
  assert.equal(takeOnSignal(store, { scope, events: runtime.events }), true);
  process.kill(process.pid, "SIGUSR2");
  await until(() => results.length === 1, 60_000);
  const result = results[0]?.result;
  assert.ok(result?.ok);
  assert.equal(result.entry.trigger, "signal");
  assert.equal(result.entry.engine, store.engineProblem("heapdump") === undefined ? "heapdump" : "v8");
  assert.equal(ledger.live("listener"), 1);
  scope.close("closed");
  assert.equal(ledger.live("listener"), 0);
  assert.equal(process.listenerCount("SIGUSR2"), 0);
});

/** Takes a snapshot with each engine given in argv, and prints the results and what is left in the folder. */
const child = `
  import { readdirSync } from "node:fs";
  import { Deadlines } from ${JSON.stringify(new URL("../../src/lifecycle/deadlines.js", import.meta.url))};
  import { noEvents } from ${JSON.stringify(new URL("../../src/lifecycle/events.js", import.meta.url))};
  import { SnapshotStore } from ${JSON.stringify(new URL("../../src/leaks/snapshots.js", import.meta.url))};
  const [folder, ...engines] = process.argv.slice(1);
  const deadlines = new Deadlines({ events: noEvents });
  const store = new SnapshotStore({ folder, events: noEvents, deadlines });
  const results = [];
  for (const engine of engines) results.push(await store.take({ engine, trigger: "program" }));
  store.dispose();
  process.stdout.write(JSON.stringify({ results, files: readdirSync(folder) }));
`;

const limits = process.platform === "linux" ? {} : { skip: "the size limit of files is set by a POSIX shell on Linux" };

test("when the system stops a write in the middle, both engines answer 'disk' and leave no file", limits, async (t) => {
  const { folder } = await snapshotRig(t);
  await mkdir(folder, { mode: 0o700 });
  const engines = "missing" in snapshotGround.engine("heapdump") ? ["v8"] : ["v8", "heapdump"];
  // A limit of 512 KB on every file, with the signal ignored: writes beyond it fail, as on a disk that fills up.
  const script = 'ulimit -f 512; trap "" XFSZ; exec "$0" --input-type=module -e "$1" "$2" $3';
  const shell = spawn("/bin/sh", ["-c", script, process.execPath, child, folder, engines.join(" ")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = await Promise.all([text(shell.stdout), once(shell, "exit")]);
  const parsed: unknown = JSON.parse(output);
  assert.ok(typeof parsed === "object" && parsed !== null && "results" in parsed && "files" in parsed);
  assert.ok(Array.isArray(parsed.results));
  assert.equal(parsed.results.length, engines.length);
  for (const result of parsed.results) {
    assert.match(JSON.stringify(result), /"ok":false.*"code":"disk"/);
  }
  assert.deepEqual(parsed.files, []);
});
