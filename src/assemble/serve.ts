// Builds a server from options: the library's serve(), and what `caisson serve` calls.

import { randomBytes } from "node:crypto";
import { memoryLimit } from "../leaks/memory-headroom.ts";
import type { ExchangeOutcome, ExchangeView, TunnelEvents } from "../lifecycle/events.ts";
import { noEvents } from "../lifecycle/events.ts";
import { CaissonError } from "../lifecycle/errors.ts";
import { fanout } from "../lifecycle/fanout.ts";
import { listenForAbort } from "../lifecycle/listener.ts";
import type { Inventory, Resource } from "../lifecycle/resource.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import { createRuntime, createScope } from "../lifecycle/runtime.ts";
import type { Scope } from "../lifecycle/scope.ts";
import type { MuxLimits } from "../mux/limits.ts";
import type { CertificateFiles } from "../server/certificate-files.ts";
import { descriptorLimit } from "../server/descriptor-limit.ts";
import type { ServerLimits } from "../server/limits.ts";
import { portShortage, serverLimits } from "../server/limits.ts";
import { nameProblem } from "../server/names.ts";
import { TunnelServer } from "../server/tunnel-server.ts";
import { Tunnel } from "../server/tunnel.ts";
import type { TokenFileContent } from "../tokens/token-file.ts";
import { readTokenFile } from "../tokens/token-file.ts";
import { TokenTable } from "../tokens/token-table.ts";
import type { TokenWatchOwner } from "../tokens/token-watch.ts";
import { TokenWatch } from "../tokens/token-watch.ts";
import type { Tracing } from "../observe/tracing.ts";
import type { AdminOptions } from "./admin-options.ts";
import { isLoopback } from "./host-port.ts";
import type { ServedAddress, TlsFiles } from "./served-addresses.ts";
import { certificatesOf, servedAddresses, tcpPortsOf } from "./served-addresses.ts";
import type { Observatory } from "./observatory.ts";
import type { Observers } from "./observe.ts";
import { observe, orLetGo, subscribersOf } from "./observe.ts";
import type { RequestInfo } from "./request-info.ts";
import { requestInfo } from "./request-info.ts";
import type { TracingChoice } from "./tracing-options.ts";
import { traced } from "./tracing-options.ts";
import type { Listener } from "./typed-events.ts";
import { TypedEvents } from "./typed-events.ts";
import { ServerRole } from "./server-role.ts";
import { version } from "./version.ts";

/** Every limit of a server, by name. Times in milliseconds, sizes in bytes. */
export type ServeLimits = ServerLimits & MuxLimits;

/** Options of {@link serve}. All are optional. */
export interface ServeOptions {
  /** `HOST:PORT`; default `127.0.0.1:8080`, port 0 for any free one; `off` for none beside `listenTls`. */
  readonly listen?: string;
  /** `HOST:PORT` for TLS; needs `tls`. None if absent. */
  readonly listenTls?: string;
  /**
   * `HOST:PORT` where clients connect, and nowhere else: their crowds then wait in a row of their own, and a firewall can
   * keep visitors away from it. With TLS if there is `tls`. Absent, clients connect where visitors do.
   */
  readonly listenClients?: string;
  /** Certificate files; several for several names. They are read again when they change. */
  readonly tls?: readonly TlsFiles[];
  /** Send visitors of plain HTTP to HTTPS. Default false. */
  readonly redirectHttps?: boolean;
  /** The domain whose subdomains are tunnels. Default `localhost`. */
  readonly domain?: string;
  /** How public URLs look when a proxy stands in front: `https://{name}.example.com`. */
  readonly publicUrl?: string;
  /** The tunnel that gets the requests for hosts that are nobody's, such as an IP address. */
  readonly catchAll?: string;
  /**
   * The tokens file, as `caisson token create` makes it: only clients with a token in it are let in, with the names that
   * it allows. It is followed while the server runs. Without it anybody is let in.
   */
  readonly tokens?: string;
  /** Let anybody connect a client on an address that others can reach. Default false. */
  readonly open?: boolean;
  /** Addresses and networks of proxies whose X-Forwarded-* fields are believed. */
  readonly trustedProxies?: readonly string[];
  /** Trusted proxies begin each connection with a PROXY header, version 1 or 2. Default false. */
  readonly proxyProtocol?: boolean;
  /** The ports that TCP tunnels may have, such as `10000-10100`, on the address of `listen`. None if absent. */
  readonly tcpPorts?: string;
  /** Keeps random names claimable over restarts; at least 16 characters. Random if absent. */
  readonly secret?: string;
  /** How long close() lets streams in flight go on. Default 30,000. */
  readonly drainMs?: number;
  /** How long close() goes on accepting, so that a balancer notices. Default 0. */
  readonly drainDelayMs?: number;
  /** How long readiness stays off after the start, so that a balancer waits for clients to come back. Default 0. */
  readonly readyDelayMs?: number;
  readonly limits?: Partial<ServeLimits>;
  /** Closes the server when it aborts, without a drain. */
  readonly signal?: AbortSignal;
  /** The private listener for operators: `HOST:PORT`, `unix:PATH`, or more in detail. None if absent. */
  readonly admin?: string | AdminOptions;
  /** Takes sentences for operators about what goes wrong while the server runs. */
  readonly onWarning?: (message: string) => void;
  /**
   * Spans for OpenTelemetry. Default: with the SDK that the program has registered before; false for none all the same.
   */
  readonly tracing?: boolean | TracingChoice;
  /** Observers of everything that happens; see `caisson/internals`. */
  readonly subscribers?: readonly TunnelEvents[];
}

