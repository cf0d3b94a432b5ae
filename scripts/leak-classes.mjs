// What: starts a real server with a fault seeded into it, sends it traffic, and prints what its private listener says then.
// When: to see what a class of leak looks like before one is met; the examples of docs/diagnosing-a-leak.md are from here.
// Example: npm run build && node scripts/leak-classes.mjs referred-to

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../dist/src/index.js";
import { retainedIn, retainingPath } from "./retaining-path.mjs";

/** The seed of bench/zoo/ behind each class, and the traffic that makes it strike. */
const classes = {
  none: { seed: undefined, traffic: () => comeAndGo(400) },
  "not-removed": { seed: "registry-never-deleted", traffic: () => comeAndGo(40) },
  "referred-to": { seed: "error-path-one-percent", traffic: () => comeAndGo(400) },
  "handle-lost": { seed: "span-not-ended", traffic: () => abort(40) },
  "never-closed": { seed: "one-direction-closed", traffic: () => halfClose(20), sockets: true },
  "probe-grows": { seed: "key-mismatch", traffic: () => comeAndGo(40) },
  "never-settles": { seed: "never-settling-await", traffic: () => comeAndGo(40) },
  "bytes-pinned": { seed: "slab-pin", traffic: () => comeAndGo(400), again: true },
  "heap-floor": { seed: "race-with-long-lived-promise", traffic: () => ask(5_000), again: true },
};
/** The server's own: ws's close timeout is set to 1 s below, and 5 s are added to it. */
const graceMs = 6_500;
const families =
  /^caisson_(?:resources_(?:live|held|uncollected|retained|collected_unclosed_total)|probe_size|operations_abandoned_total)\b/;
const socketFamilies = /^caisson_(?:tcp_sockets|descriptors)\b/;

const name = process.argv[2] ?? "none";
const chosen = classes[name];
if (!chosen) {
  console.error(`Usage: node scripts/leak-classes.mjs ${Object.keys(classes).join(" | ")}`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "caisson-leak-"));
