// What happens to whole processes: killed in the middle of requests, stopped and continued, busy for longer than the
// dead-after, out of descriptors. No live peer is dropped for a stall, and nothing brings the other side down.

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { WebSocket } from "ws";
import { HttpTarget } from "../support/http-target.ts";
import { openFiles } from "../support/open-files.ts";
import { ProcessPair, startClient } from "../support/processes.ts";
import { RawClient } from "../support/raw-client.ts";
import type { CaissonProcess } from "../support/run.ts";
import { until } from "../support/until.ts";
import { visitText } from "../support/visitor.ts";

const unix = { skip: process.platform === "win32" ? "needs signals and /proc" : false };
const get = "GET / HTTP/1.1\r\nHost: demo.localhost\r\n\r\n";
/** A dead-after well above what counts as a gap, so that the stalls of a busy machine, which are none, do not use it up. */
const quick = ["--ping-every", "300ms", "--dead-after", "3s", "--probe-timeout", "3s"];
const patient = ["--ping-every", "300ms", "--dead-after", "2m"];
/** Longer than the dead-after of {@link quick}, and than what counts as a gap of the event loop. */
const stallMs = 4_500;
/** Keeps the event loop busy for that long, when told to. */
const busyOnSignal = `data:text/javascript,process.on("SIGUSR2",()=>{const end=Date.now()+${stallMs};while(Date.now()<end);})`;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function losses({ events }: CaissonProcess): unknown[] {
  return events.filter(({ event }) => event === "disconnected");
}

/** Answers /silent never, /partial in part, /slow after a while, everything else at once. */
class MoodyTarget {
  readonly waiting: ServerResponse[] = [];
  closed = 0;

  readonly listener = (request: IncomingMessage, response: ServerResponse): void => {
    response.on("close", () => void (this.closed += 1));
    if (request.url === "/partial") response.writeHead(200, { "Content-Length": 100 }).write("some bytes");
    else if (request.url !== "/silent") {
      response.end("answered");
      return;
    }
    this.waiting.push(response);
  };
}

test(
  "a client that is killed: 502 before a head, a reset behind it, and its name is free after the hold",
  unix,
  async () => {
    const moody = new MoodyTarget();
    await using target = await HttpTarget.start(moody.listener);
    await using pair = await ProcessPair.start(target.port, { serve: ["--name-hold", "1s", "--name-wait", "300ms"] });
    const silent = await RawClient.connect(pair.port);
    silent.send(get.replace("/ ", "/silent "));
    const partial = await RawClient.connect(pair.port);
    partial.send(get.replace("/ ", "/partial "));
    await partial.receive("some bytes");
    await until(() => moody.waiting.length === 2, { what: "both are at the target" });
    await pair.client.stop("SIGKILL");
    assert.match(await silent.receive("Caisson-Error: client_lost"), /^HTTP\/1\.1 502 /);
    assert.equal(await partial.ended(), "reset");
    assert.deepEqual((await visitText(pair.port, "/")).error, "reconnecting");
    await until(async () => (await visitText(pair.port, "/")).status === 404, { what: "the name is released" });
    await using successor = startClient(target.port, pair.port);
    await successor.event("tunnel");
    assert.equal((await visitText(pair.port, "/")).body, "answered");
    for (const visitor of [silent, partial]) visitor.close();
    assert.deepEqual(await successor.stop(), { code: 0, signal: null });
    assert.deepEqual(await pair.server.stop(), { code: 0, signal: null });
  },
);

test(
  "a server that is killed: the target sees its visitors leave, and the client says that it was lost",
  unix,
  async () => {
    const moody = new MoodyTarget();
    await using target = await HttpTarget.start(moody.listener);
    await using pair = await ProcessPair.start(target.port);
    const visitor = await RawClient.connect(pair.port);
    visitor.send(get.replace("/ ", "/silent "));
    await until(() => moody.waiting.length === 1, { what: "the request is at the target" });
    await pair.server.stop("SIGKILL");
    await pair.client.event("disconnected");
    await until(() => moody.closed === 1, { what: "the target sees it" });
    assert.deepEqual(await pair.client.stop(), { code: 0, signal: null });
    visitor.close();
  },
);

