// Run with `node --import SEED exercise.js SEED SESSIONS`: a server, its clients, a target and visitors in one process,
// who do each thing once that some seed waits for. Prints what can be read afterwards as one line of JSON, and ends.

import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { AdminClient } from "../../../src/admin/admin-client.ts";
import type { ResourceReport } from "../../../src/leaks/resource-report.ts";
import { connect, serve } from "../../../src/index.ts";
import { Ledger } from "../../../src/internals.ts";
import { MemoryKeyring } from "../../../bench/gate/processes/memory-keyring.ts";
import { portOf } from "../../../bench/gate/network/port-of.ts";
import { Relay } from "../../../bench/gate/network/relay.ts";
import { until } from "../../support/until.ts";
import type { OwnCensus } from "./own-census.ts";
import { ownCensus } from "./own-census.ts";

/** What the exercise prints. */
export interface Readings extends Pick<ResourceReport, "kinds" | "probes" | "operations" | "handles"> {
  /** How often the seed says that it struck. */
  readonly seeded: number;
  /** Status of a request to a name that was claimed twice; 200 if all is well. */
  readonly afterTakeOver: number;
  readonly seriesWithNames: number;
  readonly clientLive: Readonly<Record<string, number>>;
  readonly warningListeners: number;
  readonly arrayBuffers: number;
  /** What there was of objects, listeners and containers in the end, and while a client stood that had been asked four times. */
  readonly census: OwnCensus;
  readonly censusWithin: OwnCensus;
}

/** Long enough for a machine that tests slow down, and what the last part waits for. Milliseconds. */
const deadAfterMs = 1_500;
/** What has not happened after so long never does. Milliseconds. */
const longEnoughMs = 2_000;

const [, , seed = "", sessionsText = "8"] = process.argv;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** More than the kernel takes for somebody who reads nothing, even after it has widened its buffers. */
const large = Buffer.alloc(64 * 1024 * 1024, "l");
let sending: Socket | undefined;
/** How many requests that get no answer have arrived. */
let unanswered = 0;
const target = createServer((incoming, response) => {
  response.on("error", () => undefined);
  if (incoming.url === "/large") {
    sending = incoming.socket;
    // It never ends by itself: only its visitor does that.
    response.writeHead(200, { "Content-Length": 2 * large.length });
    response.write(large);
  } else if (incoming.url === "/reset") incoming.socket.resetAndDestroy();
  else if (incoming.url === "/silent") unanswered += 1;
  else response.end("ok");
});
const echo = new WebSocketServer({ server: target });
echo.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
await new Promise<void>((resolve) => void target.listen(0, "127.0.0.1", resolve));

let token = "";
const server = await serve({
  listen: "127.0.0.1:0",
  admin: { listen: "127.0.0.1:0", watchAll: true, onToken: (given) => (token = given) },
  // Everything that lingers must be over before settled() takes quiet for the end.
  limits: { pingMs: 300, deadAfterMs, nameHoldMs: 300, nameWaitMs: 150, closeTimeoutMs: 200, lingerMs: 200 },
});
const port = Number(new URL(server.url).port);
const admin = new AdminClient({ host: "127.0.0.1", port: Number(new URL(server.admin).port) }, token);
const clientLedger = new Ledger();
const keyring = new MemoryKeyring();
const options = {
  server: `ws://127.0.0.1:${port}`,
  target: portOf(target),
  keyring,
  limits: { closeTimeoutMs: 200, drainMs: 100 },
  subscribers: [clientLedger],
};

function ask(name: string, path: string): { readonly answer: Promise<IncomingMessage>; leave(): void } {
  const headers = { Host: `${name}.localhost` };
  const sent = request({ host: "127.0.0.1", port, path, headers, agent: false });
  const answer = once(sent, "response").then(([response]: IncomingMessage[]) => response as IncomingMessage);
  sent.on("error", () => undefined);
  answer.catch(() => undefined);
  sent.end();
  return { answer, leave: () => void sent.destroy() };
}

async function statusOf(name: string, path: string): Promise<number> {
  const response = await ask(name, path).answer;
  response.on("error", () => undefined).resume();
  await once(response, "close");
  return response.statusCode ?? 0;
}

async function resources(): Promise<ResourceReport> {
  return JSON.parse((await admin.ask("/debug/resources")).body.toString()) as ResourceReport;
}

/** Waits until so many requests without an answer are in flight. */
async function inFlight(count: number): Promise<void> {
  await until(() => unanswered === count, { what: `the target has ${count} requests that it does not answer` });
}

