// The public side as a whole: listens, accepts visitors and clients, and shuts down in order. It holds every visitor
// connection, pipe and session in a set of its own, so that what is held can always be counted.

import type { Socket } from "node:net";
import { randomBytes } from "node:crypto";
import { RequestHead } from "../http1/head.ts";
import { ResponseHeadReader } from "../http1/head-reader.ts";
import { requestHeadLimits, responseHeadLimits } from "../http1/limits.ts";
import type { Inventory } from "../lifecycle/resource.ts";
import type { Runtime } from "../lifecycle/runtime.ts";
import type { Deadline } from "../lifecycle/deadlines.ts";
import { cutSecured } from "../mux/cut-socket.ts";
import { GrowthBudget } from "../mux/growth-budget.ts";
import type { MuxLimits } from "../mux/limits.ts";
import { muxLimits } from "../mux/limits.ts";
import { Pipe } from "../mux/pipe.ts";
import { SessionTally } from "../mux/session-tally.ts";
import type { PortRange } from "../tokens/name-pattern.ts";
import type { TokenTable } from "../tokens/token-table.ts";
import { tlsFeature, tracedFeature } from "../wire/control.ts";
import { AbortGuard } from "./abort-guard.ts";
import { ClientSession } from "./client-session.ts";
import type { PassingConnection } from "./arrival.ts";
import type { CertificateSource } from "./certificate-source.ts";
import type { Edge } from "./edge.ts";
import type { FrontDoorOwner, ListenAddress } from "./front-door.ts";
import { FrontDoor } from "./front-door.ts";
import type { ServerLimits } from "./limits.ts";
import { NameTable } from "./name-table.ts";
import { ResumeKeys } from "./names.ts";
import type { Login } from "./own-host.ts";
import { OverloadGuard, processReadings } from "./overload.ts";
import { OwnHost } from "./own-host.ts";
import type { PipeVisitorOwner } from "./pipe-visitor.ts";
import { PipeVisitor } from "./pipe-visitor.ts";
import { PortTable } from "./port-table.ts";
import { PublicAddress } from "./public-address.ts";
import { SecureContexts } from "./secure-contexts.ts";
import { TokenGate } from "./token-gate.ts";
import { TrustedProxies } from "./trusted-proxies.ts";
import { VisitorConnection } from "./visitor-connection.ts";
import type { AcceptedConnection, OwnConnection, UpgradedConnection, VisitorOwner } from "./visitor-owner.ts";

/** Silence on a pipe after which TCP asks whether the visitor still lives, in milliseconds. */
const keepAliveProbeMs = 30_000;

/** How long sessions may take to answer a farewell at the end, in milliseconds. */
const farewellMs = 1_000;

/** What a server is made of. Everything is decided here; defaults are those of assemble/. */
export interface TunnelServerOptions {
  readonly runtime: Runtime;
  readonly limits: ServerLimits;
  readonly muxLimits: Partial<MuxLimits>;
  readonly domain: string;
  readonly publicUrl: string | undefined;
  readonly catchAll: string | undefined;
  readonly trustedProxies: readonly string[];
  /** Trusted proxies begin each connection with a PROXY header. */
  readonly proxyProtocol: boolean;
  /** Where TCP tunnels get their ports; undefined without. */
  readonly tcp: { readonly host: string; readonly range: PortRange } | undefined;
  /** For TLS; undefined without. Owned from here on. */
  readonly certificates: CertificateSource | undefined;
  /** Send requests over plain HTTP to HTTPS. */
  readonly redirectHttps: boolean;
  /** Makes resume keys. */
  readonly secret: Buffer;
  readonly version: string;
  /** How much memory the system allows this process, in bytes; Infinity without a limit. */
  readonly memoryLimit: number;
  /** Who may log in; anybody where there are none. */
  readonly tokens?: TokenTable | undefined;
  /** Whether every head that goes out has been given trace fields of our own, or had none. Default false. */
  readonly traced?: boolean;
}

/** How a server ends. */
export interface ShutdownOptions {
  /** How long streams in flight may go on, in milliseconds; 0 ends them at once. */
  readonly drainMs: number;
  /** How long to go on accepting after readiness went off, so that a balancer notices, in milliseconds. */
  readonly drainDelayMs: number;
}

/** The server's public side. */
export class TunnelServer implements VisitorOwner, FrontDoorOwner, PipeVisitorOwner {
  readonly edge: Edge;
  readonly #runtime: Runtime;
  readonly #door: FrontDoor;
  readonly #own: OwnHost;
  readonly #visitors: Set<VisitorConnection> = new Set();
  readonly #pipes: Set<Pipe> = new Set();
  readonly #pipeVisitors: Set<PipeVisitor> = new Set();
  readonly #clock: Deadline;
  #waiting: ((forced: boolean) => void) | undefined;
  #closing: Promise<void> | undefined;
  /** Nothing in flight is waited for any more. */
  #forced = false;