/** One side stands still, twice, with a transfer under way; then nobody must have been dropped. */
async function standStill(side: "server" | "client", how: "stopped" | "busy"): Promise<void> {
  const moody = new MoodyTarget();
  await using target = await HttpTarget.start(moody.listener);
  const busy = { nodeFlags: ["--import", busyOnSignal] };
  await using pair = await ProcessPair.start(target.port, {
    // Standing still twice on a busy machine may well count as overload, which is not what is asked here.
    serve: [...(side === "server" ? quick : patient), "--max-loop-delay", "1h"],
    http: side === "client" ? quick : patient,
    serveProcess: busy,
    httpProcess: busy,
  });
  const visitor = await RawClient.connect(pair.port);
  visitor.send(get.replace("/ ", "/partial "));
  await visitor.receive("some bytes");
  for (let round = 0; round < 2; round += 1) {
    if (how === "busy") pair[side].kill("SIGUSR2");
    else {
      pair[side].kill("SIGSTOP");
      await pause(stallMs);
      pair[side].kill("SIGCONT");
    }
    assert.equal((await visitText(pair.port, "/")).body, "answered");
  }
  // The probe after the stall has been answered or not by then.
  await pause(3_500);
  assert.doesNotMatch(pair.server.stderr, /closed: dead/);
  assert.deepEqual(losses(pair.client), [], "the session has lived on");
  moody.waiting[0]?.end(".".repeat(90));
  await visitor.receive(".".repeat(90));
  visitor.close();
  assert.deepEqual(await pair.client.stop(), { code: 0, signal: null });
  assert.deepEqual(await pair.server.stop(), { code: 0, signal: null });
}

test("who stands still for longer than its dead-after drops nobody", { ...unix, concurrency: 4 }, async (t) => {
  const cases = (["server", "client"] as const).flatMap((side) =>
    (["stopped", "busy"] as const).map((how) => t.test(`a ${side} that is ${how}`, () => standStill(side, how))),
  );
  await Promise.all(cases);
});

test("a client that slept until the server gave it up is back at once when it wakes", unix, async () => {
  await using target = await HttpTarget.start(new MoodyTarget().listener);
  await using pair = await ProcessPair.start(target.port, { serve: quick, http: patient });
  pair.client.kill("SIGSTOP");
  await pair.server.complaint(/closed: dead/);
  const waiting = visitText(pair.port, "/");
  pair.client.kill("SIGCONT");
  assert.equal((await waiting).body, "answered", "the request waited for the name for less than five seconds");
  assert.equal(losses(pair.client).length, 1);
});

/** A client that logs in and says nothing. */
function speechlessClient(port: number): { client: WebSocket; settled: Promise<"open" | "refused"> } {
  const options = { headers: { host: "localhost" }, handshakeTimeout: 5_000 };
  const client = new WebSocket(`ws://127.0.0.1:${port}/_caisson/connect`, "caisson.v1", options);
  client.on("error", () => undefined);
  const settled = new Promise<"open" | "refused">((resolve) => {
    client.once("open", () => resolve("open")).once("close", () => resolve("refused"));
  });
  return { client, settled };
}

async function isServed(port: number): Promise<boolean> {
  const answer = await visitText(port, "/").catch(() => undefined);
  return answer?.body === "answered";
}

const onLinux = { skip: process.platform === "linux" ? false : "reads /proc" };
const descriptors = 256;

