// A real database through a TCP tunnel: Redis with its own clients.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { findProgram, needs } from "../support/debian.ts";
import { RawClient } from "../support/raw-client.ts";
import { Rig } from "../support/rig.ts";
import { until } from "../support/until.ts";
import { listening, portOf } from "../support/ws-pair.ts";

const run = promisify(execFile);
const value = 100 * 1024 * 1024;

/** A Redis on a free port, without persistence. */
async function startRedis(): Promise<{ readonly port: number; [Symbol.asyncDispose](): Promise<void> }> {
  const probe = await listening(createServer());
  const port = portOf(probe);
  await new Promise<void>((resolve) => void probe.close(() => resolve()));
  const folder = mkdtempSync(join(tmpdir(), "caisson-redis-"));
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const child = spawn(findProgram("redis-server") ?? "", settings, { stdio: "ignore" });
  const exited = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  const stands = (): Promise<boolean> =>
    RawClient.connect(port).then(
      (client) => (client.close(), true),
      () => false,
    );
  await until(stands, { what: "Redis listens" });
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

test("redis-cli, redis-benchmark, publish and subscribe, and a value of 100 MB", needs("redis-server"), async () => {
  await using redis = await startRedis();
  await using rig = await Rig.start({
    targetPort: redis.port,
    serve: { listen: "127.0.0.1:0", tcpPorts: "21500-21900" },
    connect: { type: "tcp" },
  });
  const port = /:(\d+)$/.exec(rig.tunnel.url)?.[1] ?? "";
  const where = ["-h", "127.0.0.1", "-p", port];
  const cli = async (...args: string[]): Promise<string> =>
    (await run(findProgram("redis-cli") ?? "", [...where, ...args])).stdout.trim();
  assert.equal(await cli("set", "key", "value"), "OK");
  assert.equal(await cli("get", "key"), "value");

  const subscriber = spawn(findProgram("redis-cli") ?? "", [...where, "subscribe", "news"]);
  let heard = "";
  subscriber.stdout.setEncoding("utf8").on("data", (text: string) => (heard += text));
  await until(() => heard.includes("subscribe"), { what: "the subscription stands" });
  assert.equal(await cli("publish", "news", "extra"), "1");
  await until(() => heard.includes("extra"), { what: "the message has arrived" });
  const left = new Promise<void>((resolve) => void subscriber.once("close", () => resolve()));
  subscriber.kill("SIGTERM");
  await left;

  const benchmark = ["-n", "2000", "-c", "20", "-P", "4", "-q", "-t", "set,get"];
  const { stdout } = await run(findProgram("redis-benchmark") ?? "", [...where, ...benchmark]);
  assert.match(stdout, /SET: .* requests per second/);
  assert.match(stdout, /GET: .* requests per second/);

  const bytes = randomBytes(value);
  const visitor = await RawClient.connect(Number(port));
  visitor.send(`*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$${value}\r\n`);
  visitor.send(bytes);
  visitor.send("\r\n");
  const received = (): number => visitor.socket.bytesRead;
  await until(() => received() >= 5, { what: "it is stored", timeoutMs: 60_000 });
  visitor.send("*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n");
  const head = `+OK\r\n$${value}\r\n`.length;
  await until(() => received() >= head + value + 2, { what: "it has come back", timeoutMs: 60_000, detail: received });
  const digest = (data: Buffer): string => createHash("sha256").update(data).digest("hex");
  assert.equal(digest(visitor.bytes.subarray(head, head + value)), digest(bytes));
  visitor.close();
  await rig.quiet();
});
