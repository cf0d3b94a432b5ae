import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { chmod, mkdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { Session } from "node:inspector";
import { join } from "node:path";
import { test } from "node:test";
import { writeHeapSnapshot } from "node:v8";
import { cureAllocation } from "../../src/leaks/allocation-cure.ts";
import { Operations } from "../../src/leaks/op-scope.ts";
import type { SnapshotResult } from "../../src/leaks/snapshot-entry.ts";
import { roomyGround, snapshotRig, tinySnapshot } from "./snapshot-rig.ts";
import { until } from "./sample.ts";

const program = { trigger: "program" } as const;
const posix = process.platform === "win32" ? { skip: "Windows has no file modes" } : {};

function codeOf(result: SnapshotResult): string {
  return result.ok ? "ok" : result.refusal.code;
}

test("ten at once: one is taken, nine are told that another runs", async (t) => {
  const { store, files, ledger } = await snapshotRig(t, { ground: roomyGround() });
  const results = await Promise.all(Array.from({ length: 10 }, () => store.take({ trigger: "api" })));
  assert.deepEqual(results.map(codeOf).toSorted(), [...Array.from({ length: 9 }, () => "busy"), "ok"]);
  assert.equal((await files()).length, 1);
  assert.equal(store.held, 0);
  assert.equal(ledger.accounts.snapshot.opened, 1);
  assert.deepEqual([...ledger.accounts.snapshot.reasons], [["ok", 1]]);
  assert.deepEqual(store.tallies(), [
    { trigger: "api", result: "busy", count: 9 },
    { trigger: "api", result: "ok", count: 1 },
  ]);
  assert.equal(codeOf(await store.take(program)), "ok");
});

const refusals: { readonly name: string; readonly code: string; readonly ground: Parameters<typeof roomyGround>[0] }[] =
  [
    { name: "too little memory", code: "memory", ground: { headroom: () => 69 * 1024 * 1024 } },
    { name: "too little disk", code: "disk", ground: { diskFree: () => Promise.resolve(90 * 1024 * 1024) } },
    {
      name: "too long a stall",
      code: "stall",
      ground: { heapUsed: () => 1024 ** 3, headroom: () => Infinity, diskFree: () => Promise.resolve(Infinity) },
    },
    { name: "no engine", code: "engine", ground: { engine: () => ({ missing: "install it" }) } },
  ];

for (const { name, code, ground } of refusals) {
  test(`refused for ${name}: no notice, no stall, no file`, async (t) => {
    const calls: string[] = [];
    const { store, ledger } = await snapshotRig(t, {
      ground: roomyGround({
        engine: () => ({ write: () => void calls.push("write") }),
        cure: () => Promise.resolve(void calls.push("cure")),
        ...ground,
      }),
      beforeStall: () => void calls.push("notice"),
    });
    const result = await store.take(program);
    assert.equal(codeOf(result), code);
    assert.ok(!result.ok && result.refusal.message.length > 5);
    assert.deepEqual(calls, []);
    assert.deepEqual(await store.list(), []);
    assert.deepEqual([...ledger.accounts.snapshot.reasons], [[code, 1]]);
    const forced = codeOf(await store.take({ ...program, force: true }));
    // This engine writes nothing, which is found out afterwards; the guards on memory and stall let it through.
    assert.equal(forced, code === "engine" ? "engine" : "disk");
    assert.equal(calls.join(" ").includes("write"), code === "memory" || code === "stall");
  });
}

const failures: { readonly name: string; readonly code: string; readonly write: (path: string) => void }[] = [
  {
    // The very error that Node has when V8 writes to a full disk: /dev/full is one.
    name: "the disk is full while V8 writes",
    code: process.platform === "linux" ? "disk" : "failed",
    write: (path) => {
      writeFileSync(path, "{");
      writeHeapSnapshot(process.platform === "linux" ? "/dev/full" : "/nowhere/at/all");
    },
  },
  {
    name: "the engine hides a short write",
    code: "disk",
    write: (path) => writeFileSync(path, tinySnapshot.slice(0, -5)),
  },
  {
    name: "the cut falls behind a brace",
    code: "disk",
    write: (path) => writeFileSync(path, '{"snapshot":{},"strings":["function(){ return [\\"a\\"]}'),
  },
  {
    name: "the engine throws",
    code: "failed",
    write: () => {
      throw new Error("no such luck");
    },
  },
];

for (const { name, code, write } of failures) {
  test(`a snapshot that fails because ${name} leaves no file, and allocations are cured`, async (t) => {
    let cured = 0;
    const ground = roomyGround({
      engine: () => ({ write }),
      cure: () => Promise.resolve(void (cured += 1)),
    });
    const { store, files, ledger, faults } = await snapshotRig(t, { ground });
    assert.equal(codeOf(await store.take(program)), code);
    assert.equal(cured, 1);
    assert.deepEqual(await files(), []);
    assert.deepEqual([...ledger.accounts.snapshot.reasons], [[code, 1]]);
    assert.equal(store.held, 0);
    assert.deepEqual(faults, []);
  });
}

test("the notice goes out before the stall, with its expected length, and a turn of the event loop to leave", async (t) => {
  const order: string[] = [];
  const { store, faults } = await snapshotRig(t, {
    ground: roomyGround({
      engine: () => ({
        write: (path) => {
          order.push("write");
          writeFileSync(path, tinySnapshot);
        },
      }),
      cure: () => Promise.resolve(void order.push("cure")),
    }),
    beforeStall: (expectedMs) => {
      order.push(`notice of ${expectedMs > 100}`);
      setImmediate(() => order.push("frames leave"));
      throw new Error("a client was gone");
    },
  });
  const result = await store.take({ trigger: "api" });
  assert.deepEqual(order, ["notice of true", "frames leave", "write", "cure"]);
  assert.ok(result.ok);
  assert.deepEqual(faults, ["snapshots: Error: a client was gone"]);
  assert.equal(store.stalls.count, 1);
  assert.ok(Math.abs(store.stalls.sum * 1000 - (result.entry.stallMs ?? 0)) < 1e-6);
});

test("each taking is an operation that is followed by name", async (t) => {
  const operations = new Operations();
  t.after(() => operations.dispose());
  const { store } = await snapshotRig(t, { ground: roomyGround(), operations });
  const taking = store.take(program);
  assert.equal(operations.readings()["snapshot"]?.pending, 1);
  await taking;
  assert.deepEqual([operations.readings()["snapshot"]?.settled, operations.readings()["snapshot"]?.pending], [1, 0]);
});

test("an object of process.nextTick lives while the snapshot collects garbage", async (t) => {
  let queued = 0;
  let queuedAtWrite = 0;
  const { nextTick } = process;
  t.mock.method(process, "nextTick", (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
    queued += 1;
    const run = (): void => {
      queued -= 1;
      callback(...args);
    };
    Reflect.apply(nextTick, process, [run]);
  });
  const write = (path: string): void => {
    queuedAtWrite = queued;
    writeFileSync(path, tinySnapshot);
  };
  const { store } = await snapshotRig(t, { ground: roomyGround({ engine: () => ({ write }) }) });
  assert.ok((await store.take(program)).ok);
  assert.ok(queuedAtWrite > 0);
});

test("the cure switches the heap profiler on and off", async (t) => {
  const posted: unknown[] = [];
  const { post } = Session.prototype;
  t.mock.method(Session.prototype, "post", function record(this: Session, method: string) {
    posted.push(method);
    Reflect.apply(post, this, [method]);
  });
  await cureAllocation();
  assert.deepEqual(posted, ["HeapProfiler.enable", "HeapProfiler.disable"]);
});

test("the newest are kept, up to the count, and none beyond its age", async (t) => {
  const { store, files } = await snapshotRig(t, { ground: roomyGround(), keepCount: 3, keepMs: 60_000 });
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const result = await store.take(program);
    assert.ok(result.ok);
    ids.push(result.entry.id);
    // The time is part of the name, and a millisecond its step.
    await until(() => Date.now() > result.entry.takenAtMs);
  }
  assert.deepEqual(
    (await store.list()).map((entry) => entry.id),
    ids.slice(2),
  );
  assert.equal((await files()).length, 3);
});

