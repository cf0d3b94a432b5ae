// Builds a client from options: the library's connect(), and what `caisson http` calls. Loads nothing of the server.

import { TunnelClient } from "../client/tunnel-client.ts";
import type { Keyring } from "../client/keyring.ts";
import type { ClientLimits } from "../client/limits.ts";
import type { ClientObserver, Disconnection, TunnelFacts } from "../client/observer.ts";
import type { CaissonError } from "../lifecycle/errors.ts";
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

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** The port of the local service, or `host:port`, `http://host:port`, `https://host:port`. */
  readonly target: string | number;
  /** The server's URL, `ws://` or `wss://`; several give one session each, under the same name. Default {@link defaultServer}. */
  readonly server?: string | readonly string[];
  /** The wanted public name: one DNS label. A random one without. */
  readonly name?: string;
  /** What the server knows this client by. Never sent over `ws://` to another host unless `plaintext`. */
  readonly token?: string;
  /** Let the token travel unencrypted. Default false. */
  readonly plaintext?: boolean;
  /** Certificate authorities of the server, as PEM, instead of the system's. */
  readonly ca?: string;
  /** Certificate authorities of an https target, as PEM, instead of the system's. */
  readonly targetCa?: string;
  /** Accept any certificate of an https target. Default false. */
  readonly targetInsecure?: boolean;
  /** The Host that the target sees: `rewrite` for its own, or any value. Default: what the visitor asked for. */
  readonly hostHeader?: string;
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

/**
 * Connects a local service to a server; resolves when the tunnel stands. Rejects with E_USAGE for bad options, E_CONNECT
 * when no server answered for 30 s, E_AUTH, E_NAME_TAKEN or E_REFUSED when one said no, E_ABORTED by `signal`.
 * Afterwards it reconnects by itself, for ever, with the same name.
 */
export async function connect(options: ConnectOptions): Promise<CaissonTunnel> {
  options.signal?.throwIfAborted();
  const tracing = await traced(options.tracing);
  const observatory = await observe(options, tracing);
  const tunnel = await orLetGo(observatory, () => new RunningTunnel(options, { observatory, tracing }));
  await tunnel.start();
  return tunnel;
}

class RunningTunnel implements CaissonTunnel {
  readonly closed: Promise<CaissonError | undefined>;
  readonly #options: ConnectOptions;
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

  constructor(options: ConnectOptions, { observatory, tracing }: Observers) {
    this.#observatory = observatory;
    this.#tracing = tracing;
    this.#role = new ClientRole(() => this.#client);
    this.#options = options;
    const observers = [...subscribersOf({ observatory, tracing }), ...(observatory ? [this.#role] : [])];
    this.#runtime = createRuntime(fanout(...observers, ...(options.subscribers ?? [])), observatory?.operations);
    tracing?.report(this.#runtime.events);
    this.#scope = createScope(this.#runtime, "client");
    this.#events = new TypedEvents((error) => this.#runtime.events.faulted("listener", error));
    this.#forbiddenPorts = privatePorts(options);
    const forbiddenPorts = this.#forbiddenPorts;
    this.#client = createClient(options, { runtime: this.#runtime, observer: this.#observer(), forbiddenPorts });
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
      tunnelClosed: (_, reason) => events.emit("disconnected", { server: "", reason, message: reason, retryMs: 0 }),
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
function privatePorts({ admin, server = defaultServer }: ConnectOptions): number[] {
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
}

function createClient(options: ConnectOptions, parts: ClientParts): TunnelClient {
  const { server = defaultServer, name, token, ca, targetCa, hostHeader, mask, limits = {} } = options;
  return new TunnelClient({
    ...parts,
    version,
    servers: typeof server === "string" ? [server] : server,
    tunnels: [
      {
        kind: "http",
        target: String(options.target),
        insecure: options.targetInsecure ?? false,
        ...(name === undefined ? {} : { name }),
        ...(targetCa === undefined ? {} : { ca: targetCa }),
        ...(hostHeader === undefined ? {} : { hostHeader }),
      },
    ],
    plaintext: options.plaintext ?? false,
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
    ...(mask === undefined ? {} : { mask }),
    ...(options.keyring === undefined ? {} : { keyring: options.keyring }),
    limits,
    muxLimits: limits,
  });
}
