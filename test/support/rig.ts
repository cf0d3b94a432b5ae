// One rig for all system tests: a server, a client and a target in this process, each on a free port of 127.0.0.1,
// with a ledger for either side. close() ends them and proves that nothing is left.

import assert from "node:assert/strict";
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer, request } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import { text as readText } from "node:stream/consumers";
import type { ConnectOptions, CaissonTunnel } from "../../src/assemble/connect.ts";
import { connect } from "../../src/assemble/connect.ts";
import type { CaissonServer, ServeOptions } from "../../src/assemble/serve.ts";
import { serve } from "../../src/assemble/serve.ts";
import type { TunnelEvents } from "../../src/lifecycle/events.ts";
import { noEvents } from "../../src/lifecycle/events.ts";
import { Ledger } from "../../src/leaks/ledger.ts";
import type { RelayOptions } from "../../bench/gate/network/relay.ts";
import { Relay } from "../../bench/gate/network/relay.ts";
import { openSockets } from "./open-files.ts";
import { until } from "./until.ts";

/** What a rig is made of; all optional. */
export interface RigOptions {
  /** Answers requests at the target; default: 200 with the method and path. */
  readonly target?: RequestListener;
  /** A target that stands already, instead of `target`. */
  readonly targetPort?: number;
  readonly serve?: ServeOptions;
  /** Hear the server's events besides its ledger. */
  readonly serverSubscribers?: readonly TunnelEvents[];
  readonly connect?: Partial<ConnectOptions>;
  /** Puts a relay between the client and the server. */
  readonly relay?: Omit<RelayOptions, "port">;
}

/** A response, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly trailers: IncomingMessage["trailers"];
  readonly body: string;
}

/** A target that the rig started. */
interface RigTarget {
  readonly server: Server;
  readonly sockets: Set<Socket>;
  readonly port: number;
}

/** What {@link Rig.start} has made. */
type RigParts = Pick<Rig, "serverLedger" | "clientLedger" | "faults" | "server" | "tunnel"> & {
  readonly target: RigTarget | undefined;
  readonly relay: Relay | undefined;
  readonly connectOptions: ConnectOptions;
  readonly socketsBefore: number | undefined;
};

/** A running server, client and target. */
export class Rig {
  readonly serverLedger: Ledger;
  readonly clientLedger: Ledger;
  readonly faults: unknown[];
  readonly server: CaissonServer;
  readonly tunnel: CaissonTunnel;
  readonly #target: RigTarget | undefined;
  readonly #relay: Relay | undefined;
  readonly #connectOptions: ConnectOptions;
  readonly #others: CaissonTunnel[] = [];
  readonly #socketsBefore: number | undefined;

  private constructor(parts: RigParts) {
    this.serverLedger = parts.serverLedger;
    this.clientLedger = parts.clientLedger;
    this.faults = parts.faults;
    this.server = parts.server;
    this.tunnel = parts.tunnel;
    this.#target = parts.target;
    this.#relay = parts.relay;
    this.#connectOptions = parts.connectOptions;
    this.#socketsBefore = parts.socketsBefore;
  }

  /** Starts all three; the tunnel is called `demo` unless told otherwise, and is the catch-all. */
  static async start(options: RigOptions = {}): Promise<Rig> {
    const socketsBefore = openSockets();
    const target = options.targetPort === undefined ? await startTarget(options.target ?? defaultTarget) : undefined;
    const serverLedger = new Ledger();
    const clientLedger = new Ledger();
    const faults: unknown[] = [];
    const watch: TunnelEvents = { ...noEvents, faulted: (where, error) => void faults.push({ where, error }) };
    const server = await serve({
      listen: "127.0.0.1:0",
      catchAll: "demo",
      subscribers: [serverLedger, watch, ...(options.serverSubscribers ?? [])],
      ...options.serve,
    });
    const relay = options.relay && (await Relay.start({ ...options.relay, port: portOfUrl(server.clientsUrl) }));
    const connectOptions: ConnectOptions = {
      server: relay ? `ws://127.0.0.1:${relay.port}` : socketUrlOf(server),
      target: options.targetPort ?? target?.port ?? 0,
      name: "demo",
      subscribers: [clientLedger, watch],
      ...options.connect,
    };
    const tunnel = await connect(connectOptions);
    const observed = { serverLedger, clientLedger, faults };
    return new Rig({ ...observed, server, tunnel, target, relay, connectOptions, socketsBefore });
  }