test("a snapshot is removed when its time is over, without anybody asking", async (t) => {
  const { store, folder, files } = await snapshotRig(t, { ground: roomyGround(), keepMs: 300 });
  assert.equal(codeOf(await store.take(program)), "ok");
  assert.equal((await files()).length, 1);
  let left = 1;
  await until(() => {
    void files().then((names) => (left = names.length));
    return left === 0;
  });
  assert.equal((await stat(folder)).isDirectory(), true);
});

test("what dead processes left is swept; foreign files and young partial ones stay", async (t) => {
  const { store, folder, files } = await snapshotRig(t, { ground: roomyGround(), keepMs: 86_400_000 });
  await mkdir(folder, { mode: 0o700 });
  const name = (takenAtMs: number, end: string): string => `caisson-${takenAtMs}-v8-api-00000000.${end}`;
  const now = Date.now();
  const old = now - 3_600_000;
  for (const [file, ageMs] of [
    [name(now - 1000, "heapsnapshot.partial"), 0],
    [name(now, "partial"), 0],
    [name(old, "partial"), 3_600_000],
    [name(now - 90_000_000, "heapsnapshot"), 0],
    [name(old, "heapsnapshot"), 0],
    ["notes.txt", 3_600_000],
  ] as const) {
    await writeFile(join(folder, file), tinySnapshot);
    await utimes(join(folder, file), now / 1000, (now - ageMs) / 1000);
  }
  await store.sweep();
  assert.deepEqual(
    (await files()).toSorted(),
    [name(now - 1000, "heapsnapshot.partial"), name(now, "partial"), name(old, "heapsnapshot"), "notes.txt"].toSorted(),
  );
  // Of an earlier process only what the name tells is known.
  const [entry] = await store.list();
  assert.deepEqual(entry, {
    id: name(old, "").slice(0, -1),
    bytes: tinySnapshot.length,
    takenAtMs: old,
    engine: "v8",
    trigger: "api",
  });
});

