// Heap snapshots of a real server process, with live sessions and requests: asked for through the private listener and by
// a signal. The server stands still for each, and nobody is lost by it.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import type { RequestListener, ServerResponse } from "node:http";
import { connect as connectTcp, createServer as createTcpServer } from "node:net";
import type { Server as TcpServer, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { SnapshotEntry } from "../../src/leaks/snapshot-entry.ts";
import { AdminReader, brokenLaws, sampleOf } from "../support/admin-reader.ts";
import { HttpTarget } from "../support/http-target.ts";
import type { CaissonProcess } from "../support/run.ts";
import { ProcessPair, startClient } from "../support/processes.ts";
import { startCaisson } from "../support/run.ts";
import { until } from "../support/until.ts";
import { visit, visitText } from "../support/visitor.ts";

const unix = { skip: process.platform === "win32" ? "needs signals and modes" : false, timeout: 120_000 };
/** More heap, so that the server stands still for two to three seconds. Newer versions of Node are twice as fast. */
const ballastEntries = Number(process.versions.node.split(".")[0]) < 22 ? 200_000 : 400_000;
const ballast = `data:text/javascript,globalThis.ballast=Array.from({length:${ballastEntries}},(_,i)=>({i,next:{i}}))`;

type Taken = SnapshotEntry & { readonly warning: string };

/** A server process with its private files, and the private listener to ask. */
class ServerProcess {
  readonly folder: string = mkdtempSync(join(tmpdir(), "caisson-snapshot-"));
  readonly snapshots: string = join(this.folder, "snapshots");
  readonly process: CaissonProcess;
  reader: AdminReader | undefined;
  port = 0;

  constructor(options: { readonly fileKib?: number } = {}) {
    const { fileKib } = options;
    const tokenFile = join(this.folder, "token");
    const admin = ["--admin", "127.0.0.1:0", "--admin-token-file", tokenFile, "--snapshots", this.snapshots];
    this.process = startCaisson(
      ["serve", "--json", "--listen", "127.0.0.1:0", "--catch-all", "demo", ...admin],
      fileKib === undefined ? { nodeFlags: ["--import", ballast] } : { fileKib },
    );
  }

  async ready(): Promise<AdminReader> {
    const { url, admin } = await this.process.event("listening");
    this.port = Number(new URL(String(url)).port);
    this.reader = new AdminReader(String(admin), readFileSync(join(this.folder, "token"), "utf8").trim());
    return this.reader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Stands between client and server, and keeps what the server says: unmasked frames, so that control messages can be read. */
class Tap {
  heard = "";
  /** When the first notice came, on the clock of `performance.now()`. */
  firstNoticeAtMs = Infinity;
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    this.#server = createTcpServer({ noDelay: true }, (client) => {
      const server = connectTcp({ port, host: "127.0.0.1", noDelay: true });
      server.on("data", (chunk: Buffer) => this.#hear(chunk));
      client.pipe(server).pipe(client);
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on("error", () => socket.destroy());
      }
    });
  }

  static async start(port: number): Promise<Tap> {
    const tap = new Tap(port);
    await new Promise<void>((resolve) => void tap.#server.listen(0, "127.0.0.1", resolve));
    return tap;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** The announced lengths of pauses, in milliseconds. */
  get notices(): number[] {
    return [...this.heard.matchAll(/"type":"notice","pauseMs":(\d+)/gu)].map((match) => Number(match[1]));
  }

  #hear(chunk: Buffer): void {
    this.heard += chunk.toString("latin1");
    if (this.firstNoticeAtMs === Infinity && this.notices.length > 0) this.firstNoticeAtMs = performance.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** Answers /drip with a piece every 20 ms until told to end; everything else at once. */
class DrippingTarget {
  #dripping: ServerResponse | undefined;
  #timer: NodeJS.Timeout | undefined;
  pieces = 0;

  readonly listener: RequestListener = (request, response): void => {
    if (request.url !== "/drip") {
      response.end("answered");
      return;
    }
    this.#dripping = response;
    this.#timer = setInterval(() => response.write(`${(this.pieces += 1)},`), 20);
  };

  end(): void {
    clearInterval(this.#timer);
    this.#dripping?.end("end");
  }
}

async function bodyOf(response: AsyncIterable<unknown>): Promise<string> {
  let body = "";
  for await (const chunk of response) body += String(chunk);
  return body;
}

/** A client that calls the server dead after so much silence, unless it was told of a pause. */
function impatient(deadAfterMs: number): string[] {
  return ["--ping-every", "300ms", "--dead-after", `${deadAfterMs}ms`, "--probe-timeout", "3s"];
}

test(
  "snapshots through the listener and by SIGUSR2: nobody is lost, one runs at a time, the stall is told",
  unix,
  async (t) => {
    const dripping = new DrippingTarget();
    await using target = await HttpTarget.start(dripping.listener);
    await using server = new ServerProcess();
    const reader = await server.ready();
    await using tap = await Tap.start(server.port);
    // Half of what a snapshot takes on this machine: without the notice, the client would give the server up.
    const measured = await reader.json<Taken>("/debug/heap/snapshots", { method: "POST", body: {}, status: 201 });
    const deadAfterMs = Math.max(1_000, Math.ceil((measured.stallMs ?? 0) / 2));
    await using client = startClient(target.port, tap.port, { http: impatient(deadAfterMs) });
    await client.event("tunnel");
    const drip = await visit(server.port, "/drip");
    const dripped = bodyOf(drip);
    await until(() => dripping.pieces > 3, { what: "a download flows" });

    const asked = Array.from({ length: 10 }, () =>
      reader.ask("/debug/heap/snapshots", { method: "POST", body: { engine: "v8" } }),
    );
    const replies = await Promise.all(asked);
    const repliedAtMs = performance.now();
    assert.deepEqual(
      replies.map(({ status }) => status).toSorted((a, b) => a - b),
      [201, ...Array.from({ length: 9 }, () => 409)],
    );
    const taken = JSON.parse(replies.find(({ status }) => status === 201)?.body.toString() ?? "") as Taken;
    assert.match(taken.warning, /tokens, cookies/u);
    assert.ok((taken.stallMs ?? 0) > 0 && (taken.heapUsed ?? 0) > 5_000_000);
    if ((taken.stallMs ?? 0) < deadAfterMs) t.diagnostic("the stall was too short for the notice to matter");

    assert.equal(tap.notices.length, 1);
    assert.ok(tap.firstNoticeAtMs < repliedAtMs - (taken.stallMs ?? 0) / 2, "the notice came before the pause");
    assert.ok((tap.notices[0] ?? 0) >= 300);
    assert.equal((await visitText(server.port, "/")).body, "answered");

    server.process.kill("SIGUSR2");
    const bySignal = async (): Promise<SnapshotEntry | undefined> =>
      (await reader.json<SnapshotEntry[]>("/debug/heap/snapshots")).find(({ trigger }) => trigger === "signal");
    await until(async () => (await bySignal()) !== undefined, { what: "the signal's snapshot", timeoutMs: 60_000 });
    assert.equal(tap.notices.length, 2);

    const metrics = await reader.metrics();
    assert.equal(sampleOf(metrics, 'caisson_heap_snapshots_total{trigger="api",result="ok"}'), 2);
    assert.equal(sampleOf(metrics, 'caisson_heap_snapshots_total{trigger="api",result="busy"}'), 9);
    assert.equal(sampleOf(metrics, 'caisson_heap_snapshots_total{trigger="signal",result="ok"}'), 1);
    assert.equal(sampleOf(metrics, "caisson_heap_snapshot_stall_seconds_count"), 3);
    const stalledMs = (sampleOf(metrics, "caisson_heap_snapshot_stall_seconds_sum") ?? 0) * 1000;
    assert.ok(stalledMs > (taken.stallMs ?? Infinity) * 0.99, `${stalledMs}, ${String(taken.stallMs)}`);

    // No session was lost: there was one, and it is the same.
    dripping.end();
    assert.match(await dripped, /^1,2,3,(?:\d+,)*end$/u);
    assert.deepEqual(
      client.events.filter(({ event }) => event === "disconnected"),
      [],
    );
    await until(async () => brokenLaws(await reader.resources()).length === 0, { what: "the ledgers agree" });
    const { kinds } = await reader.resources();
    assert.equal(kinds.session.opened, 1);
    assert.deepEqual([kinds.snapshot.opened, kinds.snapshot.live], [3, 0]);

    // Each taking and each refusal has its line.
    const lines = server.process.stderr.split("\n").filter((line) => line.includes('"heap_snapshot"'));
    assert.deepEqual(
      lines.map(wordsOf).toSorted(),
      [...Array.from({ length: 9 }, () => "warn api busy"), "info api ok", "info api ok", "info signal ok"].toSorted(),
    );
    const told = lines.find((line) => line.includes(taken.id)) ?? "";
    assert.match(told, /as you keep a private key/u);
    assert.match(told, new RegExp(`"bytes":${taken.bytes},`, "u"));

    await checkFiles(server, { reader, taken });
    assert.deepEqual(await client.stop(), { code: 0, signal: null });
    assert.deepEqual(await server.process.stop(), { code: 0, signal: null });
  },
);

function wordsOf(line: string): string {
  const { level, trigger, result } = JSON.parse(line) as Record<string, string>;
  return `${level} ${trigger} ${result}`;
}

async function checkFiles(server: ServerProcess, with_: { reader: AdminReader; taken: Taken }): Promise<void> {
  const { reader, taken } = with_;
  assert.equal(statSync(server.snapshots).mode & 0o777, 0o700);
  for (const name of readdirSync(server.snapshots)) {
    assert.match(name, /\.heapsnapshot$/u);
    assert.equal(statSync(join(server.snapshots, name)).mode & 0o777, 0o600);
  }
  const path = `/debug/heap/snapshots/${taken.id}`;
  const fetched = await reader.ask(path);
  assert.equal(fetched.body.length, taken.bytes);
  const parsed = JSON.parse(fetched.body.toString("utf8")) as { snapshot: object; strings: string[] };
  // What makes a leak findable: the records of watched resources, by the name of their class.
  assert.ok(parsed.strings.includes("WatchRecord") && parsed.strings.includes("ClientSession"));
  assert.equal((await reader.ask(path, { method: "DELETE" })).status, 204);
  assert.equal((await reader.ask(path)).status, 404);
}

test(
  "a disk that fills up while the snapshot is written: 507, no partial file, and the tunnel goes on",
  unix,
  async () => {
    await using target = await HttpTarget.start((_, response) => void response.end("answered"));
    // The limit of file sizes refuses bytes in the middle of a file, as a full disk does.
    await using server = new ServerProcess({ fileKib: 2_048 });
    const reader = await server.ready();
    await using client = startClient(target.port, server.port);
    await client.event("tunnel");
    for (const engine of ["v8", "heapdump"]) {
      const reply = await reader.ask("/debug/heap/snapshots", { method: "POST", body: { engine } });
      const { error } = JSON.parse(reply.body.toString()) as { error: string };
      if (reply.status === 501) assert.equal(engine, "heapdump"); // It is not built here.
      else assert.deepEqual([engine, reply.status, error], [engine, 507, "disk_full"]);
      assert.deepEqual(readdirSync(server.snapshots), []);
      assert.equal((await visitText(server.port, "/")).body, "answered");
    }
    const metrics = await reader.metrics();
    assert.ok((sampleOf(metrics, 'caisson_heap_snapshots_total{trigger="api",result="disk"}') ?? 0) >= 1);
    assert.deepEqual(
      client.events.filter(({ event }) => event === "disconnected"),
      [],
    );
    assert.deepEqual(await client.stop(), { code: 0, signal: null });
    assert.deepEqual(await server.process.stop(), { code: 0, signal: null });
  },
);

test("without a private listener SIGUSR2 is answered with how to get one, and ends nobody", unix, async () => {
  await using target = await HttpTarget.start((_, response) => void response.end("answered"));
  await using pair = await ProcessPair.start(target.port, { serve: ["--admin", "off"] });
  for (const side of [pair.server, pair.client]) {
    side.kill("SIGUSR2");
    await side.complaint(/SIGUSR2 .* start with --admin HOST:PORT/u);
  }
  assert.equal((await visitText(pair.port, "/")).body, "answered");
  assert.deepEqual(await pair.client.stop(), { code: 0, signal: null });
  assert.deepEqual(await pair.server.stop(), { code: 0, signal: null });
});
