// Two servers behind a balancer are restarted in turn under load, with one client that has a session to each: no request
// that had not begun is lost, and one that had begun is finished.

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { needs } from "../support/debian.ts";
import { freePort } from "../support/free-port.ts";
import type { Backend } from "../support/haproxy.ts";
import { Haproxy } from "../support/haproxy.ts";
import { HttpTarget } from "../support/http-target.ts";
import type { CaissonProcess } from "../support/run.ts";
import { startCaisson } from "../support/run.ts";
import { until } from "../support/until.ts";
import { visit, visitText } from "../support/visitor.ts";

/** Much longer than two of the balancer's checks. */
const drainDelay = "2s";
/** Long enough for a client whose first attempts met the server that was away. */
const whileClientsReturn = "8s";

function startServer({ port, adminPort }: Backend, readyDelay = "0s"): CaissonProcess {
  const where = ["--listen", `127.0.0.1:${port}`, "--admin", `127.0.0.1:${adminPort}`];
  const times = ["--drain-delay", drainDelay, "--drain", "20s", "--ready-delay", readyDelay];
  return startCaisson(["serve", "--json", "--trusted-proxies", "127.0.0.1", ...where, ...times]);
}

/** Whether visitors may be sent there. */
async function isReady({ adminPort }: Backend): Promise<boolean> {
  return (await visitText(adminPort, "/readyz", { headers: { host: "127.0.0.1" } })).status === 200;
}

/** Which server the balancer chose for a request; empty while there is none. */
async function servedBy({ port }: Haproxy): Promise<string> {
  const response = await visit(port, "/").catch(() => undefined);
  response?.resume();
  return String(response?.headers["served-by"] ?? "");
}

/** Answers with what was sent to it; /slow goes on until it is released. */
class EchoTarget {
  readonly slow = new Set<ServerResponse>();

  readonly listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    if (incoming.url === "/slow") {
      response.write("begin ");
      this.slow.add(response);
    } else void text(incoming).then((body) => response.end(`${incoming.method ?? ""} ${body}`));
  };

  release(): void {
    for (const response of this.slow) response.end("end");
    this.slow.clear();
  }
}

/** Visitors that ask one request after the other, on connections that the balancer keeps. */
class Load {
  readonly failures: string[] = [];
  requests = 0;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;
  #stopped = false;

  constructor(port: number) {
    this.#port = port;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: 6 }, (_, visitor) => this.#visit(visitor)));
    this.#agent.destroy();
  }

  stop(): void {
    this.#stopped = true;
  }

  async #visit(visitor: number): Promise<void> {
    for (let number = 0; !this.#stopped; number += 1) {
      const method = number % 3 === 0 ? "POST" : "GET";
      const body = method === "POST" ? `${visitor}-${number}` : "";
      const answer = await this.#ask(method, body).catch((error: unknown) => String(error));
      this.requests += 1;
      if (answer !== `200 ${method} ${body}`) this.failures.push(`${method} ${body}: ${answer}`);
      // Not as fast as possible: the machine is to restart servers as well.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #ask(method: string, body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { host: "demo.localhost", "content-length": String(body.length) };
      const outgoing = request({ host: "127.0.0.1", port: this.#port, path: "/", method, headers, agent: this.#agent });
      outgoing.on("error", reject);
      outgoing.on("response", (response) => {
        text(response).then((answer) => resolve(`${response.statusCode ?? 0} ${answer}`), reject);
      });
      outgoing.end(body);
    });
  }
}

test("servers that are restarted in turn behind a balancer lose no request", { ...needs("haproxy") }, async () => {
  const echo = new EchoTarget();
  await using target = await HttpTarget.start(echo.listener);
  const first: Backend = { port: await freePort(), adminPort: await freePort() };
  const second: Backend = { port: await freePort(), adminPort: await freePort() };
  await using oldFirst = startServer(first);
  await using oldSecond = startServer(second);
  await Promise.all([oldFirst.event("listening"), oldSecond.event("listening")]);
  const servers = [first, second].flatMap(({ port }) => ["--server", `ws://127.0.0.1:${port}`]);
  await using client = startCaisson(["http", String(target.port), "--name", "demo", "--json", ...servers]);
  const stands = (): number => client.events.filter(({ event }) => event === "tunnel").length;
  await until(() => stands() === 2, { what: "the tunnel stands on both servers" });
  await until(async () => (await isReady(first)) && (await isReady(second)), {
    what: "both are ready",
    timeoutMs: 30_000,
  });

  await using balancer = await Haproxy.start([first, second]);
  await until(async () => (await servedBy(balancer)) === "s0", { what: "the balancer knows the first" });
  await until(async () => (await servedBy(balancer)) === "s1", { what: "the balancer knows the second" });
  const load = new Load(balancer.port);
  const running = load.run();
  // Two, so that one is on each server.
  const begun = await Promise.all([visit(balancer.port, "/slow"), visit(balancer.port, "/slow")]);
  const bodies = begun.map((response) => text(response));

  // The first goes while requests run on it; they are finished, and it ends.
  oldFirst.kill("SIGTERM");
  await until(async () => !(await isReady(first).catch(() => false)), { what: "the first is not ready any more" });
  await until(() => client.events.some(({ event }) => event === "disconnected"), { what: "the client is told" });
  echo.release();
  assert.deepEqual(await Promise.all(bodies), ["begin end", "begin end"]);
  assert.deepEqual(await oldFirst.exit(), { code: 0, signal: null });
  await using newFirst = startServer(first, whileClientsReturn);
  await newFirst.event("listening");
  await until(() => stands() === 3, { what: "the tunnel stands on the new first server", timeoutMs: 30_000 });
  await until(async () => (await servedBy(balancer)) === "s0", {
    what: "the balancer sends visitors there again",
    timeoutMs: 30_000,
  });

  // Then the second, while the first carries everything.
  assert.deepEqual(await oldSecond.stop(), { code: 0, signal: null });
  await using newSecond = startServer(second, whileClientsReturn);
  await newSecond.event("listening");
  await until(() => stands() === 4, { what: "the tunnel stands on the new second server", timeoutMs: 30_000 });

  load.stop();
  await running;
  assert.deepEqual(load.failures.slice(0, 5), []);
  assert.ok(load.requests > 100, `${load.requests} requests`);
  for (const process of [client, newFirst, newSecond]) {
    assert.deepEqual(await process.stop(), { code: 0, signal: null });
  }
});