test("a partial file without a snapshot beside it goes when it is old enough, without anybody asking", async (t) => {
  const { store, folder, files } = await snapshotRig(t, { ground: roomyGround() });
  await mkdir(folder, { mode: 0o700 });
  const partial = `caisson-${Date.now()}-v8-api-00000000.partial`;
  await writeFile(join(folder, partial), "");
  // Its process was killed nearly ten minutes ago, and nobody takes a snapshot meanwhile.
  const writtenAtS = (Date.now() - 600_000) / 1000 + 0.5;
  await utimes(join(folder, partial), writtenAtS, writtenAtS);
  await store.sweep();
  let left = 1;
  await until(() => {
    void files().then((names) => (left = names.length));
    return left === 0;
  });
});

test("files are private, and so is the folder unless others use it", posix, async (t) => {
  const { store, folder } = await snapshotRig(t, { ground: roomyGround() });
  const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
  const first = await store.take(program);
  assert.ok(first.ok);
  assert.equal(await modeOf(folder), "700");
  assert.equal(await modeOf(join(folder, `${first.entry.id}.heapsnapshot`)), "600");
  await chmod(folder, 0o755);
  await store.take(program);
  assert.equal(await modeOf(folder), "700");
  await writeFile(join(folder, "foreign"), "");
  await chmod(folder, 0o755);
  assert.equal(codeOf(await store.take(program)), "ok");
  assert.equal(await modeOf(folder), "755");
});

