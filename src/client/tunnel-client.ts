// The client as a whole: its tunnels, the connections to their targets, and one link per server. It is what assemble/
// makes and closes. Nothing is opened before start(), and after close() nothing is held.

import { randomBytes } from "node:crypto";
import type { Deadline } from "../lifecycle/deadlines.ts";
import { CaissonError } from "../lifecycle/errors.ts";
import type { Inventory } from "../lifecycle/resource.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { MuxLimits } from "../mux/limits.ts";
import { tracedPipesFeature } from "../wire/control.ts";
import type { ClaimChanges, TunnelSpec } from "./claim-book.ts";
import { ClaimBook } from "./claim-book.ts";
import { inventoryOf } from "./client-inventory.ts";
import type { ClientContext, TunnelClaim } from "./client-tunnel.ts";
import type { ProxySettings } from "./http-proxy.ts";
import { proxyFor } from "./http-proxy.ts";
import type { Keyring } from "./keyring.ts";
import { noKeyring } from "./keyring.ts";
import type { ClientLimits } from "./limits.ts";
import { defaultClientLimits } from "./limits.ts";
import type { GivenName, LinkSession } from "./link-session.ts";
import type { ClientObserver, TunnelFacts } from "./observer.ts";
import { noObserver } from "./observer.ts";
import type { ServerAddress } from "./server-address.ts";
import { checkToken, checkTokenTransport, parseServerAddress } from "./server-address.ts";
import type { ServerLinkOwner } from "./server-link.ts";
import { ServerLink } from "./server-link.ts";
import type { Certificates } from "./target.ts";
import { checkCertificates } from "./target.ts";

/** What a client is made of. */
export interface TunnelClientOptions {
  readonly runtime: Runtime;
  /** The package's version. */
  readonly version: string;
  /** One or more; the same tunnels on each, under the same names where the servers allow it. */
  readonly servers: readonly string[];
  /** One or more. */
  readonly tunnels: readonly TunnelSpec[];
  readonly token?: string;
  /** Lets the token travel over `ws://` to other hosts than loopback. Default false. */
  readonly plaintext?: boolean;
  /** Certificate authorities of the servers, as PEM, that replace the system's. */
  readonly ca?: Certificates;
  /** HTTP proxies on the way to servers. Default: none. */
  readonly proxies?: ProxySettings;
  /** Default: zero over TLS and to loopback, else random. */
  readonly mask?: "zero" | "random";
  /** Ports of this machine that no target may have: the private listeners of this client and of a server beside it. */
  readonly forbiddenPorts?: readonly number[];
  /** Keys of names that outlive this process. Default: none do. */
  readonly keyring?: Keyring;
  readonly limits?: Partial<ClientLimits>;
  readonly muxLimits?: Partial<MuxLimits>;
  readonly observer?: ClientObserver;
  /** Whether servers are to say which traces raw connections belong to. Default false. */
  readonly traced?: boolean;
  /** Tells this process from another one. Default: random. */
  readonly instance?: string;
  /** Randomness of reconnect delays: answers 0 to just below 1. */
  readonly random?: () => number;
}

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: CaissonError) => void;
}

/** A client with its tunnels. */
export class TunnelClient implements ServerLinkOwner {
  /** What it calls itself to servers. */
  readonly instance: string;
  readonly #context: ClientContext;
  readonly #options: TunnelClientOptions;
  readonly #servers: readonly ServerAddress[];
  readonly #book: ClaimBook;
  readonly #links = new Set<ServerLink>();
  #drain: Deadline | undefined;
  #stopGaps: (() => void) | undefined;
  #starting: Waiter<readonly TunnelFacts[]> | undefined;
  #closing: Promise<void> | undefined;
  #closeCalled = false;
  #onClosed: (() => void) | undefined;
  #started = false;
  #failure: CaissonError | undefined;