/** Waits until something is so, or until it has had time enough: of some seeds it never is. */
async function orLongEnough(condition: () => boolean): Promise<void> {
  const latestMs = performance.now() + longEnoughMs;
  while (!condition() && performance.now() < latestMs) await pause(5);
}

/** Waits until the target has got rid of all that anybody takes from it. */
async function sendingStopped(): Promise<void> {
  const unchangedMs = 400;
  const latestMs = performance.now() + 15_000;
  let left = -1;
  let sinceMs = performance.now();
  while (performance.now() < Math.min(latestMs, sinceMs + unchangedMs)) {
    const now = sending?.writableLength ?? -1;
    if (now !== left) sinceMs = performance.now();
    left = now;
    await pause(20);
  }
}

/** Waits until nothing has changed for longer than a dead link takes to be noticed, and its name to expire. */
async function settled(): Promise<void> {
  const unchangedMs = deadAfterMs + 700;
  const latestMs = performance.now() + 15_000;
  let seen = "";
  let sinceMs = performance.now();
  while (performance.now() < Math.min(latestMs, sinceMs + unchangedMs)) {
    const { kinds, probes } = await resources();
    const open = Object.entries(kinds).map(([kind, { live, held }]) => [kind, live, held]);
    const now = JSON.stringify([open, probes]);
    if (now !== seen) sinceMs = performance.now();
    seen = now;
    await pause(50);
  }
}

// Clients that come, are asked twice, and say goodbye.
for (let at = 0; at < Number(sessionsText); at += 4) {
  await Promise.all(
    Array.from({ length: 4 }, async (_, lane) => {
      const name = `client-${at + lane}`;
      const tunnel = await connect({ ...options, name });
      if (at < 8) await statusOf(name, "/");
      await tunnel.close({ force: true });
    }),
  );
}

// A name that changes hands.
const older = await connect({ ...options, name: "twice" });
const newer = await connect({ ...options, name: "twice" });
await older.closed;
const afterTakeOver = await statusOf("twice", "/");
await newer.close({ force: true });

// Visitors that leave before and within a response, a WebSocket that is dropped, a target that resets.
const relay = await Relay.start({ port });
const far = await connect({ ...options, server: `ws://127.0.0.1:${relay.port}`, name: "far" });
const silent = ask("far", "/silent");
await inFlight(1);
silent.leave();
const slow = ask("far", "/large");
const stuck = await slow.answer;
stuck.on("error", () => undefined).pause();
await sendingStopped();
slow.leave();
const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { Host: "far.localhost" } });
await once(socket, "open");
socket.send("hello");
await once(socket, "message");
socket.terminate();
await statusOf("far", "/reset");
await orLongEnough(() => clientLedger.live("local_socket") === 0);
// What the client still has of visitors that left is read before its session goes.
const clientLive = { local_socket: clientLedger.live("local_socket"), session: clientLedger.live("session") };
const censusWithin = await ownCensus();

// A request in flight when the connection is cut, and one for the name that is kept.
const orphan = ask("far", "/silent");
await inFlight(2);
relay.freeze();
relay.cut();
const waiting = statusOf("far", "/").catch(() => 0);
const orphaned = orphan.answer.catch(() => undefined);
await Promise.race([orphaned, pause(longEnoughMs)]);
orphan.leave();
await Promise.race([waiting, pause(longEnoughMs)]);

// A network that vanishes.
relay.thaw();
const lost = await connect({ ...options, server: `ws://127.0.0.1:${relay.port}`, name: "lost" });
relay.freeze();
await Promise.all([far.close({ force: true }), lost.close({ force: true })]);
await settled();

const { seeded } = (await import(seed)) as { seeded(): number };
for (let n = 0; n < 3; n++) await admin.ask("/debug/gc", { method: "POST" });
const report = await resources();
const metrics = (await admin.ask("/metrics")).body.toString();
const readings: Readings = {
  kinds: report.kinds,
  probes: report.probes,
  operations: report.operations,
  handles: report.handles,
  seeded: seeded(),
  afterTakeOver,
  seriesWithNames: metrics.split("\n").filter((line) => line.includes('tunnel="client-')).length,
  clientLive,
  warningListeners: process.listenerCount("warning"),
  arrayBuffers: report.memory.arrayBuffers,
  census: await ownCensus(),
  censusWithin,
};
process.stdout.write(`${JSON.stringify(readings)}\n`, () => process.exit(0));