test("snapshots are read and deleted by id; other names find nothing", async (t) => {
  const { store, folder } = await snapshotRig(t, { ground: roomyGround() });
  const result = await store.take(program);
  assert.ok(result.ok);
  const { id } = result.entry;
  await writeFile(join(folder, "..", "secret.heapsnapshot"), "secret");
  await writeFile(join(folder, "secret.heapsnapshot"), "secret");
  for (const wrong of ["", "secret", "../secret", `../snapshots/${id}`, `${id}/../secret`, `${id}\0`, id.slice(1)]) {
    assert.equal(await store.open(wrong), undefined, wrong);
    assert.equal(await store.remove(wrong), false, wrong);
  }
  const opened = await store.open(id);
  assert.ok(opened);
  assert.deepEqual(opened.entry, result.entry);
  // Deleting does not disturb who is reading.
  assert.equal(await store.remove(id), true);
  assert.equal(await opened.handle.readFile("utf8"), tinySnapshot);
  await opened.handle.close();
  assert.equal(await store.open(id), undefined);
  assert.equal(await store.remove(id), false);
  assert.equal(await readFile(join(folder, "secret.heapsnapshot"), "utf8"), "secret");
});

test("a folder where others could replace snapshots takes none, and says what to do", posix, async (t) => {
  const { store, folder, files } = await snapshotRig(t, { ground: roomyGround() });
  await mkdir(folder);
  await writeFile(join(folder, "foreign"), "");
  for (const mode of [0o770, 0o702, 0o2775, 0o777]) {
    await chmod(folder, mode);
    const result = await store.take(program);
    assert.equal(codeOf(result), "failed");
    assert.ok(!result.ok);
    assert.match(
      result.refusal.message,
      /other users can write to the snapshot folder .* \(mode \d{4}\).*chmod go-w.*--snapshots/,
    );
    assert.deepEqual(await files(), ["foreign"]);
  }
  for (const mode of [0o1777, 0o755]) {
    await chmod(folder, mode);
    assert.equal((await store.take(program)).ok, true);
  }
});

test("a folder that cannot be made is an answer, not a crash", async (t) => {
  const { store, faults } = await snapshotRig(t, { ground: roomyGround(), folder: join(import.meta.filename, "x") });
  const result = await store.take(program);
  assert.equal(codeOf(result), "failed");
  assert.deepEqual(await store.list().catch((error: unknown) => String(error).includes("ENOTDIR")), true);
  assert.deepEqual(faults, []);
});

test("a store that is disposed of takes none, gives up one that has not begun, and tells of its end", async (t) => {
  let goOn: (() => void) | undefined;
  const beforeStall = (): Promise<void> => new Promise((resolve) => (goOn = resolve));
  const { store, files, ledger, faults } = await snapshotRig(t, { ground: roomyGround(), beforeStall });
  const taking = store.take(program);
  await until(() => goOn !== undefined);
  assert.equal((await files()).length, 1);
  store.dispose();
  let idle = false;
  const waiting = store.idle().then(() => (idle = true));
  await new Promise(setImmediate);
  assert.equal(idle, false);
  goOn?.();
  assert.equal(codeOf(await taking), "failed");
  await waiting;
  assert.deepEqual(await files(), []);
  assert.equal(codeOf(await store.take(program)), "failed");
  assert.equal(ledger.accounts.snapshot.opened, 1);
  assert.equal(ledger.live("snapshot"), 0);
  assert.deepEqual(faults, []);
});

test("a partial file that another process removes meanwhile is no fault", posix, async (t) => {
  const { store, folder, faults } = await snapshotRig(t, { ground: roomyGround() });
  await mkdir(folder, { mode: 0o700 });
  // As if it had been listed and was gone at the look: the name is there, what it means is not.
  await symlink("/nowhere", join(folder, `caisson-${Date.now()}-v8-api-0badcafe.partial`));
  await store.sweep();
  assert.deepEqual(faults, []);
});
