// Profiles: with the real engine where it is installed, and with a stand-in for who may take them and how they end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { PprofEngine } from "../../src/admin/pprof-engine.ts";
import { loadPprof } from "../../src/admin/pprof-engine.ts";
import { errorOf, eventually, openDeaf, startAdmin, token } from "./rig.ts";

class FakeEngine implements PprofEngine {
  readonly calls: string[] = [];
  readonly heap = {
    start: (): void => void this.calls.push("heap.start"),
    stop: (): void => void this.calls.push("heap.stop"),
    profile: (): object => ({ name: "heap" }),
  };
  readonly time = {
    start: (): void => void this.calls.push("time.start"),
    stop: (): object => {
      this.calls.push("time.stop");
      return { name: "time" };
    },
  };

  encode(profile: object): Promise<Buffer> {
    return Promise.resolve(Buffer.from(JSON.stringify(profile)));
  }
}

test("profiles are gzipped protobuf", async (t) => {
  const loaded = await loadPprof();
  if ("missing" in loaded) {
    t.skip(loaded.missing);
    return;
  }
  const { ask } = await startAdmin(t);
  for (const path of ["/debug/pprof/profile?seconds=1", "/debug/pprof/heap", "/debug/pprof/heap?seconds=0.2"]) {
    const reply = await ask(path);
    assert.equal(reply.status, 200, path);
    assert.equal(reply.headers["content-type"], "application/octet-stream");
    assert.ok(gunzipSync(reply.body).length > 100, path);
  }
});

test("one at a time, stopped when its peer leaves or the listener closes", async (t) => {
  const engine = new FakeEngine();
  const { ask, listener, port } = await startAdmin(t, { loadPprof: () => Promise.resolve({ engine }) });
  const deaf = await openDeaf(port);
  deaf.write(
    `GET /debug/pprof/profile?seconds=60 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  await eventually("it runs", () => engine.calls.includes("time.start"));
  const second = await ask("/debug/pprof/profile?seconds=1");
  assert.equal(second.status, 409);
  assert.equal(errorOf(second), "busy");
  deaf.destroy();
  await eventually("it was stopped", () => engine.calls.includes("time.stop"));
  assert.equal((await ask("/debug/pprof/profile?seconds=0")).body.toString(), '{"name":"time"}');
  assert.equal((await ask("/debug/pprof/heap")).body.toString(), '{"name":"heap"}');
  assert.equal((await ask("/debug/pprof/heap")).status, 200);

  const last = ask("/debug/pprof/profile?seconds=60");
  await eventually("it runs", () => engine.calls.filter((call) => call === "time.start").length === 3);
  await listener.close();
  assert.equal((await last).status, 503);
  const count = (name: string): number => engine.calls.filter((call) => call === name).length;
  assert.deepEqual([count("time.stop"), count("heap.start"), count("heap.stop")], [3, 1, 1]);
});

test("a CPU profile and a heap profile do not wait for each other", async (t) => {
  const engine = new FakeEngine();
  const { ask, listener } = await startAdmin(t, { loadPprof: () => Promise.resolve({ engine }) });
  const cpu = ask("/debug/pprof/profile?seconds=60");
  await eventually("it runs", () => engine.calls.includes("time.start"));
  assert.equal((await ask("/debug/pprof/heap?seconds=0.05")).body.toString(), '{"name":"heap"}');
  assert.equal((await ask("/debug/pprof/heap")).status, 200);
  const heap = ask("/debug/pprof/heap?seconds=60");
  let refused = await ask("/debug/pprof/heap?seconds=0.01");
  while (refused.status === 200) refused = await ask("/debug/pprof/heap?seconds=0.01");
  assert.match(refused.body.toString(), /another heap profile is being taken/);
  assert.match((await ask("/debug/pprof/profile?seconds=1")).body.toString(), /another CPU profile is being taken/);
  await listener.close();
  assert.deepEqual([(await cpu).status, (await heap).status], [503, 503]);
});

test("seconds are checked", async (t) => {
  const { ask } = await startAdmin(t, { loadPprof: () => Promise.resolve({ engine: new FakeEngine() }) });
  for (const seconds of ["", "-1", "x", "121", "NaN", "Infinity", "1e9"]) {
    assert.equal((await ask(`/debug/pprof/profile?seconds=${seconds}`)).status, 400, seconds);
  }
});
