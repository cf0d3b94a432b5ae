// A private listener over a stand-in role, and the ways in which tests ask it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { AdminClient } from "../../src/admin/admin-client.ts";
import type { AdminQuestion, AdminReply } from "../../src/admin/admin-client.ts";
import type { AdminListenerOptions } from "../../src/admin/admin-listener.ts";
import { AdminListener } from "../../src/admin/admin-listener.ts";
import type { AdminSubject, LiveSources, TunnelRow } from "../../src/admin/subject.ts";
import { Arrivals } from "../../src/observe/arrivals.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { FakeReadings } from "../observe/fakes.ts";

/** The token of every listener here. */
export const token: string = "csa_a-token-for-tests-0123456789";

/** A role with one tunnel and real metrics. */
export class FakeRole implements AdminSubject {
  readonly role = "server";
  readonly version = "0.1.0";
  readonly readings: FakeReadings = new FakeReadings();
  readonly metricsOfRole: Metrics = new Metrics({ readings: this.readings, version: "0.1.0" });
  readonly rows: TunnelRow[] = [tunnelRow("demo")];
  readonly arrivals: Arrivals = new Arrivals();
  readonly live: LiveSources = {
    traffic: this.metricsOfRole,
    heapTrail: { points: [], added: 0, slope: () => undefined },
    arrivals: this.arrivals,
    retained: () => [],
  };
  notReady: string | undefined;
  resourceReads = 0;
  collections = 0;

  unreadiness(): string | undefined {
    return this.notReady;
  }

  metrics(format: "openmetrics" | "text"): Promise<string> {
    return this.metricsOfRole.render(format);
  }

  resources(): ReturnType<AdminSubject["resources"]> {
    this.resourceReads += 1;
    return {
      kinds: {} as ReturnType<AdminSubject["resources"]>["kinds"],
      probes: { "names.live": 1 },
      operations: {},
      majorGcs: 3,
      memory: { rss: 1, heapUsed: 1, heapTotal: 1, heapLimit: 1, heapFloor: null, external: 1, arrayBuffers: 1 },
      fds: null,
      handles: {},
    };
  }

  tunnels(): readonly TunnelRow[] {
    return this.rows;
  }

  closeTunnel(name: string): boolean {
    const index = this.rows.findIndex((row) => row.name === name);
    return index >= 0 && this.rows.splice(index, 1).length > 0;
  }

  collectGarbage(): ReturnType<AdminSubject["collectGarbage"]> {
    this.collections += 1;
    return Promise.resolve({ tookMs: 1, before: process.memoryUsage(), after: process.memoryUsage() });
  }
}

/** A row with this name. */
export function tunnelRow(name: string): TunnelRow {
  return {
    name,
    type: "http",
    target: "http://localhost:8000",
    sinceMs: 1_000,
    requests: 2,
    bytesIn: 3,
    bytesOut: 4,
    streams: 0,
    clientVersion: "0.1.0",
    rttMs: 1.5,
  };
}

/** A listener that runs. */
export interface AdminRig {
  readonly listener: AdminListener;
  readonly role: FakeRole;
  readonly port: number;
  readonly faults: unknown[];
  readonly guesses: string[];
  /** Asks with the token. */
  readonly ask: (path: string, question?: AdminQuestion) => Promise<AdminReply>;
}

/** Starts a listener; the test's end closes it. */
export async function startAdmin(
  t: { after(release: () => Promise<void>): void },
  options: Partial<AdminListenerOptions> & { readonly extend?: (role: FakeRole) => AdminSubject } = {},
): Promise<AdminRig> {
  const role = new FakeRole();
  const faults: unknown[] = [];
  const guesses: string[] = [];
  const { extend, ...given } = options;
  const listener = new AdminListener({
    address: { host: "127.0.0.1", port: 0 },
    subject: extend ? extend(role) : role,
    token,
    onFault: (error) => faults.push(error),
    onGuess: (peer) => guesses.push(peer),
    ...given,
  });
  t.after(async () => {
    await listener.close();
    role.metricsOfRole.dispose();
  });
  await listener.listen();
  const { address } = listener;
  const client = new AdminClient(address, token);
  return {
    listener,
    role,
    faults,
    guesses,
    port: "port" in address ? address.port : 0,
    ask: (path, question) => client.ask(path, question),
  };
}

/** The JSON of a reply. */
export function jsonOf(reply: AdminReply): unknown {
  return JSON.parse(reply.body.toString("utf8"));
}

/** The word for what went wrong. */
export function errorOf(reply: AdminReply): unknown {
  const value: unknown = jsonOf(reply);
  assert.ok(typeof value === "object" && value !== null && "error" in value && "message" in value);
  assert.ok(typeof value.message === "string" && value.message.length > 5);
  return value.error;
}

/** Sends raw bytes and reads until the listener ends the connection, or `until` is seen. */
export async function raw(port: number, bytes: string, until?: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.setEncoding("latin1");
  socket.write(bytes, "latin1");
  let text = "";
  socket.on("data", (chunk: string) => {
    text += chunk;
    if (until !== undefined && text.includes(until)) socket.destroy();
  });
  await closeOf(socket);
  return text;
}

/** Waits until a socket is closed, in peace or by a reset. */
export function closeOf(socket: Socket): Promise<void> {
  socket.on("error", () => undefined);
  return new Promise((resolve) => void socket.once("close", () => resolve()));
}

/** The status of a raw request's answer, 0 if there was none. */
export async function rawStatus(port: number, head: readonly string[], body: string = ""): Promise<number> {
  const text = await raw(port, `${[...head, "Connection: close"].join("\r\n")}\r\n\r\n${body}`);
  return Number(/^HTTP\/1\.1 (\d{3})/u.exec(text)?.[1] ?? 0);
}

/** Opens a connection that reads nothing. */
export async function openDeaf(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  socket.pause();
  return socket;
}

/** Waits until `done` holds; fails after `limitMs`. */
export async function eventually(
  what: string,
  done: () => boolean | Promise<boolean>,
  limitMs: number = 10_000,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await done())) {
    assert.ok(performance.now() < endMs, what);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}