  /** Checks everything and opens nothing. Throws E_USAGE or E_AUTH. */
  constructor(options: TunnelClientOptions) {
    const { runtime, observer = noObserver } = options;
    if (options.servers.length === 0 || options.tunnels.length === 0) {
      throw new CaissonError("E_USAGE", "a client needs at least one server and one tunnel");
    }
    this.#options = options;
    this.instance = options.instance ?? randomBytes(12).toString("base64url");
    const features = options.traced === true ? [tracedPipesFeature] : [];
    this.#context = { runtime, observer, features, limits: { ...defaultClientLimits, ...options.limits } };
    this.#servers = distinct(options.servers.map(parseServerAddress));
    for (const { connectUrl } of this.#servers) proxyFor(connectUrl, options.proxies ?? {});
    if (options.ca !== undefined) checkCertificates(options.ca, "server");
    if (options.token !== undefined) {
      checkToken(options.token);
      for (const server of this.#servers) checkTokenTransport(server, options.plaintext ?? false);
    }
    const { forbiddenPorts = [] } = options;
    this.#book = new ClaimBook({ context: this.#context, forbiddenPorts }, options.tunnels);
  }

  /**
   * Logs in. Resolves with the tunnels when all of them stand on the first server that answers. Rejects with E_CONNECT
   * when none did for 30 s, with E_AUTH, E_NAME_TAKEN, E_REFUSED or E_USAGE when one refused, with E_ABORTED if closed
   * before; the client has closed itself then. May be called once.
   */
  start(): Promise<readonly TunnelFacts[]> {
    if (this.#started || this.#closing) throw new CaissonError("E_USAGE", "a client starts once");
    this.#started = true;
    const { deadlines } = this.#context.runtime;
    this.#stopGaps = deadlines.onGap((gapMs) => {
      for (const link of this.#links) link.wake(gapMs);
    });
    for (const server of this.#servers) this.#links.add(this.#linkTo(server));
    this.#book.startChecks();
    return new Promise((resolve, reject) => {
      this.#starting = { resolve, reject };
      // The others follow when the first has names, or has trouble: so all of them can ask for the same names.
      for (const link of this.#links) {
        link.start();
        break;
      }
    });
  }

  /**
   * Puts other tunnels in force: those that are new are claimed, those that are gone are given back, those that lead
   * elsewhere keep their session and name, what was refused is asked for again, and the rest is not touched. Throws E_USAGE for a wrong one, and changes nothing.
   */
  update(tunnels: readonly TunnelSpec[]): ClaimChanges {
    if (this.#closing) throw new CaissonError("E_ABORTED", "the client is closing");
    const changes = this.#book.update(tunnels);
    for (const link of this.#links) {
      for (const claim of changes.removed) link.remove(claim);
      link.askAgain();
      for (const claim of changes.added) link.add(claim);
    }
    return changes;
  }

  /** The tunnels that stand now, on all servers. */
  tunnels(): TunnelFacts[] {
    return [...this.#links].flatMap((link) => link.tunnels());
  }

  /**
   * Says goodbye to the servers, lets streams in flight go on for `drainMs`, then ends the rest. A second call ends them at
   * once. Resolves, always, when nothing is held any more.
   */
  close(): Promise<void> {
    if (this.#closeCalled) for (const link of this.#links) link.cut("now");
    this.#closeCalled = true;
    return this.#beginClose();
  }

  /** What it holds now. */
  inventory(): Inventory {
    const { pools, outOfService } = this.#book;
    const inventory = inventoryOf({ links: this.#links, pools, deadlines: this.#context.runtime.deadlines });
    return { ...inventory, probes: { ...inventory.probes, "client.out_of_service": outOfService } };
  }

  /** Every session that is up, whatever its state. */
  sessions(): LinkSession[] {
    const sessions: LinkSession[] = [];
    for (const link of this.#links) sessions.push(...link.sessions);
    return sessions;
  }

  /** Whether some session takes new streams. */
  get connected(): boolean {
    return this.sessions().some(({ session }) => session.state === "ready");
  }

  onStood(link: ServerLink): void {
    const starting = this.#starting;
    this.#starting = undefined;
    starting?.resolve(link.tunnels());
    this.#startAll();
  }

  onStumbled(): void {
    this.#startAll();
  }

  mayGiveUp(link: ServerLink): boolean {
    for (const other of this.#links) if (other !== link && other.stood) return false;
    return true;
  }

  onFailed(_: ServerLink, error: CaissonError): void {
    if (this.#failure) return;
    this.#failure = error;
    // Told at once; what is in flight may still take until the end of the drain.
    if (!this.#settleStart(error)) this.#context.observer.failed(error);
    void this.#beginClose();
  }

  onLinkClosed(link: ServerLink): void {
    if (this.#links.delete(link) && this.#links.size === 0) this.#closePools();
  }

  nameElsewhere(claim: TunnelClaim): GivenName | undefined {
    for (const link of this.#links) {
      const given = link.givenName(claim);
      if (given) return given;
    }
    return undefined;
  }

  #startAll(): void {
    if (this.#closing) return;
    for (const link of this.#links) link.start();
  }

  #beginClose(): Promise<void> {
    if (this.#closing) return this.#closing;
    this.#closing = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    const { runtime, limits } = this.#context;
    this.#stopGaps?.();
    this.#stopGaps = undefined;
    this.#drain = runtime.deadlines.create(() => {
      for (const link of this.#links) link.cut("in_order");
    });
    this.#drain.arm(limits.drainMs);
    this.#settleStart(new CaissonError("E_ABORTED", "the client was closed before it was connected"));
    const links = [...this.#links];
    for (const link of links) link.close();
    if (links.length === 0) this.#closePools();
    return this.#closing;
  }

  #settleStart(error: CaissonError): boolean {
    const starting = this.#starting;
    this.#starting = undefined;
    starting?.reject(error);
    return starting !== undefined;
  }

  #closePools(): void {
    this.#book.close(() => {
      this.#drain?.dispose();
      this.#drain = undefined;
      this.#onClosed?.();
    });
  }

  #linkTo(server: ServerAddress): ServerLink {
    const { token, ca, mask, version, proxies = {}, muxLimits = {}, random = Math.random } = this.#options;
    return new ServerLink({
      owner: this,
      context: this.#context,
      dial: { server, token, ca, mask, version, proxy: proxyFor(server.connectUrl, proxies) },
      claims: this.#book.claims,
      instance: this.instance,
      keyring: this.#options.keyring ?? noKeyring,
      muxLimits,
      random,
    });
  }
}

/** One link per server: two would take the names from each other. */
function distinct(servers: readonly ServerAddress[]): readonly ServerAddress[] {
  return [...new Map(servers.map((server) => [server.connectUrl, server])).values()];
}
