// Builds a client from options: the library's connect(), and what `caisson http` calls. Loads nothing of the server.

import type { TunnelSpec } from "../client/claim-book.ts";
import type { HealthOptions } from "../client/health-check.ts";
import { TunnelClient } from "../client/tunnel-client.ts";
import type { ProxySettings } from "../client/http-proxy.ts";
import type { Keyring } from "../client/keyring.ts";
import type { ClientLimits } from "../client/limits.ts";
import type { ClientObserver, Disconnection, RefusedTunnel, TunnelFacts, TunnelHealth } from "../client/observer.ts";
import type { TunnelKind } from "../wire/control.ts";
import { CaissonError } from "../lifecycle/errors.ts";
import type { ExchangeOutcome, ExchangeView, TunnelEvents } from "../lifecycle/events.ts";
import { fanout } from "../lifecycle/fanout.ts";
import { listenForAbort } from "../lifecycle/listener.ts";
import type { Inventory } from "../lifecycle/resource.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { createRuntime, createScope } from "../lifecycle/runtime.ts";
import type { Scope } from "../lifecycle/scope.ts";
import type { MuxLimits } from "../mux/limits.ts";
import { parseServerAddress } from "../client/server-address.ts";
import type { Tracing } from "../observe/tracing.ts";
import type { AdminOptions } from "./admin-options.ts";
import { defaultAdminPort, parseAdminAddress } from "./admin-options.ts";
import { ClientRole } from "./client-role.ts";
import type { Observatory } from "./observatory.ts";
import type { Observers } from "./observe.ts";
import { observe, orLetGo, subscribersOf } from "./observe.ts";
import type { RequestInfo } from "./request-info.ts";
import { requestInfo } from "./request-info.ts";
import type { TracingChoice } from "./tracing-options.ts";
import { traced } from "./tracing-options.ts";
import type { Listener } from "./typed-events.ts";
import { TypedEvents } from "./typed-events.ts";
import { version } from "./version.ts";

/** Where a client connects unless told otherwise. */
export const defaultServer = "ws://127.0.0.1:8080";

/** Every limit of a client, by name. Times in milliseconds, sizes in bytes. */
export type ConnectLimits = ClientLimits & MuxLimits;

/** Where one tunnel leads, and what it is called. */
export interface TunnelOptions {
  /** The port of the local service, or `host:port`, `http://host:port`, `https://host:port`. */
  readonly target: string | number;
  /** What it carries. Default `http`. */
  readonly type?: TunnelKind;
  /** The wanted public port of a TCP tunnel; any without. */
  readonly port?: number;
  /** The wanted public name: one DNS label. A random one without. */
  readonly name?: string;
  /** Certificate authorities of an https target, as PEM, instead of the system's. */
  readonly targetCa?: string;
  /** Accept any certificate of an https target. Default false. */
  readonly targetInsecure?: boolean;
  /** The Host that the target sees: `rewrite` for its own, or any value. Default: what the visitor asked for. */
  readonly hostHeader?: string;
  /** Checks of the target that take the tunnel out of service and back. None if absent. */
  readonly health?: HealthOptions;
}

/** One of several tunnels. */
export interface NamedTunnelOptions extends TunnelOptions {
  /** Tells it from the others when they are changed. */
  readonly key: string;
}

/** Options of {@link connect}. */
export interface ConnectOptions extends ClientOptions, TunnelOptions {}

/** Options of {@link connectTunnels}. */
export interface ConnectTunnelsOptions extends ClientOptions {
  /** One or more; all of them use the same sessions. */
  readonly tunnels: readonly NamedTunnelOptions[];
}

/** What does not depend on the tunnels. */
export interface ClientOptions {
  /** The server's URL, `ws://` or `wss://`; several give one session each, under the same name. Default {@link defaultServer}. */
  readonly server?: string | readonly string[];
  /** What the server knows this client by. Never sent over `ws://` to another host unless `plaintext`. */
  readonly token?: string;
  /** Let the token travel unencrypted. Default false. */
  readonly plaintext?: boolean;
  /** HTTP proxies on the way to servers, by the server's scheme. Default: none; the command line goes by HTTPS_PROXY. */
  readonly proxies?: ProxySettings;
  /** Certificate authorities of the server, as PEM, instead of the system's. */
  readonly ca?: string;
  /** How WebSocket frames are masked. Default: zero over TLS and to loopback, else random. */
  readonly mask?: "zero" | "random";
  /** Keeps the keys of names beyond this process, so that a client that was killed gets its name back. Default: none. */
  readonly keyring?: Keyring;
  readonly limits?: Partial<ConnectLimits>;
  /** Closes the client when it aborts, without a drain. */
  readonly signal?: AbortSignal;
  /** The private listener for operators: `HOST:PORT`, `unix:PATH`, or more in detail. None if absent. */
  readonly admin?: string | AdminOptions;
  /**
   * Spans for OpenTelemetry. Default: with the SDK that the program has registered before; false for none all the same.
   */
  readonly tracing?: boolean | TracingChoice;
  /** Observers of everything that happens; see `caisson/internals`. */
  readonly subscribers?: readonly TunnelEvents[];
}

