import assert from "node:assert/strict";
import { once } from "node:events";
import { open } from "node:fs/promises";
import type { Socket } from "node:net";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { DescriptorReading } from "../../src/leaks/descriptors.ts";
import { Descriptors } from "../../src/leaks/descriptors.ts";
import { until } from "./sample.ts";

const linux = process.platform === "linux" ? {} : { skip: "descriptors are read from /proc, which only Linux has" };

async function sampleOf(descriptors: Descriptors): Promise<DescriptorReading> {
  const sample = await descriptors.sample();
  assert.ok(sample);
  return sample;
}

test("real descriptors and sockets are counted by type and state", linux, async (t) => {
  const descriptors = new Descriptors();
  t.after(() => descriptors.dispose());
  const before = await sampleOf(descriptors);
  assert.ok(before.open > 0 && (before.limit ?? 0) >= before.open);

  const files = await Promise.all(Array.from({ length: 20 }, () => open(new URL(import.meta.url))));
  const accepted: Socket[] = [];
  // Half-open sockets that are not ended stay in CLOSE_WAIT: the classic leak.
  const server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket.resume()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const visitors = Array.from({ length: 10 }, () => connect({ port: address.port, host: "127.0.0.1" }));
  await Promise.all(visitors.map((visitor) => once(visitor, "connect")));
  await until(() => accepted.length === 10);
  for (const visitor of visitors.slice(0, 4)) visitor.end();
  await until(() => accepted.filter((socket) => socket.readableEnded).length === 4);

  const during = await sampleOf(descriptors);
  const grown = (counts: keyof Pick<DescriptorReading, "types" | "tcp">, word: string): number =>
    (during[counts][word] ?? 0) - (before[counts][word] ?? 0);
  assert.equal(grown("types", "file"), 20);
  assert.equal(grown("types", "socket"), 21);
  assert.equal(during.open - before.open, 41);
  assert.equal(grown("tcp", "listen"), 1);
  assert.equal(grown("tcp", "close_wait"), 4);
  assert.equal(grown("tcp", "fin_wait2"), 4);
  assert.equal(grown("tcp", "established"), 12);

  for (const socket of [...accepted, ...visitors]) socket.destroy();
  await Promise.all([...files.map((file) => file.close()), new Promise((resolve) => server.close(resolve))]);
  await until(() => [...accepted, ...visitors].every((socket) => socket.closed));
  const after = await sampleOf(descriptors);
  assert.equal(after.open, before.open);
  assert.deepEqual(after.types, before.types);
});

test("questions read the last answer, and renew it only when it is too old", linux, async (t) => {
  const descriptors = new Descriptors({ maxAgeMs: 60_000 });
  t.after(() => descriptors.dispose());
  const latest = (): DescriptorReading | undefined => descriptors.latest;
  assert.equal(latest(), undefined);
  await until(() => latest() !== undefined);
  const first = latest()?.open ?? 0;
  const file = await open(new URL(import.meta.url));
  await new Promise(setImmediate);
  assert.equal(latest()?.open, first);
  assert.ok((latest()?.ageSeconds ?? 0) > 0);
  const sample = await sampleOf(descriptors);
  assert.equal(sample.open, first + 1);
  await file.close();
});

test("a fresh answer is the last one while that is young, else a new sample", linux, async (t) => {
  const young = new Descriptors({ maxAgeMs: 60_000 });
  const old = new Descriptors({ maxAgeMs: 0 });
  t.after(() => Promise.all([young.dispose(), old.dispose()]));
  const before = (await young.fresh())?.open ?? 0;
  assert.ok(before > 0, "the first question waits for its answer");
  const first = (await old.fresh())?.open ?? 0;
  const file = await open(new URL(import.meta.url));
  assert.equal((await young.fresh())?.open, before);
  assert.equal((await old.fresh())?.open, first + 1);
  await file.close();
});

test("samples that overlap are one", linux, async (t) => {
  const descriptors = new Descriptors();
  t.after(() => descriptors.dispose());
  const samples = await Promise.all([descriptors.sample(), descriptors.sample(), descriptors.sample()]);
  assert.ok(samples[0]);
  assert.equal(samples[0], samples[1]);
  assert.equal(samples[1], samples[2]);
});

test("dispose() ends the thread, settles who waits, and no question starts another", linux, async () => {
  const handles = process.getActiveResourcesInfo().length;
  const descriptors = new Descriptors();
  await descriptors.sample();
  const waiting = descriptors.sample();
  await descriptors.dispose();
  await descriptors.dispose();
  await waiting;
  assert.equal(await descriptors.sample(), undefined);
  assert.ok(descriptors.latest === undefined || descriptors.latest.open > 0);
  await until(() => process.getActiveResourcesInfo().length <= handles);
});

test("dispose() comes to its end, however near an answer is", linux, async () => {
  // Nothing else keeps this process alive: an end that did not would cancel the test.
  for (let turns = 0; turns < 12; turns += 1) {
    const descriptors = new Descriptors();
    await descriptors.sample();
    void descriptors.sample();
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
    await descriptors.dispose();
  }
});

test("a system that gives no thread costs the sample, not the process", linux, async (t) => {
  let refusals = 0;
  const startWorker = (): Worker => {
    refusals += 1;
    throw new Error("ERR_WORKER_INIT_FAILED: EAGAIN");
  };
  const descriptors = new Descriptors({ startWorker });
  t.after(() => descriptors.dispose());
  // This one nobody waits for: a rejection would end the process.
  assert.equal(descriptors.latest, undefined);
  await new Promise(setImmediate);
  assert.equal(await descriptors.sample(), undefined);
  assert.equal(refusals, 2);
  assert.equal(descriptors.latest, undefined);
  assert.equal(refusals, 2, "it was tried again before the last answer was too old");
});

test("the end of a thread that failed is no answer of the next one", linux, async (t) => {
  const real = new URL("../../src/leaks/descriptor-worker.js", import.meta.url);
  const threads: Worker[] = [];
  const startWorker = (): Worker => {
    const fails = 'require("node:worker_threads").parentPort.once("message", () => { throw new Error("no"); })';
    const thread = threads.length === 0 ? new Worker(fails, { eval: true }) : new Worker(real);
    threads.push(thread);
    return thread;
  };
  const descriptors = new Descriptors({ startWorker });
  t.after(() => descriptors.dispose());
  assert.equal(await descriptors.sample(), undefined);
  const waiting = descriptors.sample();
  assert.equal(threads.length, 2);
  threads[0]?.emit("exit", 1);
  assert.ok(await waiting, "the exit of the first thread was taken for an answer of the second");
});