  /** Connects one more client like the first, in the same ledger; it is closed with the rig. */
  async connectAnother(options: Partial<ConnectOptions>): Promise<CaissonTunnel> {
    const tunnel = await connect({ ...this.#connectOptions, ...options });
    this.#others.push(tunnel);
    return tunnel;
  }

  /** What stands between client and server. Throws unless the rig was started with a relay. */
  get relay(): Relay {
    if (!this.#relay) throw new Error("this rig has no relay");
    return this.#relay;
  }

  /** The server's port. */
  get port(): number {
    return portOfUrl(this.server.url);
  }

  /** Sockets that are open at the target. */
  get targetConnections(): number {
    return this.#target?.sockets.size ?? 0;
  }

  /** Sends one request through the tunnel on a connection of its own. */
  async fetch(
    path: string,
    options: {
      method?: string;
      headers?: Record<string, string>;
      body?: string | Buffer;
      /** The visitor's address. */
      localAddress?: string;
      /** Another port of the server than that of its visitors. */
      port?: number;
    } = {},
  ): Promise<Answer> {
    const { promise, resolve, reject } = deferred<IncomingMessage>();
    const { method = "GET", headers = {}, body, localAddress, port = this.port } = options;
    // Node frames the body by itself for some methods only.
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const sent = request({
      host: "127.0.0.1",
      port,
      path,
      method,
      agent: false,
      ...(localAddress === undefined ? {} : { localAddress }),
      headers: { host: "demo.localhost", ...length, ...headers },
    });
    sent.once("response", resolve).once("error", reject);
    sent.end(body);
    const response = await promise;
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      rawHeaders: response.rawHeaders,
      body: await readText(response),
      trailers: response.trailers,
    };
  }

  /** Waits until no exchange, stream or pipe is open on either side. */
  async quiet(): Promise<void> {
    const busy = ["exchange", "stream", "pipe"] as const;
    await until(() => busy.every((kind) => this.serverLedger.live(kind) === 0 && this.clientLedger.live(kind) === 0), {
      what: "both sides are quiet",
      detail: () => ({ server: this.serverLedger.outstanding, client: this.clientLedger.outstanding }),
    });
  }

  /** Ends everything and asserts that every ledger reads zero, nothing failed inside, and every socket is closed. */
  async close(): Promise<void> {
    for (const tunnel of [this.tunnel, ...this.#others]) await tunnel.close({ force: true });
    await this.server.close({ force: true });
    await this.#relay?.close();
    if (this.#target) await stopTarget(this.#target);
    assert.deepEqual(this.serverLedger.outstanding, {}, "the server's ledger");
    assert.deepEqual(this.clientLedger.outstanding, {}, "the client's ledger");
    assertNothingHeld(this.server.inventory().held, "the server");
    for (const { held } of [this.tunnel, ...this.#others].map((tunnel) => tunnel.inventory()))
      assertNothingHeld(held, "the client");
    assert.deepEqual(this.faults, [], "faults");
    await until(() => (openSockets() ?? 0) <= (this.#socketsBefore ?? 0), {
      what: "every socket of this process is closed",
      detail: () => ({ before: this.#socketsBefore, now: openSockets() }),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function startTarget(listener: RequestListener): Promise<RigTarget> {
  const server = createServer(listener);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return { server, sockets, port: (server.address() as AddressInfo).port };
}

async function stopTarget(target: RigTarget): Promise<void> {
  const closed = new Promise<void>((resolve) => void target.server.close(() => resolve()));
  for (const socket of target.sockets) socket.destroy();
  await closed;
}

/** Asserts that every count is zero. */
export function assertNothingHeld(held: object, whose: string): void {
  const left = Object.entries(held).filter(([, count]) => count !== 0);
  assert.deepEqual(left, [], `${whose} still holds something`);
}

/** A promise and its ends (Promise.withResolvers needs Node 22). */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function defaultTarget(incoming: IncomingMessage, response: Parameters<RequestListener>[1]): void {
  incoming.resume();
  response.end(`${incoming.method} ${incoming.url}`);
}

/** Where clients connect, by address: the test's names are in no DNS. */
function socketUrlOf({ clientsUrl }: CaissonServer): string {
  return `${clientsUrl.startsWith("https:") ? "wss" : "ws"}://127.0.0.1:${portOfUrl(clientsUrl)}`;
}

function portOfUrl(url: string): number {
  return Number(new URL(url).port);
}