const target = createServer(answer).listen(0, "127.0.0.1");
target.on("upgrade", (_, socket) => {
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
  );
  socket.on("end", () => socket.end()).on("error", () => {});
});
await once(target, "listening");
const server = await startServer(chosen.seed);
try {
  await show(chosen);
} finally {
  server.child.kill("SIGKILL");
  target.close();
  target.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

async function show({ seed, traffic, again = false, sockets = false }) {
  // Caches, compiled code and labels come with the first traffic.
  if (again) await traffic();
  await settle();
  if (sockets) await freshSample();
  const before = await metrics(sockets);
  const memory = [await memoryNow()];
  for (let round = 0; round < (again ? 2 : 1); round += 1) {
    await traffic();
    await settle();
    memory.push(await memoryNow());
  }
  if (sockets) await freshSample();
  const after = await metrics(sockets);
  console.log(`# seeded: ${seed ?? "nothing"}`);
  for (const [series, value] of after) {
    if (value !== before.get(series)) console.log(`${series} ${before.get(series) ?? 0} -> ${value}`);
  }
  if (again) {
    for (const figure of ["heapFloor", "arrayBuffers"]) {
      const grown = memory.slice(1).map((now, at) => (now[figure] - memory[at][figure]).toLocaleString("en"));
      console.log(`memory.${figure} after each of two equal portions of traffic: ${grown.join(", ")} more`);
    }
  }
  const { kinds, operations } = JSON.parse(await admin("/debug/resources"));
  for (const [kind, report] of Object.entries(kinds)) {
    const { opened, closed, live, held, uncollected, retained, collectedUnclosed } = report;
    const odd = uncollected + retained + collectedUnclosed > 0 || (held ?? live) !== live;
    if (odd || (live > 0 && kind !== "deadline" && kind !== "listener")) {
      console.log(
        `${kind.padEnd(14)} ${JSON.stringify({ opened, closed, live, held, uncollected, retained, collectedUnclosed })}`,
      );
    }
  }
  for (const [operation, reading] of Object.entries(operations)) {
    if (reading.abandoned > 0) console.log(`operations.${operation} ${JSON.stringify(reading)}`);
  }
  if (Object.values(kinds).some(({ retained }) => retained > 0)) await explain();
}

/** What holds the first retained session, or whatever else is retained. */
async function explain() {
  const { id } = JSON.parse(await admin("/debug/heap/snapshots", { method: "POST", body: '{"force":true}' }));
  const file = join(folder, "download.heapsnapshot");
  writeFileSync(file, await admin(`/debug/heap/snapshots/${id}`));
  const labels = retainedIn(file);
  const label = labels.find((found) => found.startsWith("session#")) ?? labels[0];
  console.log(`\nwhat refers to ${label}:`);
  for (const line of retainingPath(file, label)) console.log(`  ${line}`);
}

async function startServer(seed) {
  const tokenFile = join(folder, "token");
  const preload = seed === undefined ? [] : ["--import", new URL(`../dist/bench/zoo/${seed}.js`, import.meta.url).href];
  const main = new URL("../dist/src/cli/main.js", import.meta.url).pathname;
  const options = [
    ["--listen", "127.0.0.1:0"],
    ["--admin", "127.0.0.1:0"],
    ["--admin-token-file", tokenFile],
    ["--snapshots", join(folder, "snapshots")],
    ["--ws-close-timeout", "1"],
    ["--watch-one-in", "1"],
    ["--catch-all", "demo"],
    ["--log-level", "error"],
    ["--json"],
  ].flat();
  const child = spawn(process.execPath, [...preload, main, "serve", ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.event !== "listening") continue;
    child.stdout.resume();
    return { child, url: event.url, admin: event.admin, token: readFileSync(tokenFile, "utf8").trim() };
  }
  throw new Error("the server did not start");
}

/** Lets what was closed grow old enough, and asks for as many collections as decide about it. */
async function settle() {
  await sleep(graceMs);
  for (let n = 0; n < 8; n += 1) await admin("/debug/gc", { method: "POST" });
}

async function admin(path, { method = "GET", body } = {}) {
  const headers = { Authorization: `Bearer ${server.token}`, ...(body && { "Content-Type": "application/json" }) };
  const response = await fetch(`${server.admin}${path}`, { method, headers, body });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.text();
}

/** Descriptors are sampled when somebody asks, at most every 30 s. */
async function freshSample() {
  const askedAtMs = performance.now();
  for (;;) {
    const { fds } = JSON.parse(await admin("/debug/resources"));
    if (fds !== null && fds.ageSeconds * 1000 < performance.now() - askedAtMs) return;
    await sleep(1_000);
  }
}

async function metrics(sockets) {
  const wanted = (line) => families.test(line) || (sockets && socketFamilies.test(line));
  const lines = (await admin("/metrics")).split("\n").filter(wanted);
  return new Map(lines.map((line) => line.split(/ (?=\S+$)/)));
}

async function memoryNow() {
  return JSON.parse(await admin("/debug/resources")).memory;
}

async function comeAndGo(clients) {
  for (let done = 0; done < clients; done += 20) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const tunnel = await client();
        await tunnel.close();
      }),
    );
  }
}

function client(options = {}) {
  return connect({ server: server.url.replace("http", "ws"), target: target.address().port, ...options });
}

async function withClient(work) {
  const tunnel = await client({ name: "demo" });
  await work();
  await tunnel.close();
}

function ask(count) {
  return withClient(async () => {
    for (let done = 0; done < count; done += 50) await Promise.all(Array.from({ length: 50 }, () => visit("/")));
  });
}

/** Every second visitor leaves before the answer. */
function abort(count) {
  return withClient(async () => {
    for (let n = 0; n < count; n += 2) await Promise.all([visit("/"), visit("/slow", 100)]);
  });
}

function visit(path, leaveAfterMs) {
  return new Promise((resolve) => {
    const asked = request(`${server.url}${path}`, { agent: false });
    asked.on("response", (response) => response.resume().once("close", resolve)).on("error", resolve);
    if (leaveAfterMs !== undefined) setTimeout(() => asked.destroy(), leaveAfterMs);
    asked.end();
  });
}

/** Visitors upgrade to a WebSocket and end their side. */
async function halfClose(count) {
  const tunnel = await client({ name: "demo" });
  const { port } = new URL(server.url);
  for (let n = 0; n < count; n += 1) {
    const socket = connectTcp({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true }).on("error", () => {});
    socket.write(
      "GET /socket HTTP/1.1\r\nHost: demo.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await once(socket, "data");
    socket.end();
  }
  await sleep(500);
  await tunnel.close();
}

function answer({ url }, response) {
  if (url === "/slow") setTimeout(() => response.end("late\n"), 5_000).unref();
  else response.end("hello\n");
}