/** Events of a client's tunnel. */
export interface TunnelEventMap {
  /** The tunnel stands on a server: for the first time, again, or under a new name. */
  tunnel: TunnelFacts;
  /** A server refused or closed one of several tunnels for good; the others stay. */
  tunnelLost: RefusedTunnel;
  /** A tunnel goes out of service because the checks of its target fail, or comes back. */
  health: TunnelHealth;
  request: RequestInfo;
  disconnected: Disconnection;
  /** The client gave up for good; the same error settles `closed`. */
  error: CaissonError;
}

/** A tunnel that stands. */
export interface CaissonTunnel {
  readonly name: string;
  readonly url: string;
  /** An address that works without DNS, and the Host to send there. */
  readonly direct: { readonly url: string; readonly host: string };
  /** The target, for people. */
  readonly target: string;
  /** Settles when the client has ended: with the error that ended it, or undefined after close(). Never rejects. */
  readonly closed: Promise<CaissonError | undefined>;
  /** The private listener's URL; empty if there is none. */
  readonly admin: string;
  /** What the client holds right now. */
  inventory(): Inventory;
  on<Name extends keyof TunnelEventMap>(name: Name, listener: Listener<TunnelEventMap[Name]>): void;
  off<Name extends keyof TunnelEventMap>(name: Name, listener: Listener<TunnelEventMap[Name]>): void;
  /** Says goodbye and lets requests in flight finish; `force`, also in a second call, ends them. Resolves when all is released. */
  close(options?: { readonly force?: boolean }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A client with several tunnels. */
export interface CaissonClient extends Omit<CaissonTunnel, "name" | "url" | "direct" | "target"> {
  /** Those that stand now, on every server. */
  readonly tunnels: readonly TunnelFacts[];
  /**
   * Puts other tunnels in force, and touches only what differs: a tunnel with another target keeps session, name and
   * requests in flight. Throws E_USAGE for a wrong one and changes nothing then.
   */
  update(tunnels: readonly NamedTunnelOptions[]): TunnelChanges;
}

/** How many tunnels an update has added, removed and led elsewhere. */
export interface TunnelChanges {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

/**
 * Connects a local service to a server; resolves when the tunnel stands. Rejects with E_USAGE for bad options, E_CONNECT
 * when no server answered for 30 s, E_AUTH, E_NAME_TAKEN or E_REFUSED when one said no, E_ABORTED by `signal`.
 * Afterwards it reconnects by itself, for ever, with the same name.
 */
export async function connect(options: ConnectOptions): Promise<CaissonTunnel> {
  options.signal?.throwIfAborted();
  const tracing = await traced(options.tracing);
  const observatory = await observe(options, tracing);
  const tunnel = await orLetGo(observatory, () => new RunningClient(clientOf(options), { observatory, tracing }));
  await tunnel.start();
  return tunnel;
}

/** Connects several services through one session per server; otherwise like {@link connect}. */
export async function connectTunnels(options: ConnectTunnelsOptions): Promise<CaissonClient> {
  options.signal?.throwIfAborted();
  const tracing = await traced(options.tracing);
  const observatory = await observe(options, tracing);
  const client = await orLetGo(observatory, () => new RunningClient(options, { observatory, tracing }));
  await client.start();
  return client;
}

function clientOf(options: ConnectOptions): ConnectTunnelsOptions {
  return { ...options, tunnels: [{ ...options, key: "" }] };
}

class RunningClient implements CaissonTunnel, CaissonClient {
  readonly closed: Promise<CaissonError | undefined>;
  readonly #options: ConnectTunnelsOptions;
  readonly #runtime: Runtime;
  readonly #scope: Scope;
  readonly #events: TypedEvents<TunnelEventMap>;
  readonly #client: TunnelClient;
  readonly #observatory: Observatory | undefined;
  readonly #tracing: Tracing | undefined;
  readonly #role: ClientRole;
  /** Read by every connection to the target, so that a port which the system gave later is among them in time. */
  readonly #forbiddenPorts: number[];
  #facts: TunnelFacts | undefined;
  #error: CaissonError | undefined;
  #settle: (error: CaissonError | undefined) => void = () => undefined;
  #closing = false;

  constructor(options: ConnectTunnelsOptions, { observatory, tracing }: Observers) {
    this.#observatory = observatory;
    this.#tracing = tracing;
    this.#role = new ClientRole(() => this.#client);
    this.#options = options;
    const observers = subscribersOf({ observatory, tracing });
    this.#runtime = createRuntime(fanout(...observers, ...(options.subscribers ?? [])), observatory?.operations);
    tracing?.report(this.#runtime.events);
    this.#scope = createScope(this.#runtime, "client");
    this.#events = new TypedEvents((error) => this.#runtime.events.faulted("listener", error));
    this.#forbiddenPorts = privatePorts(options);
    const forbiddenPorts = this.#forbiddenPorts;
    this.#client = createClient(options, {
      runtime: this.#runtime,
      observer: this.#observer(),
      forbiddenPorts,
      traced: tracing?.tellsTraces === true,
    });
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get name(): string {
    return this.#facts?.name ?? "";
  }

  get url(): string {
    return this.#facts?.url ?? "";
  }

  get direct(): { readonly url: string; readonly host: string } {
    return this.#facts?.direct ?? { url: "", host: "" };
  }

  get target(): string {
    return this.#facts?.target ?? "";
  }

  get tunnels(): readonly TunnelFacts[] {
    return this.#client.tunnels();
  }

  update(tunnels: readonly NamedTunnelOptions[]): TunnelChanges {
    const { added, removed, changed } = this.#client.update(tunnels.map(specOf));
    return { added: added.length, removed: removed.length, changed: changed.length };
  }

  async start(): Promise<void> {
    const { signal } = this.#options;
    const onAbort = (): void => void this.close({ force: true });
    if (signal) listenForAbort(signal, onAbort, { scope: this.#scope, events: this.#runtime.events });
    try {
      await this.#observatory?.watch(this.#role, this.#runtime);
      const adminPort = this.#observatory?.port;
      if (adminPort !== undefined) this.#forbiddenPorts.push(adminPort);
      const [facts] = await this.#runtime.operations.run("connect", () => this.#client.start());
      this.#facts = facts;
    } catch (error) {
      await this.close({ force: true });
      throw error;
    }
  }

  get admin(): string {
    return this.#observatory?.url ?? "";
  }

  inventory(): Inventory {
    return this.#client.inventory();
  }

  on<Name extends keyof TunnelEventMap>(name: Name, listener: Listener<TunnelEventMap[Name]>): void {
    this.#events.on(name, listener);
  }

  off<Name extends keyof TunnelEventMap>(name: Name, listener: Listener<TunnelEventMap[Name]>): void {
    this.#events.off(name, listener);
  }

  async close(options: { readonly force?: boolean } = {}): Promise<void> {
    const drain = (): Promise<void> => this.#runtime.operations.run("shutdown", () => this.#client.close());
    const closing = this.#tracing ? this.#tracing.notable.drain(drain) : drain();
    // The client takes a second call as the wish to end what is in flight.
    if (options.force === true && !this.#closing) void this.#client.close();
    this.#closing = true;
    await closing;
    this.#scope.close("closed");
    await this.#observatory?.close();
    this.#settle(this.#error);
    this.#events.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close({ force: true });
  }

  #observer(): ClientObserver {
    const events = this.#events;
    return {
      tunnel: (facts) => {
        this.#facts = facts;
        events.emit("tunnel", facts);
      },
      tunnelClosed: ({ name, target, server }, reason) => {
        const error = new CaissonError("E_CLOSED", `${server} closed the tunnel ${name}: ${reason}`);
        events.emit("tunnelLost", { name, target, server, error });
      },
      tunnelRefused: (what) => events.emit("tunnelLost", what),
      health: (what) => events.emit("health", what),
      disconnected: (what) => events.emit("disconnected", what),
      request: (exchange: ExchangeView, outcome: ExchangeOutcome) => {
        if (events.wants("request")) events.emit("request", requestInfo(exchange, outcome));
      },
      failed: (error) => {
        this.#error = error;
        events.emit("error", error);
        void this.close();
      },
    };
  }
}

/** Ports that no target may have, as far as they are known before anything listens: private listeners are private. */
function privatePorts({ admin, server = defaultServer }: ClientOptions): number[] {
  const ports: number[] = [];
  const own = admin === undefined ? undefined : parseAdminAddress(typeof admin === "string" ? admin : admin.listen);
  if (own && "port" in own && own.port !== 0) ports.push(own.port);
  const servers = typeof server === "string" ? [server] : server;
  if (servers.some((text) => parseServerAddress(text).loopback)) ports.push(defaultAdminPort);
  return ports;
}

interface ClientParts {
  readonly runtime: Runtime;
  readonly observer: ClientObserver;
  readonly forbiddenPorts: readonly number[];
  readonly traced: boolean;
}

function specOf(options: NamedTunnelOptions): TunnelSpec {
  const { key, type = "http", target, name, port, targetCa, targetInsecure, hostHeader, health } = options;
  return {
    key,
    kind: type,
    target: String(target),
    insecure: targetInsecure ?? false,
    ...(name === undefined ? {} : { name }),
    ...(port === undefined ? {} : { port }),
    ...(targetCa === undefined ? {} : { ca: targetCa }),
    ...(hostHeader === undefined ? {} : { hostHeader }),
    ...(health === undefined ? {} : { health }),
  };
}

function createClient(options: ConnectTunnelsOptions, parts: ClientParts): TunnelClient {
  const { server = defaultServer, token, ca, mask, limits = {} } = options;
  return new TunnelClient({
    ...parts,
    version,
    servers: typeof server === "string" ? [server] : server,
    tunnels: options.tunnels.map(specOf),
    plaintext: options.plaintext ?? false,
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
    ...(mask === undefined ? {} : { mask }),
    ...(options.proxies === undefined ? {} : { proxies: options.proxies }),
    ...(options.keyring === undefined ? {} : { keyring: options.keyring }),
    limits,
    muxLimits: limits,
  });
}
