// Server, client and demo as real processes: what they say, how they end, and what survives.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, OutgoingHttpHeaders, RequestListener, Server } from "node:http";
import { createServer, request } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { CaissonProcess, CliEvent } from "../support/run.ts";
import { startCaisson } from "../support/run.ts";

async function target(context: TestContext, listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return portOf(server);
}

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

/** Opens a request on a connection of its own; resolves with the response's head. */
async function get(url: string, headers: OutgoingHttpHeaders): Promise<IncomingMessage> {
  const sent = request(url, { headers, agent: false });
  sent.end();
  const [response]: IncomingMessage[] = await once(sent, "response");
  // A cut is told to the response as well, where tests look for it.
  sent.on("error", () => undefined);
  assert.ok(response);
  return response;
}

interface Pair {
  readonly server: CaissonProcess;
  readonly client: CaissonProcess;
  readonly tunnel: CliEvent;
  /** Opens a request through the tunnel; resolves with its response head. */
  get(path: string): Promise<IncomingMessage>;
}

async function pair(port: number): Promise<Pair & AsyncDisposable> {
  const server = startCaisson(["serve", "--json", "--listen", "127.0.0.1:0"]);
  const url = String((await server.event("listening"))["url"]);
  const client = startCaisson([String(port), "--json", "--name", "demo", "--server", url.replace("http", "ws")]);
  const tunnel = await client.event("tunnel");
  return {
    server,
    client,
    tunnel,
    get: (path) => get(`${url}${path}`, { Host: "demo.localhost" }),
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

test("events say where the tunnel is and what passed through", async (t) => {
  const port = await target(t, (_, response) => response.end("hi"));
  await using running = await pair(port);
  const { tunnel, client, server } = running;
  const address = new URL(String((await server.event("listening"))["url"]));
  assert.deepEqual(tunnel, {
    event: "tunnel",
    name: "demo",
    url: `http://demo.localhost:${address.port}`,
    direct: { url: address.origin, host: `demo.localhost:${address.port}` },
    target: `http://localhost:${port}`,
  });
  assert.equal(await readText(await running.get("/a?b=c")), "hi");
  const { ms, ...seen } = await client.event("request");
  assert.deepEqual(seen, { event: "request", method: "GET", path: "/a?b=c", status: 200 });
  assert.ok(typeof ms === "number" && ms >= 0);
  assert.deepEqual(await client.stop("SIGINT"), { code: 0, signal: null });
  assert.equal((await running.get("/")).statusCode, 404);
  assert.deepEqual(await server.stop("SIGTERM"), { code: 0, signal: null });
});

test("plain lines when stdout is no terminal", async (t) => {
  const port = await target(t, (_, response) => response.end("hi"));
  await using server = startCaisson(["serve", "--listen", "127.0.0.1:0"]);
  const url = /http:\S+/u.exec(await server.line(/^listening on http/u))?.[0] ?? "";
  await using client = startCaisson([String(port), "--name", "demo", "--server", url]);
  await client.line(/^http:\/\/demo\.localhost:\d+ -> http:\/\/localhost:\d+$/u);
  (await get(`${url}/plain`, { Host: "demo.localhost" })).resume();
  await client.line(/^GET \/plain 200 \d+ ms$/u);
  assert.ok(client.lines.every((line) => !line.includes("\u001b")));
  await server.complaint(/tunnel http:\/\/demo\.localhost/);
});

for (const [side, signal] of [
  ["client", "SIGTERM"],
  ["server", "SIGINT"],
] as const) {
  test(`after one signal to the ${side} a response in flight is finished, and it leaves with 0`, async (t) => {
    const waiting: (() => void)[] = [];
    const port = await target(t, (_, response) => {
      response.write("first ");
      waiting.push(() => response.end("second"));
    });
    await using running = await pair(port);
    const response = await running.get("/slow");
    running[side].kill(signal);
    await running[side].complaint(/stopping/);
    const body = readText(response);
    waiting.shift()?.();
    assert.equal(await body, "first second");
    assert.deepEqual(await running[side].exit(), { code: 0, signal: null });
  });
}

for (const [side, first, second, code] of [
  ["server", "SIGTERM", "SIGTERM", 143],
  ["server", "SIGTERM", "SIGINT", 130],
  ["client", "SIGINT", "SIGINT", 130],
] as const) {
  test(`the ${side} is forced by ${first} and ${second}: ${code}, and the transfer is cut`, async (t) => {
    const port = await target(t, (_, response) => void response.write("only a part"));
    await using running = await pair(port);
    const response = await running.get("/endless");
    const cut = once(response, "error");
    response.resume();
    const process = running[side];
    process.kill(first);
    await process.complaint(/stopping/);
    process.kill(second);
    assert.deepEqual(await process.exit(), { code, signal: null });
    const [error]: unknown[] = await cut;
    assert.match(String(error), /aborted|ECONNRESET/);
    assert.equal(response.complete, false);
  });
}

test("a random name survives a restart of the server", async (t) => {
  const state = mkdtempSync(join(tmpdir(), "caisson-state-"));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const options = { env: { XDG_STATE_HOME: state } };
  const port = await target(t, (_, response) => response.end("hi"));
  await using first = startCaisson(["serve", "--json", "--listen", "127.0.0.1:0"], options);
  const url = new URL(String((await first.event("listening"))["url"]));
  await using client = startCaisson([String(port), "--json", "--server", url.origin]);
  const { name } = await client.event("tunnel");
  await first.stop("SIGKILL");
  await client.event("disconnected");
  await using second = startCaisson(["serve", "--json", "--listen", url.host], options);
  await second.event("listening");
  await second.complaint(new RegExp(`"name":"${String(name)}"`));
  await client.event("tunnel", (event) => client.events.indexOf(event) > 0 && event["name"] === name);
});

test("a reader of stdout that goes away ends neither server nor client", async (t) => {
  const port = await target(t, (_, response) => response.end("hi"));
  await using running = await pair(port);
  running.client.hangUp();
  running.server.hangUp();
  for (const path of ["/1", "/2", "/3"]) assert.equal(await readText(await running.get(path)), "hi");
  assert.deepEqual(await running.client.stop("SIGTERM"), { code: 0, signal: null });
  assert.deepEqual(await running.server.stop("SIGTERM"), { code: 0, signal: null });
});

test("the demo serves its page under both URLs", async () => {
  await using demo = startCaisson(["demo", "--json", "--listen", "127.0.0.1:0"]);
  const tunnel = await demo.event("tunnel");
  const { direct, url } = tunnel;
  assert.ok(typeof direct === "object" && direct !== null && "url" in direct && "host" in direct);
  assert.match(String(url), /^http:\/\/demo\.localhost:\d+$/);
  // The catch-all makes the IP address work without a Host.
  for (const headers of [{}, { Host: String(direct.host) }]) {
    const response = await get(`${String(direct.url)}/`, headers);
    assert.equal(response.statusCode, 200);
    assert.match(await readText(response), /This page came through the tunnel/);
  }
  assert.deepEqual(await demo.stop("SIGINT"), { code: 0, signal: null });
});

test("the demo takes another port when 8080 is taken, and says so", async (t) => {
  const holder = createServer();
  holder.on("error", () => undefined);
  // If it is taken already, that will do as well.
  holder.listen(8080, "127.0.0.1");
  await Promise.race([once(holder, "listening"), once(holder, "error")]);
  t.after(() => holder.close());
  await using demo = startCaisson(["demo"]);
  await demo.complaint(/8080 is taken/);
  const line = await demo.line(/public URL/u);
  const url = /http:\/\/demo\.localhost:(\d+)\//u.exec(line);
  assert.ok(url);
  assert.notEqual(url[1], "8080");
  assert.deepEqual(await demo.stop("SIGTERM"), { code: 0, signal: null });
});