/** A tunnel as events tell of it. */
export interface TunnelInfo {
  readonly name: string;
  readonly url: string;
  readonly direct: { readonly url: string; readonly host: string };
}

/** A file that was read again while the server runs. */
export interface ReloadInfo {
  readonly what: "tokens";
  /** How many entries are in force now. */
  readonly count: number;
  /** Why the file could not be used, so that what was read before stays in force; undefined if it was read. */
  readonly error: CaissonError | undefined;
}

/** Events of a server. */
export interface ServerEvents {
  reload: ReloadInfo;
  tunnel: TunnelInfo;
  tunnelClosed: TunnelInfo & { readonly reason: string };
  request: RequestInfo;
}

/** A running server. */
export interface CaissonServer {
  /** Its own URL, such as `http://127.0.0.1:8080`; clients connect there with `ws:`. */
  readonly url: string;
  /** Its URL for TLS, under its domain; empty if it does not listen for that. */
  readonly tlsUrl: string;
  /** Where clients connect, with `http:` for `ws:`: its own URL unless they have an address of their own. */
  readonly clientsUrl: string;
  /** The private listener's URL; empty if there is none. */
  readonly admin: string;
  /** The live page's URL with a code that signs in once; empty without a private listener. */
  signedInUrl(): string;
  /** What it holds right now. */
  inventory(): Inventory;
  on<Name extends keyof ServerEvents>(name: Name, listener: Listener<ServerEvents[Name]>): void;
  off<Name extends keyof ServerEvents>(name: Name, listener: Listener<ServerEvents[Name]>): void;
  /** Reads files that may have changed again; resolves when that is done. What cannot be used changes nothing. Never rejects. */
  reload(): Promise<void>;
  /** Drains and closes; `force`, also in a second call, ends what is in flight. Resolves when everything is released. */
  close(options?: { readonly force?: boolean }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a server; resolves when it listens. Rejects with E_CONFIG or E_USAGE for bad options, E_LISTEN when the address
 * cannot be had. Without tokens anybody may connect a client, so it listens on loopback only unless `open` is set.
 */
export async function serve(options: ServeOptions = {}): Promise<CaissonServer> {
  const addresses = servedAddresses(options);
  for (const { host, door } of addresses) {
    if (door === "visitors" || isLoopback(host) || options.open === true || options.tokens !== undefined) continue;
    throw new CaissonError(
      "E_CONFIG",
      `without tokens anybody who reaches ${host} could open a tunnel; give it --tokens, listen on 127.0.0.1, or pass --open if that is meant`,
    );
  }
  if (options.catchAll !== undefined && nameProblem(options.catchAll) !== undefined) {
    throw new CaissonError(
      "E_CONFIG",
      `catch-all "${options.catchAll}" is no tunnel name; write one label such as "demo"`,
    );
  }
  options.signal?.throwIfAborted();
  const tokens = options.tokens === undefined ? undefined : await readTokenFile(options.tokens);
  const tracing = await traced(options.tracing);
  const observatory = await observe(options, tracing);
  const server = await orLetGo(observatory, () => new RunningServer(options, { observatory, tracing, tokens }));
  try {
    await server.start(addresses);
  } catch (error) {
    await server.close({ force: true });
    throw error;
  }
  return server;
}

interface ServerParts extends Observers {
  /** What the tokens file held. */
  readonly tokens: TokenFileContent | undefined;
}

class RunningServer implements CaissonServer {
  readonly #options: ServeOptions;
  readonly #runtime: Runtime;
  readonly #scope: Scope;
  readonly #events: TypedEvents<ServerEvents>;
  readonly #server: TunnelServer;
  readonly #certificates: CertificateFiles | undefined;
  readonly #observatory: Observatory | undefined;
  readonly #tracing: Tracing | undefined;
  readonly #tokenStamp: string;
  #tokenWatch: TokenWatch | undefined;

  constructor(options: ServeOptions, { observatory, tracing, tokens }: ServerParts) {
    this.#tokenStamp = tokens?.stamp ?? "";
    this.#observatory = observatory;
    this.#tracing = tracing;
    this.#options = options;
    const events = new TypedEvents<ServerEvents>((error) => this.#runtime.events.faulted("listener", error));
    this.#events = events;
    const subscribers = [publish(events), ...subscribersOf({ observatory, tracing }), ...(options.subscribers ?? [])];
    this.#runtime = createRuntime(fanout(...subscribers), observatory?.operations);
    tracing?.report(this.#runtime.events);
    this.#scope = createScope(this.#runtime, "server");
    const descriptors = descriptorLimit();
    const limits = serverLimits(descriptors, options.limits);
    const tcp = tcpPortsOf(options);
    const shortage = tcp && portShortage(tcp.range, { descriptors, limits });
    if (shortage !== undefined) options.onWarning?.(shortage);
    this.#certificates = certificatesOf(options, { runtime: this.#runtime, pollMs: limits.certificatePollMs });
    this.#server = new TunnelServer({
      runtime: this.#runtime,
      limits,
      muxLimits: options.limits ?? {},
      domain: options.domain ?? "localhost",
      publicUrl: options.publicUrl,
      catchAll: options.catchAll,
      trustedProxies: options.trustedProxies ?? [],
      proxyProtocol: options.proxyProtocol ?? false,
      certificates: this.#certificates,
      tcp,
      redirectHttps: options.redirectHttps ?? false,
      secret: options.secret === undefined ? randomBytes(32) : Buffer.from(options.secret),
      version,
      memoryLimit: memoryLimit(),
      tokens: tokens && new TokenTable(tokens.entries),
      traced: tracing?.tellsTraces === true,
    });
  }

  get url(): string {
    return this.#server.edge.address.serverUrl;
  }

  get tlsUrl(): string {
    return this.#server.edge.address.tlsUrl ?? "";
  }

  get clientsUrl(): string {
    return this.#server.edge.address.clientsUrl;
  }

  async start(addresses: readonly ServedAddress[]): Promise<void> {
    const { operations } = this.#runtime;
    await operations.run("certificates", async () => this.#certificates?.open());
    for (const where of addresses) await operations.run("listen", () => this.#server.listen(where));
    await this.#observatory?.watch(new ServerRole(this.#server, this.#options.readyDelayMs ?? 0), this.#runtime);
    this.#followTokens();
    const { signal } = this.#options;
    if (!signal) return;
    const onAbort = (): void => void this.close({ force: true });
    listenForAbort(signal, onAbort, { scope: this.#scope, events: this.#runtime.events });
  }

  get admin(): string {
    return this.#observatory?.url ?? "";
  }

  signedInUrl(): string {
    return this.#observatory?.signedInUrl() ?? "";
  }

  inventory(): Inventory {
    return this.#server.inventory();
  }

  on<Name extends keyof ServerEvents>(name: Name, listener: Listener<ServerEvents[Name]>): void {
    this.#events.on(name, listener);
  }

  off<Name extends keyof ServerEvents>(name: Name, listener: Listener<ServerEvents[Name]>): void {
    this.#events.off(name, listener);
  }

  async reload(): Promise<void> {
    await this.#tokenWatch?.reload();
  }

  #followTokens(): void {
    const { tokens } = this.#options;
    if (tokens === undefined || this.#scope.closed) return;
    const events = this.#events;
    const owner: TokenWatchOwner = {
      onTokens: (table) => {
        this.#server.edge.tokens?.replace(table);
        events.emit("reload", { what: "tokens", count: table.size, error: undefined });
      },
      onTokensProblem: (error) => {
        this.#runtime.events.refused("tokens_file");
        events.emit("reload", { what: "tokens", count: this.#server.edge.tokens?.table.size ?? 0, error });
      },
    };
    this.#tokenWatch = new TokenWatch(tokens, { runtime: this.#runtime, owner, stamp: this.#tokenStamp });
    this.#scope.own(this.#tokenWatch, (watch) => watch.close());
  }

  async close(options: { readonly force?: boolean } = {}): Promise<void> {
    const force = options.force === true;
    const { drainMs = 30_000, drainDelayMs = 0 } = this.#options;
    const shutdown = force ? { drainMs: 0, drainDelayMs: 0 } : { drainMs, drainDelayMs };
    const drain = (): Promise<void> => this.#runtime.operations.run("shutdown", () => this.#server.close(shutdown));
    await (this.#tracing ? this.#tracing.notable.drain(drain) : drain());
    this.#scope.close("closed");
    await this.#observatory?.close();
    this.#events.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close({ force: true });
  }
}

/** Turns what the core reports into the public events. */
function publish(events: TypedEvents<ServerEvents>): TunnelEvents {
  return {
    ...noEvents,
    hearsStandingOnly: true,
    opened(resource: Resource): void {
      if (resource.kind === "tunnel" && resource instanceof Tunnel && events.wants("tunnel"))
        events.emit("tunnel", tunnelInfo(resource));
    },
    closed(resource: Resource, reason: string): void {
      if (resource.kind !== "tunnel" || !(resource instanceof Tunnel) || !events.wants("tunnelClosed")) return;
      events.emit("tunnelClosed", { ...tunnelInfo(resource), reason });
    },
    exchangeEnded(exchange: ExchangeView, outcome: ExchangeOutcome): void {
      if (!events.wants("request")) return;
      events.emit("request", requestInfo(exchange, outcome));
    },
  };
}

function tunnelInfo(tunnel: Tunnel): TunnelInfo {
  return { name: tunnel.name, url: tunnel.url, direct: tunnel.direct };
}
