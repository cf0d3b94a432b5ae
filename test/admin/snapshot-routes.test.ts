// Heap snapshots over the private listener, with a store that takes real files and refuses on demand.

import assert from "node:assert/strict";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { SnapshotAccess } from "../../src/admin/subject.ts";
import type {
  SnapshotEntry,
  SnapshotForecast,
  SnapshotRefusalCode,
  SnapshotResult,
} from "../../src/leaks/snapshot-entry.ts";
import type { OpenSnapshot, TakeOptions } from "../../src/leaks/snapshots.ts";
import { errorOf, eventually, jsonOf, openDeaf, startAdmin, token } from "./rig.ts";

/** More than the kernel's buffers take, so that who does not read is noticed. */
const bytes = 32 * 1024 * 1024;

class FakeStore implements SnapshotAccess {
  readonly #folder: string;
  readonly entries: SnapshotEntry[] = [];
  readonly opened: OpenSnapshot[] = [];
  readonly asked: TakeOptions[] = [];
  refusal: SnapshotRefusalCode | undefined;
  /** Holds up whoever has opened a file. */
  afterOpening: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async take(options: TakeOptions): Promise<SnapshotResult> {
    this.asked.push(options);
    if (this.refusal) return { ok: false, refusal: { code: this.refusal, message: "because of a reason" } };
    const id = `caisson-1-v8-api-${this.entries.length}`;
    await writeFile(join(this.#folder, id), Buffer.alloc(bytes, "a"));
    const entry: SnapshotEntry = { id, bytes, takenAtMs: 1, engine: "v8", trigger: "api", stallMs: 12, heapUsed: 34 };
    this.entries.push(entry);
    return { ok: true, entry };
  }

  forecast(): SnapshotForecast {
    return { stallMs: 1, diskBytes: 2, memoryBytes: 3, refusal: null };
  }

  list(): Promise<readonly SnapshotEntry[]> {
    return Promise.resolve(this.entries);
  }

  async open(id: string): Promise<OpenSnapshot | undefined> {
    const entry = this.entries.find((candidate) => candidate.id === id);
    if (!entry) return undefined;
    const opened = { entry, handle: await open(join(this.#folder, id)) };
    this.opened.push(opened);
    await this.afterOpening;
    return opened;
  }

  remove(id: string): Promise<boolean> {
    const index = this.entries.findIndex((entry) => entry.id === id);
    return Promise.resolve(index >= 0 && this.entries.splice(index, 1).length > 0);
  }

  /** Descriptors that are still open. */
  get held(): number {
    return this.opened.filter(({ handle }) => handle.fd >= 0).length;
  }
}

async function rig(
  t: Parameters<typeof startAdmin>[0],
): Promise<Awaited<ReturnType<typeof startAdmin>> & { store: FakeStore }> {
  const folder = await mkdtemp(join(tmpdir(), "caisson-snapshots-"));
  const store = new FakeStore(folder);
  const admin = await startAdmin(t, { stallMs: 1_000, extend: (role) => Object.assign(role, { snapshots: store }) });
  t.after(() => rm(folder, { recursive: true }));
  return { ...admin, store };
}

test("a snapshot is taken, listed, fetched as a stream and deleted", async (t) => {
  const { ask, store } = await rig(t);
  const taken = await ask("/debug/heap/snapshots", { method: "POST" });
  assert.equal(taken.status, 201);
  const entry = jsonOf(taken);
  assert.ok(typeof entry === "object" && entry !== null && "id" in entry && typeof entry.id === "string");
  assert.deepEqual({ ...entry, warning: "" }, { ...store.entries[0], warning: "" });
  assert.ok("warning" in entry && typeof entry.warning === "string" && entry.warning.includes("tokens"));
  assert.equal(taken.headers.location, `/debug/heap/snapshots/${entry.id}`);
  assert.deepEqual(store.asked, [{ engine: "v8", trigger: "api", force: false }]);
  assert.deepEqual(jsonOf(await ask("/debug/heap/snapshots")), store.entries);

  const fetched = await ask(taken.headers.location);
  assert.equal(fetched.status, 200);
  assert.equal(fetched.body.length, bytes);
  assert.equal(fetched.headers["content-disposition"], `attachment; filename="${entry.id}.heapsnapshot"`);
  assert.equal((await ask(taken.headers.location, { method: "HEAD" })).body.length, 0);
  assert.equal((await ask(taken.headers.location, { method: "DELETE" })).status, 204);
  for (const method of ["GET", "DELETE"]) assert.equal((await ask(taken.headers.location, { method })).status, 404);
  assert.equal(errorOf(await ask("/debug/heap/snapshots/..%2F..%2Fetc%2Fpasswd")), "not_found");
  await eventually("every file was closed", () => store.held === 0);
});

test("options are checked", async (t) => {
  const { ask, store } = await rig(t);
  const post = (body: object): ReturnType<typeof ask> => ask("/debug/heap/snapshots", { method: "POST", body });
  for (const body of [{ engine: "magic" }, { engine: 3 }, { force: "yes" }, { force: 1 }]) {
    assert.equal((await post(body)).status, 400, JSON.stringify(body));
  }
  assert.equal((await post({ engine: "heapdump", force: true, more: 1 })).status, 201);
  assert.deepEqual(store.asked, [{ engine: "heapdump", trigger: "api", force: true }]);
});

const refusals: readonly (readonly [SnapshotRefusalCode, number, string])[] = [
  ["busy", 409, "busy"],
  ["memory", 503, "low_memory"],
  ["stall", 503, "long_stall"],
  ["disk", 507, "disk_full"],
  ["engine", 501, "not_implemented"],
  ["failed", 500, "internal"],
];
for (const [code, status, word] of refusals) {
  test(`refusal ${code} is ${status}`, async (t) => {
    const { ask, store } = await rig(t);
    store.refusal = code;
    const reply = await ask("/debug/heap/snapshots", { method: "POST", body: {} });
    assert.equal(reply.status, status);
    assert.equal(errorOf(reply), word);
  });
}

test("who fetches a snapshot and stops reading, or leaves, leaves no file open", async (t) => {
  const { store, listener, port, faults, ask } = await rig(t);
  await ask("/debug/heap/snapshots", { method: "POST" });
  const question = `GET /debug/heap/snapshots/${store.entries[0]?.id} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  const leaver = await openDeaf(port);
  leaver.write(question);
  await eventually("it is open", () => store.held === 1);
  leaver.resetAndDestroy();
  await eventually("it was closed", () => store.held === 0);
  const deaf = await openDeaf(port);
  deaf.write(question);
  await eventually("it is open", () => store.held === 1);
  await eventually("the deaf one was cut", () => store.held === 0);
  deaf.destroy();
  await eventually("nothing is in flight", () => listener.load.requests === 0);
  assert.deepEqual(faults, []);
});

test("who leaves while a snapshot is being opened leaves no file open", async (t) => {
  const { store, listener, port, faults, ask } = await rig(t);
  await ask("/debug/heap/snapshots", { method: "POST" });
  let goOn = (): void => {};
  store.afterOpening = new Promise((resolve) => (goOn = resolve));
  const leaver = await openDeaf(port);
  leaver.write(
    `GET /debug/heap/snapshots/${store.entries[0]?.id} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  await eventually("it is open", () => store.held === 1);
  leaver.resetAndDestroy();
  await eventually("the listener knows", () => listener.load.requests === 0);
  goOn();
  await eventually("it was closed", () => store.held === 0);
  assert.deepEqual(faults, []);
});