test("a server short of descriptors turns visitors and clients away, and serves those it has", onLinux, async () => {
  await using target = await HttpTarget.start(new MoodyTarget().listener);
  await using pair = await ProcessPair.start(target.port, {
    serve: ["--max-visitors-per-address", "100000"],
    serveProcess: { descriptors },
  });
  const early = await RawClient.connect(pair.port);
  const visitors: RawClient[] = [];
  for (let n = 0; n < descriptors; n += 1) {
    visitors.push(await RawClient.connect(pair.port));
    assert.ok((openFiles(pair.server.pid) ?? 0) <= descriptors);
  }
  const kept = (): number => visitors.filter(({ ending }) => ending === "open").length;
  await until(() => kept() <= descriptors * 0.4, { what: "most visitors are turned away", detail: kept });
  assert.ok(kept() >= descriptors * 0.3, `${kept()} visitors were let in`);
  early.send(get);
  await early.receive("answered");

  const clients: WebSocket[] = [];
  const outcomes = { open: 0, refused: 0 };
  for (const visitor of visitors) visitor.close();
  await until(() => isServed(pair.port), { what: "there is room for visitors again" });
  for (let n = 0; n < descriptors; n += 1) {
    const { client, settled } = speechlessClient(pair.port);
    clients.push(client);
    outcomes[await settled] += 1;
  }
  assert.ok(outcomes.open <= descriptors * 0.6 && outcomes.refused > 0, JSON.stringify(outcomes));
  early.send(get);
  await until(() => early.text.split("answered").length === 3, { what: "the visitor is served all the while" });
  assert.equal((await visitText(pair.port, "/")).body, "answered", "and a new one, too");

  for (const client of clients) client.terminate();
  early.close();
  assert.deepEqual(losses(pair.client), []);
  assert.deepEqual(await pair.client.stop(), { code: 0, signal: null });
  assert.deepEqual(await pair.server.stop(), { code: 0, signal: null });
});

test("both floods at once exhaust the server's descriptors, and it survives", onLinux, async () => {
  await using target = await HttpTarget.start(new MoodyTarget().listener);
  await using pair = await ProcessPair.start(target.port, {
    serve: ["--max-visitors-per-address", "100000"],
    serveProcess: { descriptors },
  });
  const visitors: RawClient[] = [];
  const clients: ReturnType<typeof speechlessClient>[] = [];
  for (let n = 0; n < descriptors; n += 1) {
    visitors.push(await RawClient.connect(pair.port));
    clients.push(speechlessClient(pair.port));
  }
  await Promise.all(clients.map(({ settled }) => settled));
  assert.ok((openFiles(pair.server.pid) ?? 0) <= descriptors - 5, "some are left for everything else");
  for (const { client } of clients) client.terminate();
  for (const visitor of visitors) visitor.close();
  await until(() => isServed(pair.port), { what: "it serves again" });
  assert.deepEqual(losses(pair.client), []);
  assert.deepEqual(await pair.client.stop(), { code: 0, signal: null });
  assert.deepEqual(await pair.server.stop(), { code: 0, signal: null });
});

test("a client short of descriptors answers for the target, and recovers", onLinux, async () => {
  const moody = new MoodyTarget();
  await using target = await HttpTarget.start(moody.listener);
  await using pair = await ProcessPair.start(target.port, { httpProcess: { descriptors: 64 } });
  const visitors: RawClient[] = [];
  for (let n = 0; n < 100; n += 1) {
    const visitor = await RawClient.connect(pair.port);
    visitor.send(get.replace("/ ", "/silent "));
    visitors.push(visitor);
  }
  await until(() => visitors.filter(({ text }) => /Caisson-Error: target_unreachable/.test(text)).length >= 30, {
    what: "those without a connection are told",
    detail: () => visitors.map(({ text }) => text.slice(0, 40)).join(),
  });
  for (const visitor of visitors) visitor.close();
  await until(() => isServed(pair.port), { what: "it serves again" });
  assert.deepEqual(losses(pair.client), []);
  assert.deepEqual(await pair.client.stop(), { code: 0, signal: null });
});