  constructor(options: TunnelServerOptions) {
    const { runtime, limits } = options;
    const mux = muxLimits(options.muxLimits);
    this.#runtime = runtime;
    const names = new NameTable(runtime, limits);
    const sessions = new Set<ClientSession>();
    const { tokens: table } = options;
    this.edge = {
      runtime,
      limits,
      muxLimits: mux,
      version: options.version,
      instance: randomBytes(12).toString("base64url"),
      features: options.traced === true ? [tlsFeature, tracedFeature] : [tlsFeature],
      names,
      resumeKeys: new ResumeKeys(options.secret),
      sessions,
      tokens: table && new TokenGate({ runtime, table, onChanged: this.#reviewHeldNames }),
      budget: new GrowthBudget(mux.roleGrowthBytes),
      aborts: new AbortGuard({ runtime, maxAborts: limits.maxAborts, windowMs: limits.abortWindowMs }),
      overload: new OverloadGuard(limits, processReadings(limits, options.memoryLimit)),
      trusted: new TrustedProxies(options.trustedProxies),
      address: new PublicAddress({ domain: options.domain, template: options.publicUrl }),
      catchAll: options.catchAll,
      ports:
        options.tcp &&
        new PortTable({ ...options.tcp, runtime, maxPorts: limits.maxTcpPorts, onVisitor: this.#onPortVisitor }),
      redirectHttps: options.redirectHttps,
      viaName: `caisson-${randomBytes(5).toString("hex")}`,
      requestHead: new RequestHead(requestHeadLimits),
      responses: new ResponseHeadReader(responseHeadLimits),
      accepting: true,
    };
    this.edge.names.onFreed = (name) => this.edge.ports?.release(name);
    const { certificates: source, proxyProtocol } = options;
    const tls = source && new SecureContexts({ runtime, source, maxContexts: limits.maxTlsContexts });
    this.#door = new FrontDoor({ edge: this.edge, owner: this, tls, proxyProtocol });
    this.#own = new OwnHost({ edge: this.edge, accept: this.#admit, accepted: () => this.#door.accepted });
    this.#clock = runtime.deadlines.create(() => this.#waiting?.(true));
  }

  /** Starts to listen; answers the address that the system gave. Throws E_LISTEN. */
  listen(where: ListenAddress): Promise<ListenAddress> {
    return this.#door.listen(where);
  }

  /** Until the first certificate expires, in seconds; negative afterwards, undefined without TLS. */
  get certificateExpirySeconds(): number | undefined {
    const { firstExpiryMs } = this.#door;
    return firstExpiryMs === undefined ? undefined : (firstExpiryMs - Date.now()) / 1000;
  }

  /** What is held, by kind, and the sizes of the containers that are no resources. */
  inventory(): Inventory {
    let tunnels = 0;
    let streams = 0;
    let exchanges = 0;
    let roomWaiters = 0;
    // A session that believes to have a name which leads elsewhere is a ghost: it stands, and nobody reaches it.
    let unrouted = 0;
    const tally = new SessionTally();
    for (const { session, tunnels: claimed, waitingForRoom } of this.edge.sessions) {
      tunnels += claimed.size;
      streams += session.streamCount;
      roomWaiters += waitingForRoom;
      tally.add(session);
      for (const tunnel of claimed.values()) if (this.edge.names.find(tunnel.name) !== tunnel) unrouted += 1;
    }
    for (const visitor of this.#visitors) if (visitor.exchange) exchanges += 1;
    return {
      held: {
        session: this.edge.sessions.size,
        tunnel: tunnels,
        stream: streams,
        exchange: exchanges,
        pipe: this.#pipes.size,
        session_socket: this.edge.sessions.size,
        visitor_socket: this.#visitors.size + this.#pipeVisitors.size,
        tls_context: this.#door.tlsContexts,
        deadline: this.#runtime.deadlines.size,
      },
      probes: {
        ...tally.probes,
        "names.live": this.edge.names.live,
        "names.held": this.edge.names.held,
        "names.waiting": this.edge.names.waiting,
        "rooms.waiting": roomWaiters,
        "never.unrouted_tunnels": unrouted,
        "visitors.sockets": this.#door.quota.sockets,
        "visitors.addresses": this.#door.quota.addresses,
        "ports.open": this.edge.ports?.size ?? 0,
        "visitors.arriving": this.#door.arrivals,
        "own.pending": this.#own.pending,
        "logins.waiting": this.#own.waiting,
        "windows.grown_bytes": this.edge.budget.grantedBytes,
        "aborts.addresses": this.edge.aborts.size,
        "tokens.known": this.edge.tokens?.table.size ?? 0,
        "tokens.sessions": this.edge.tokens?.sessions ?? 0,
        "tokens.guessers": this.edge.tokens?.guessers ?? 0,
        "deadlines.gap_listeners": this.#runtime.deadlines.gapListeners,
        "servers.listeners": this.#door.listeners + this.#own.listeners,
      },
    };
  }

  /** False from the beginning of a shutdown on, while it may still accept. */
  get ready(): boolean {
    return this.#closing === undefined;
  }

  /** Bytes that wait in memory for visitors, and those read ahead from them. Walks all of them. */
  visitorBytes(): number {
    let bytes = 0;
    for (const connection of this.#visitors) bytes += connection.bufferedBytes;
    return bytes;
  }

  /** Shuts down in the order of docs: stop accepting, GOAWAY, drain, reset the rest. A second call with `drainMs: 0` forces. */
  close(options: ShutdownOptions): Promise<void> {
    if (options.drainMs === 0) this.#forced = true;
    if (this.#closing) {
      if (this.#forced) this.#waiting?.(true);
      return this.#closing;
    }
    this.#closing = this.#shutDown(options);
    return this.#closing;
  }

  onVisitorClosed(visitor: VisitorConnection): void {
    this.#visitors.delete(visitor);
    this.#somethingEnded();
  }

  onVisitor(accepted: AcceptedConnection): void {
    this.#visitors.add(new VisitorConnection(this, accepted));
  }

  onPipeVisitorDone(visitor: PipeVisitor): void {
    this.#pipeVisitors.delete(visitor);
    this.#somethingEnded();
  }

  passedTo(serverName: string): string | undefined {
    const owner = this.edge.address.ownerOf(serverName);
    return owner.kind === "tunnel" && this.edge.names.find(owner.name)?.type === "tls" ? owner.name : undefined;
  }

  onPassing({ type, socket, address, name, hello }: PassingConnection): void {
    const visitor = new PipeVisitor(this, { type, socket, address, name, early: hello });
    this.#pipeVisitors.add(visitor);
    visitor.begin();
  }

  onOwnRequest(own: OwnConnection): void {
    this.#own.take(own);
  }

  onPipe(upgraded: UpgradedConnection): void {
    // The socket may be gone already: then the pipe closes before it is known here.
    const { socket, raw, stream, tunnel, early, outlet, trace } = upgraded;
    const place: { pipe?: Pipe; closed: boolean } = { closed: false };
    const onClosed = (pipe: Pipe): void => {
      place.closed = true;
      tunnel.streams -= 1;
      tunnel.bytesIn += pipe.bytesIn;
      tunnel.bytesOut += pipe.bytesOut;
      if (place.pipe) this.#pipes.delete(place.pipe);
      this.#somethingEnded();
    };
    tunnel.streams += 1;
    raw.setKeepAlive(true, keepAliveProbeMs);
    place.pipe = new Pipe({
      socket,
      stream,
      outlet,
      initial: early,
      trace,
      runtime: this.#runtime,
      idleMs: this.edge.limits.pipeIdleMs,
      ...(raw === socket ? {} : { cut: () => cutSecured(socket, raw) }),
      onClosed,
    });
    if (!place.closed) this.#pipes.add(place.pipe);
  }

  readonly #onPortVisitor = (socket: Socket, name: string): void => this.#door.onPortVisitor(socket, name);

  readonly #admit = ({ transport, own, token }: Login): void => {
    // From here on it counts against the limit of sessions.
    this.#door.quota.release(own.raw);
    const peer = own.address;
    void new ClientSession({ edge: this.edge, transport, peer, token, onClosed: this.#somethingEnded });
  };

  readonly #reviewHeldNames = (): void => {
    const { names, ports, tokens } = this.edge;
    names.review(({ name, tokenId }) => {
      const place = { name, port: ports?.of(name)?.port };
      return tokens === undefined || (tokenId !== undefined && tokens.mayKeep(place, tokenId));
    });
  };

  async #shutDown(options: ShutdownOptions): Promise<void> {
    const { sessions, names, aborts, overload, tokens } = this.edge;
    if (options.drainDelayMs > 0) await this.#wait(() => false, options.drainDelayMs);
    this.edge.accepting = false;
    const listenersClosed = Promise.all([this.#door.stop(), this.edge.ports?.stop()]);
    for (const visitor of this.#visitors) visitor.drain();
    for (const { session } of sessions) session.drain("shutdown");
    if (!this.#forced) await this.#wait(() => this.#visitors.size === 0 && this.#pipes.size === 0, options.drainMs);
    for (const visitor of this.#visitors) visitor.destroy("shutdown");
    for (const visitor of this.#pipeVisitors) visitor.close("shutdown");
    for (const pipe of this.#pipes) pipe.close("shutdown");
    for (const { session } of sessions) session.close("shutdown");
    this.#door.close();
    this.#own.close();
    names.close();
    aborts.close();
    overload.close();
    tokens?.close();
    await this.#wait(() => sessions.size === 0, farewellMs);
    for (const { session } of sessions) session.terminate("shutdown");
    await this.#wait(() => sessions.size === 0, farewellMs);
    this.#clock.dispose("closed");
    await listenersClosed;
  }

  /** Waits until `done` answers true (asked whenever something ended), the time is over, or a second close forces. */
  #wait(done: () => boolean, ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = (forced) => {
        if (!forced && !done()) return;
        this.#waiting = undefined;
        this.#clock.disarm();
        resolve();
      };
      this.#clock.arm(ms);
      this.#waiting(false);
    });
  }

  readonly #somethingEnded = (): void => this.#waiting?.(false);
}
